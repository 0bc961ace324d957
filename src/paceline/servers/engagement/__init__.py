"""Reference engagement engine: token endpoint, pacing endpoint, invitations, visitor page.

Spends a permit atomically per invitation, refuses older epochs, and submits an accepted invitation
as an interaction with the invitation id as client token.
"""
