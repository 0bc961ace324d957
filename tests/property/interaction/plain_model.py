"""Interactions as a few plain fields: what test_machine.py compares a node with after every operation."""

from dataclasses import dataclass, field

BACK = "__BACK__"
AGENTS = ("agent1", "agent2", "agent3")


@dataclass
class Asked:
    """An agent whose joining is asked for."""

    role: str
    target: str
    ticket: int


@dataclass
class Item:
    """One interaction. `place` orders it in its queue, `bin` is the owner of its workbin."""

    key: str
    priority: int
    received: str
    submitted: int
    place: int
    queue: str
    state: str = "queued"
    owner: str | None = None
    parties: list[str] = field(default_factory=list)
    asked: Asked | None = None
    ringing: tuple[str, int] | None = None
    has_router: bool = False
    is_held: bool = False
    locked: str | None = None
    bin: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a view shows it."""
        return self.state == "queued" and not (self.is_held or self.locked or self.bin)

    @property
    def handlers(self) -> list[str]:
        """The agents who handle it."""
        return [self.owner, *self.parties] if self.state == "handling" and self.owner else []

    @property
    def order(self) -> tuple[int, str, int]:
        """The default order of views."""
        return (-self.priority, self.received, self.place)

    def rest(self) -> None:
        """Nobody has it: it waits where it is."""
        self.state, self.owner, self.parties = "queued", None, []
        self.asked = self.ringing = None
        self.has_router = False

    def shown(self) -> tuple[object, ...]:
        """What a client sees of it."""
        agent = self.ringing[0] if self.ringing else self.owner
        queue = "Drafts/PrivateQueue" if self.bin else self.queue
        return (
            self.state,
            agent,
            tuple(self.parties),
            self.is_held,
            self.locked is not None,
            queue,
        )


class Model:
    """All interactions, and what may be asked of them."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._tick = 0

    def tick(self) -> int:
        """Grows with each submission and each new place in a queue."""
        self._tick += 1
        return self._tick

    def waiting(self, queue: str) -> list[Item]:
        """What a view over the queue shows, in its order."""
        found = [item for item in self.items.values() if item.is_waiting and item.queue == queue]
        return sorted(found, key=lambda item: item.order)

    def is_rung(self, agent: str) -> bool:
        """Whether an invitation rings at the agent."""
        return any(
            (item.ringing is not None and item.ringing[0] == agent)
            or (
                item.asked is not None
                and item.asked.role != "intrude"
                and item.asked.target == agent
            )
            for item in self.items.values()
        )

    def hand_over(self, item: Item, heir: str) -> None:
        """A party becomes the owner."""
        item.parties.remove(heir)
        item.owner, item.asked = heir, None

    def give_up(self, agent: str) -> None:
        """The agent has logged out."""
        for item in self.items.values():
            if item.asked is not None and item.asked.target == agent:
                item.asked = None
            if agent in item.parties:
                item.parties.remove(agent)
            elif item.owner == agent and item.parties:
                self.hand_over(item, item.parties[0])
            elif item.owner == agent or (item.ringing is not None and item.ringing[0] == agent):
                item.rest()
