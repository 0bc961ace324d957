"""What others rely on: import contracts, golden files of the wire."""
