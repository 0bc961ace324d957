"""What the Stat Server holds in memory: open interactions, agents, statistics, subscriptions."""
