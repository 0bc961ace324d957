"""Pure rules, each test well under a quarter of a second."""
