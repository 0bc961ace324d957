"""Leadership without a database server."""
