"""One server on the virtual clock, reached through a memory link."""
