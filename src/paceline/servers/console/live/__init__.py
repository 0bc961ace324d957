"""What the console knows now: browser sessions, and the board of the last answers."""
