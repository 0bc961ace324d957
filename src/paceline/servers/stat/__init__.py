"""Stat Server: statistics over agents, groups and virtual queues, fed by the reporting streams.

An event: tasks/follow_events (streams by position) > live/centre (open interactions and agents)
> live/statistics (counts by rules: actions, masks, filters) > live/subscriptions (changes).
Everything an answer shows was taken up to one position, because events are taken without waiting.
tasks/save_checkpoints writes positions, totals and what is open in one transaction, so that a
restart replays from there and every total continues exactly.
"""
