"""Schema of the engagement engine, one file per version; run by storage.migrate."""
