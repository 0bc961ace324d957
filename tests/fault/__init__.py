"""Real processes killed and stopped at random moments; what was acknowledged is checked against what is there."""
