"""Token endpoint, pacing endpoint, invitations, the visitor page."""
