"""Pure rules: who may watch, and the rows of agents and events."""
