"""Components of the Message Server on the virtual clock, over memory links."""
