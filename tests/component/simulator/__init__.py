"""The simulated world around real servers on the virtual clock."""
