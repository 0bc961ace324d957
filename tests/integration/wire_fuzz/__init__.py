"""Schemathesis against servers that run: what their own description allows must never be a fault of theirs."""
