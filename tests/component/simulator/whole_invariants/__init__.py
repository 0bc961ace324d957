"""The invariants of rehearsals, each shown what it must find: on a real node, or on made-up events."""
