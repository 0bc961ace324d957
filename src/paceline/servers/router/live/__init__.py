"""What the Router knows from moment to moment: agents, waiting interactions, problems."""
