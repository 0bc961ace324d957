"""Pure decision of the Message Server: which alarm a message raises or clears."""
