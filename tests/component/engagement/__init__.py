"""The reference engagement engine on the virtual loop."""
