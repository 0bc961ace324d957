"""Components of the Configuration Server on the virtual clock, over memory links."""
