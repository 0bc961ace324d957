"""Pure rules of the Interaction Server."""
