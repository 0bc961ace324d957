"""Quantities with their unit in the name. Pure; imported everywhere, imports nothing of ours."""

from typing import NewType

Millis = NewType("Millis", int)
"""An instant: milliseconds since 1970-01-01 UTC."""

Seconds = NewType("Seconds", float)
"""A duration in seconds."""

Percent = NewType("Percent", float)
"""A share times 100."""

DEFAULT_TENANT = 1
"""The tenant of a single-tenant site (INTERFACES: conventions)."""
