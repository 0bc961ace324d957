"""The parts of assembly that decide something by themselves."""
