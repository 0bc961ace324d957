"""Invitations, counts, epochs and unacknowledged submissions in the database."""
