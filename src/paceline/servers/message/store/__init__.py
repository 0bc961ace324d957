"""SQL of the Message Server."""
