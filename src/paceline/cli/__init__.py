"""The command line: one file per command, collected in `app`."""
