"""The pacing server on the virtual loop, between fakes of the Stat Server and the engine."""
