"""The router's rules and live parts by themselves."""
