"""The router on the virtual clock, against small servers reached over memory links."""
