"""Operations of the pacing server, answered from the picture of the last cycle."""
