"""Pure decisions: what a report must hold, user data of an accepted invitation."""
