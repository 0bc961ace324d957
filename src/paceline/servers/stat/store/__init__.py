"""The Stat Server's tables: the checkpoint of positions, totals and what is open."""
