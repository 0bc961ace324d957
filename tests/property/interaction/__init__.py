"""Laws of an interaction node that hold for every sequence of requests."""
