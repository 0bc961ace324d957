"""Outbound: engagement engine, its access tokens, Stat Server, Message Server."""
