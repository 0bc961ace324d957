"""Unit tests of paceline.simulator."""
