"""Migrations of schema `message`, one file per version (storage/migrate.py runs them)."""
