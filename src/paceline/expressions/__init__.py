"""Lark grammars to small trees to Python predicates with three-valued logic.

View conditions and orders, skill expressions, statistic filters and masks. Called by servers, by
`checks` and by `storage.conditions`, which turns the same trees into SQL. Pure: evaluates only.
"""
