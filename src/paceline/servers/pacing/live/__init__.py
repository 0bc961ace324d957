"""What the pacing server holds in memory: targets, agents, the decision, the last cycles."""
