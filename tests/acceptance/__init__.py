"""Sentences of the source documents as scenarios."""
