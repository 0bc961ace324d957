"""Pure decisions of the Interaction Server: order keys, what an interaction looks like to a client."""
