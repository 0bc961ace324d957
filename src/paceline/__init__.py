"""Paceline: contact-centre software that stores, routes, measures and paces digital interactions.

Every folder here is a room; a room imports only rooms below it. ARCHITECTURE.md has the map and
the ways through it, `[tool.importlinter]` in pyproject.toml the rule.
"""
