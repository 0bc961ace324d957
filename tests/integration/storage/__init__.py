"""The embedded server and the lane on real processes and connections."""
