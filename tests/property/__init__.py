"""Laws and state machines, checked by hypothesis on examples it makes up."""
