"""One interaction node on the virtual clock, over memory links."""
