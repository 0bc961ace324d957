"""The console on a virtual clock, over memory links to a made-up site."""
