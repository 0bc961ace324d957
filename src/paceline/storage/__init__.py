"""SQL engines behind one small port: PostgreSQL, SQLite, group commit, migrations, embedded server.

Used by server stores and `cluster.database_lease`. Knows no server and no operation.
"""
