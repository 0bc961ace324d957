"""Interaction Server: interactions, views, agent sessions, and the event log inside.

A request: wire > requests > its turn in the lane: live/transitions (which state, which queue, which
events) > live/committer > store and event_log in one transaction with others > answer > notices.
"""
