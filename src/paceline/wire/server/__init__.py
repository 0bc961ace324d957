"""The serving side of the wire: HTTP, WebSocket session, authentication, rights, admission.

The only place that knows the web framework. Handlers are given to it; it knows no server.
"""
