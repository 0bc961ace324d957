"""Tests of the simulated operating system, network and databases, and of a whole site on them."""
