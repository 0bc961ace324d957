"""Pure rules of the engagement engine."""
