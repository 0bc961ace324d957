"""Laws of paceline.runtime."""
