"""Requests to the Configuration Server, one module per family."""
