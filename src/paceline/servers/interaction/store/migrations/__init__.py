"""Migrations of the interaction schema, oldest first; run by storage/migrate."""
