"""Names for ids and quantities, so that a signature tells which integer or text it wants."""
