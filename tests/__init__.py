"""Tests of Paceline by kind; CONTRIBUTING.md says which kind a claim belongs to."""
