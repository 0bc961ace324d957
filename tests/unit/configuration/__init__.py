"""Pure rules of the Configuration Server."""
