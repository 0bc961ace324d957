"""Unit tests of paceline.expressions."""
