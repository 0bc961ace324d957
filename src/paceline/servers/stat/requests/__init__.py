"""Operations of the Stat Server, one module per family."""
