"""Interaction Server: interactions, views, agent sessions, and the event log inside.

A request: wire > requests > rules (which state, which queue, which events) > live (the committer)
> store and event_log in one transaction with other requests > answer > notices.
"""
