"""SQL of the Configuration Server and the cipher of what is encrypted at rest."""
