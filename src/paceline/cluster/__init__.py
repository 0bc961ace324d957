"""Who is in charge: leases with epochs and their trust rules.

A holder trusts itself for a shorter time than the store honours its lease, by its own monotonic
clock; a store refuses older epochs. Used by servers that write.
"""
