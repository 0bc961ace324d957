"""What an interaction node keeps in memory: heads of views, recent rows, agents, and the committer."""
