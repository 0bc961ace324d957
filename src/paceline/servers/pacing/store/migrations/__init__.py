"""Schema of the pacing server, one file per version; run by storage.migrate."""
