"""Real processes killed, stopped and cut off; history checked against a model."""
