"""Laws of paceline.expressions."""
