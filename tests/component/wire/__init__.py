"""The edge of a server: sessions over memory links, HTTP over ASGI, no socket."""
