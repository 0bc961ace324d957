"""What the Configuration Server keeps in memory: the site, change streams, identities, statuses."""
