"""The node's tables in SQL: interactions, user data, finished ones, tokens, client-made ids, agents."""
