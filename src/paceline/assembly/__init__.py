"""Builds each server from its configuration, one file per kind; the only place that opens a server.

Called by `cli` and `simulator`. Collects the option tables.
"""
