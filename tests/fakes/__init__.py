"""Fakes that stand where a real thing would be too large: they keep the same promises."""
