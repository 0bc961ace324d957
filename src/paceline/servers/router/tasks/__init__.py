"""What the Router does by itself: pulls from views, follows agents, brings the two together."""
