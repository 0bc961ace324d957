"""Laws of the wire."""
