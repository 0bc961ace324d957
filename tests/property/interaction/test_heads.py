"""The bounded heads of views against a plain model that looks at everything."""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paceline.expressions.properties import property_named
from paceline.expressions.view_parse import parse_condition, parse_order
from paceline.model.interaction import Row
from paceline.servers.interaction.live.segmented_head import SegmentedHead
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.live.view_limits import ViewLimits
from paceline.servers.interaction.rules.order_key import order_key
from paceline.servers.interaction.rules.selection import HeadRead, Selection
from paceline.servers.interaction.rules.view_selection import selects

QUEUED, ROUTING, HANDLING = 0, 2, 3
NOW = 1_000_000_000_000
SIZE = 4
ORDERS = (
    "",
    "Priority",
    "ExternalId DESC",
    "ExternalId NULLS FIRST, Priority DESC",
    "ScheduledAt DESC NULLS FIRST, ExternalId",
)


class _World:
    """One queue: the rows as the database has them, and the head that is told of each change."""

    def __init__(self, seed: int, order: str, segment_limit: int, most: int) -> None:
        self.dice = random.Random(seed)
        segment = property_named("interaction_subtype") if segment_limit else None
        self.selection = Selection(
            tenant_id=1,
            queue_id=1,
            condition=parse_condition("Priority < 4"),
            terms=parse_order(order),
            segment=segment,
        )
        self.test = selects(self.selection)
        self.key = order_key(self.selection.terms)
        self.segment_limit = segment_limit or 1 << 40
        self.most = most or 1 << 40
        kind = SegmentedHead if segment_limit else ViewHead
        self.head = kind(
            view_id=9,
            selection=self.selection,
            test=self.test,
            size=SIZE,
            limits=ViewLimits(most, segment_limit),
        )
        self.rows: dict[str, Row] = {}

    def submit(self) -> None:
        number = len(self.rows) + 1
        row = self.changed(_row(f"i{number:05}", number))
        self.rows[row.interaction_id] = row
        self.head.offer(row, NOW)

    def changed(self, row: Row) -> Row:
        pick = self.dice.choice
        return msgspec.structs.replace(
            row,
            priority=pick((0, 1, 2, 5)),
            external_id=pick((None, "a", "b", "é", "")),
            scheduled_at=pick((None, 1, 2)),
            received_at=pick((1, 2, 3)),
            interaction_subtype=pick("ABC"),
        )

    def put(self, new: Row) -> None:
        old = self.rows[new.interaction_id]
        self.rows[new.interaction_id] = new
        if old.state == QUEUED:
            self.head.remove(old)
        if new.state == QUEUED:
            self.head.offer(new, NOW)
        if old.state == ROUTING:
            self.head.count(old, -1)
        if new.state == ROUTING:
            self.head.count(new, 1)

    def change(self) -> None:
        if self.rows:
            self.put(self.changed(self.dice.choice(list(self.rows.values()))))

    def leave(self) -> None:
        held = [row for row in self.rows.values() if row.state == ROUTING]
        if held:
            state = self.dice.choice((QUEUED, HANDLING))
            self.put(msgspec.structs.replace(self.dice.choice(held), state=state))

    def fail(self) -> None:
        self.head.clear_counts()
        for row in self.rows.values():
            if row.state == ROUTING:
                self.head.count(row, 1)

    def pull(self) -> None:
        count = self.dice.choice((1, 1, 2, 9))
        self.head.begin(NOW)
        reads = 0
        while (read := self.head.next_read(count)) is not None:
            self.head.fill(read, self.stored(read))
            reads += 1
            assert reads < 64
        found = self.head.first(count)
        assert found == self.expected(count)
        self.head.take(len(found))
        for key in found:
            self.put(msgspec.structs.replace(self.rows[key], state=ROUTING))
        assert len(self.head) <= 2 * max(SIZE, 9) + 16

    def waiting(self) -> list[Row]:
        rows = self.rows.values()
        return sorted((r for r in rows if r.state == QUEUED and self.test(r, NOW)), key=self.key)

    def stored(self, read: HeadRead) -> list[Row]:
        found = [
            row
            for row in self.waiting()
            if (read.after is None or self.key(row) > read.after)
            and (read.only is None or row.interaction_subtype == read.only[0])
            and row.interaction_subtype not in read.without
        ]
        return found[: read.limit]

    def expected(self, count: int) -> list[str]:
        held = [row for row in self.rows.values() if row.state == ROUTING]
        by_segment = Counter(row.interaction_subtype for row in held)
        given: list[str] = []
        for row in self.waiting():
            if len(given) == count or len(held) + len(given) >= self.most:
                break
            if by_segment[row.interaction_subtype] < self.segment_limit:
                by_segment[row.interaction_subtype] += 1
                given.append(row.interaction_id)
        return given


def _row(interaction_id: str, number: int) -> Row:
    return Row(
        tenant_id=1, interaction_id=interaction_id, state=QUEUED, media_type="chat",
        interaction_type="Inbound", interaction_subtype="A", queue_id=1, priority=0,
        submit_seq=number, queue_seq=number, received_at=1, submitted_at=1, queued_at=1,
        assigned_at=None, delivered_at=None, abandoned_at=None, scheduled_at=None, is_online=False,
        is_locked=False, is_held=False, agent_id=None, place_id=None, router_session=None, ticket=0,
        ticket_until=None, virtual_queue_id=None, virtual_queue_at=None, external_id=None,
        parent_id=None, submitted_by="test", version=1, properties_version=1, view_id=9,
    )  # fmt: skip


@pytest.mark.parametrize(("segment_limit", "most"), [(0, 0), (0, 3), (1, 0), (2, 0), (2, 3)])
@given(seed=st.integers(0, 2**32), order=st.sampled_from(ORDERS))
def test_a_head_gives_what_looking_at_everything_gives(
    segment_limit: int, most: int, seed: int, order: str
) -> None:
    """After any changes the best interactions come out, in exact order, within the limits."""
    world = _World(seed, order, segment_limit, most)
    acts = (world.submit, world.submit, world.submit, world.change, world.leave, world.pull)
    for _ in range(120):
        world.dice.choice(acts)()
        if world.dice.random() < 0.01:
            world.fail()


def test_very_many_full_segments_that_give_again_are_read_together() -> None:
    """A thousand segments that were left out and are free again cost a few reads, not one each."""
    world = _World(1, "", 1, 0)
    segments = [f"s{number}" for number in range(1000)]
    for number, segment in enumerate(segments, 1):
        held = msgspec.structs.replace(
            _row(f"h{number:05}", number), interaction_subtype=segment, state=ROUTING
        )
        waits = msgspec.structs.replace(
            _row(f"w{number:05}", 5000 + number), interaction_subtype=segment
        )
        world.rows |= {held.interaction_id: held, waits.interaction_id: waits}
    world.fail()
    world.pull()
    for row in [row for row in world.rows.values() if row.state == ROUTING]:
        world.put(msgspec.structs.replace(row, state=HANDLING))
    world.pull()
