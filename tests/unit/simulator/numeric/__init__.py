"""The numeric worlds, piece by piece."""
