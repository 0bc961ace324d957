"""Pure decisions: which statistics a target needs, what an answer must hold, reasons in words."""
