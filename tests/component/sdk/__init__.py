"""The sdk over memory links on the virtual clock."""
