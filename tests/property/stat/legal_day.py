"""Random legal days of a contact centre: events as an interaction server may write them, in order."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from paceline.model import events as names
from tests.unit.stat.story import PROACTIVE, Story

QUEUES = ("VQ1", "VQ2")
AGENTS = ("a1", "a2", "a3")
STEPS = ("submit", "enter", "invite", "refuse", "accept", "finish", "requeue", "abandon", "clear")
SESSIONS = ("log_in", "log_out", "ready", "not_ready")

Step = tuple[str, int, int]
"""What to try, on which interaction, with which agent or queue; impossible steps do nothing."""

steps: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(st.sampled_from(STEPS + SESSIONS), st.integers(0, 4), st.integers(0, 2)),
    max_size=60,
)


@dataclass
class _One:
    """An interaction as the writer of the events knows it."""

    name: str
    is_proactive: bool
    queue: str | None = None
    ringing: str | None = None
    agent: str | None = None


@dataclass
class LegalDay:
    """Writes the events of steps; a step that the state forbids writes none."""

    story: Story = field(default_factory=Story)
    open: dict[int, _One] = field(default_factory=dict)
    made: int = 0

    def tell(self, wanted: list[Step]) -> Story:
        """The story of all steps."""
        for what, slot, choice in wanted:
            if what in SESSIONS:
                self._session(what, AGENTS[choice])
            elif what == "submit":
                self._submit(slot, choice)
            elif slot in self.open:
                getattr(self, f"_{what}")(slot, self.open[slot], choice)
        return self.story

    def _session(self, what: str, agent: str) -> None:
        match what:
            case "log_in":
                self.story.log_in(agent, "chat")
            case "log_out":
                self.story.event(names.AGENT_LOGOUT, agent=agent)
            case "ready":
                self.story.event(names.READY_FOR_MEDIA, agent=agent, media_type="chat")
            case "not_ready":
                self.story.event(names.NOT_READY_FOR_MEDIA, agent=agent, media_type="chat")

    def _submit(self, slot: int, choice: int) -> None:
        if slot not in self.open:
            self.made += 1
            made = self.open[slot] = _One(f"i{self.made}", choice == 0)
            keys = PROACTIVE if made.is_proactive else {}
            self.story.event(names.INTERACTION_SUBMITTED, made.name, keys=keys)

    def _enter(self, slot: int, one: _One, choice: int) -> None:
        queue = QUEUES[choice % 2]
        if one.agent is None and one.ringing is None and one.queue != queue:
            if one.queue is not None and choice != 2:
                cleared = names.VIRTUAL_QUEUE_CLEARED
                self.story.leave(one.name, one.queue, cleared, reason="moved")
            one.queue = queue
            self.story.enter(one.name, queue, keys=PROACTIVE if one.is_proactive else {})

    def _invite(self, slot: int, one: _One, choice: int) -> None:
        if one.agent is None and one.ringing is None:
            one.ringing = AGENTS[choice]
            self.story.invite(one.name, one.ringing)

    def _refuse(self, slot: int, one: _One, choice: int) -> None:
        if one.ringing is not None:
            name = names.REJECTED if choice else names.REVOKED
            self.story.event(name, one.name, agent=one.ringing)
            one.ringing = None

    def _accept(self, slot: int, one: _One, choice: int) -> None:
        if one.ringing is not None:
            self.story.accept(one.name, one.ringing, one.queue)
            one.agent, one.ringing, one.queue = one.ringing, None, None

    def _finish(self, slot: int, one: _One, choice: int) -> None:
        if one.agent is not None:
            self.story.release(one.name, one.agent)
            self._end(slot, one)

    def _requeue(self, slot: int, one: _One, choice: int) -> None:
        if one.agent is not None:
            self.story.event(names.REVOKED, one.name, agent=one.agent, reason="agent lost")
            self.story.release(one.name, one.agent)
            self.story.event(names.PLACED_IN_QUEUE, one.name, queue="inbound")
            one.agent = None

    def _abandon(self, slot: int, one: _One, choice: int) -> None:
        if one.agent is None:
            rang = one.ringing
            if rang is not None:
                self.story.event(names.REVOKED, one.name, agent=rang)
            if one.queue is not None:
                self.story.leave(
                    one.name, one.queue, names.VIRTUAL_QUEUE_ABANDONED, was_ringing=rang is not None
                )
            self.story.event(names.ABANDONED, one.name, is_handled=False)
            self._end(slot, one)

    def _clear(self, slot: int, one: _One, choice: int) -> None:
        if one.queue is not None and one.ringing is None:
            self.story.leave(one.name, one.queue, names.VIRTUAL_QUEUE_CLEARED)
            one.queue = None
            if choice:
                self._end(slot, one)

    def _end(self, slot: int, one: _One) -> None:
        self.story.stop(one.name)
        del self.open[slot]
