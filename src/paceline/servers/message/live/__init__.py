"""What the Message Server keeps in memory: active alarms, and the writer that joins requests."""
