"""Pure decisions of the Router: which virtual queue and groups, and what is wrong with a strategy."""
