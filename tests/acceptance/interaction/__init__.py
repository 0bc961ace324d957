"""The Interaction Server: one test per row of the flow table, per option and per error number."""
