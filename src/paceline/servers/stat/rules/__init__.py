"""Pure decisions of the Stat Server: actions, masks, definitions, membership."""
