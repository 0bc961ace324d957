"""Migrations of the schema stat, run by storage.migrate."""
