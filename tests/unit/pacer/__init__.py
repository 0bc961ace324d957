"""Single cycles of the pacer: reasons, guards, saving, targets that come and go."""
