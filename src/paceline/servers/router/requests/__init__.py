"""Requests the Router answers: its lists."""
