"""Laws of the pacer that hold for any input."""
