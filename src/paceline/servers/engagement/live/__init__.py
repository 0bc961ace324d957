"""What the engine holds in memory: permits, open invitations, counts, submissions under way."""
