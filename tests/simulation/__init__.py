"""The whole site on virtual time with seeded faults: it passes, and finds what is planted in it."""
