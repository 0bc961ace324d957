"""The calling side of the wire: HTTP client and WebSocket session.

Used by `sdk`, never by a server directly.
"""
