"""How servers and clients talk: operations declared once, frames, tokens, admission, links, subscriptions."""
