"""The log of reporting events: written with the change itself, read by position, streamed as committed."""
