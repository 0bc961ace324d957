"""What every process needs: the two times, chance, ids, tasks, life cycle, settings, logs, metrics.

The only room that reads a clock, draws a random number, makes an id or starts a task.
"""
