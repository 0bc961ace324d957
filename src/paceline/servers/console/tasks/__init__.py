"""What runs by itself: the reading of every server."""
