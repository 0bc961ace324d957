"""Configuration Server: objects, change notices, history; logins and tokens; status of applications.

A request: wire > requests > rules (bodies, references, plan of all changes) > live (one commit at
a time) > store (objects, history record and credentials in one transaction) > the change streams >
every server gets a new immutable snapshot.

The database is the truth; everything is also in memory for reads. Passwords and application
secrets are hashed into a table of their own and leave no other trace. Secret options and
passwords of access points are encrypted at rest and shown to principals of access group `server`
only; everyone else sees `***`, and whoever sends `***` back keeps what was there.
"""
