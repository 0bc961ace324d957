"""Parts of the wire by themselves: user data, tokens, schemas, frames."""
