"""Migrations of schema `configuration`, one file per version (storage/migrate.py runs them)."""
