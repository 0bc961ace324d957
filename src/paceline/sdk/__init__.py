"""The public door for programs that talk to Paceline: async, typed clients, one per kind of server.

    connection = Connection(lambda: open_socket_link(url), times=real_times(), client="my-bot",
                            client_kind="media_server", token=password_token(url, user, password))
    connection.start()
    server = InteractionServerClient(connection)
    submitted = await server.interaction.submit(media_type="chat", queue="Chats")

Light to import: no server, database or web framework is loaded.
"""

from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times, real_times
from paceline.sdk.configuration import ConfigurationServerClient
from paceline.sdk.configuration_follower import ConfigurationFollower, ConfigurationSource
from paceline.sdk.connection import Connection, Subscription, no_token
from paceline.sdk.engagement import EngagementEngineClient
from paceline.sdk.interaction import InteractionServerClient
from paceline.sdk.message import MessageServerClient
from paceline.sdk.pacing import PacingServerClient
from paceline.sdk.router import RouterClient
from paceline.sdk.stat import StatServerClient
from paceline.wire.client.websocket import open_socket_link

__all__ = [
    "ConfigurationFollower",
    "ConfigurationServerClient",
    "ConfigurationSource",
    "Connection",
    "EngagementEngineClient",
    "InteractionServerClient",
    "MessageServerClient",
    "PacelineError",
    "PacingServerClient",
    "RouterClient",
    "StatServerClient",
    "Subscription",
    "Times",
    "no_token",
    "open_socket_link",
    "real_times",
]
