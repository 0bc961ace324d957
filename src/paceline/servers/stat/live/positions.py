"""How far each reporting stream and each node is taken, and which sources still lag.

Written by centre.py with every event; read by answers, the checkpoint and the followers.
"""


class Positions:
    """Positions of the streams. An event is taken once, by node and event id, whoever brings it."""

    def __init__(self) -> None:
        self.of_source: dict[str, str] = {}
        self.last_event_id: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.lagging: set[str] = set()
        self.sources: tuple[str, ...] = ()
        self.at = ""

    @property
    def is_live(self) -> bool:
        """Whether every source is connected and nothing older is still to come from it."""
        return bool(self.sources) and not self.lagging

    @property
    def text(self) -> str:
        """The place of all nodes together, for answers and notices."""
        return ",".join(f"{node}:{last}" for node, last in sorted(self.last_event_id.items()))

    @property
    def events(self) -> int:
        """Events taken ever."""
        return sum(self.taken.values())

    def take(self, node: int, event_id: int, at: str) -> bool:
        """Whether the event is new; it is then counted."""
        if event_id <= self.last_event_id.get(node, 0):
            return False
        self.last_event_id[node] = event_id
        self.taken[node] = self.taken.get(node, 0) + 1
        self.at = at
        return True

    def reached(self, source: str, position: str) -> None:
        """Where to read on at a source. It may lie before what is taken, never after it."""
        self.of_source[source] = position
