"""The servers the console reads, and the figures that need more than one question."""
