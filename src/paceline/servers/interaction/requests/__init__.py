"""Requests of the Interaction Server, a file per family: each makes work for the write lane."""
