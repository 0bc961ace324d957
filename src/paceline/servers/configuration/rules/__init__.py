"""Pure decisions of the Configuration Server: names, bodies, references, plans, effective options."""
