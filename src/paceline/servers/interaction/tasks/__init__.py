"""What an interaction node starts by itself: ends of offers, lost agents, clean-up."""
