"""What the Stat Server does by itself: it follows the reporting streams and saves checkpoints."""
