"""The command line as people use it: processes, exit statuses, what is printed."""
