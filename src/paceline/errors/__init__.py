"""The one error tree of Paceline: a table of names, numbers and outcomes, and the exception that carries a row."""
