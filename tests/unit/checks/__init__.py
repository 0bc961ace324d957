"""Unit tests of paceline.checks."""
