"""Measurements of the running servers against their bounds; called by `paceline bench`."""
