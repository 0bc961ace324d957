"""What the Message Server does by itself: clearance timeouts and retention."""
