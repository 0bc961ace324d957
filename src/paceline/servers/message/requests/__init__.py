"""Requests to the Message Server, one module per family."""
