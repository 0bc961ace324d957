"""Unit tests of paceline.runtime and of the option tables it reads."""
