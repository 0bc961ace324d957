"""Contact centres as numbers: event-driven worlds that try out the pacer, thousands of days a minute.

Used by `paceline simulate` and `paceline bench pacing`; needs the extra `sim` (numba, Matplotlib).
A scenario file becomes cells, a cell becomes replications, each replication a target of one pacer.
"""
