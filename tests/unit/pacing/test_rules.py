"""Answers of the engine, alarms, the engine's place, the plan of statistics."""

import msgspec
import numpy as np
import pytest

from paceline.model.configuration import Options, Transaction
from paceline.model.target import PacingTarget
from paceline.pacer import PermitReason
from paceline.servers.pacing.live.agents import AgentPools, AgentStates
from paceline.servers.pacing.live.round_trips import RoundTrips
from paceline.servers.pacing.rules.alarms import ActiveAlarms, AlarmKind
from paceline.servers.pacing.rules.inputs import plan_inputs
from paceline.servers.pacing.rules.integration import join_url, read_integration
from paceline.servers.pacing.rules.reasons import TEXTS
from paceline.servers.pacing.rules.response import InvalidAnswer, read_answer
from paceline.wire.operations.statistic import AgentTargetState, MediaCapacity, StatisticChanges
from tests.fakes.configuration import SnapshotBuilder

CHAT = PacingTarget("Chat - chat", "Chat", "chat", ("A", "B"), queues=("Chat", "Other"))
SPANISH = PacingTarget("Spanish - chat", "Spanish", "chat", ("B",), queues=("Spanish",))
MAIL = PacingTarget("Mail - email", "Mail", "email", ("A",), queues=("Mail",))


@pytest.mark.parametrize(
    "targets",
    [
        [],
        [{"id": "a", "pending": 1}, {"id": "a", "pending": 1}],
        [{"id": "b", "pending": 1}],
        [{"id": "a", "pending": -1}],
        [{"id": "a", "pending": 1.5}],
        [{"id": "a", "pending": 1, "sent": -2}],
        [{"id": "a"}],
    ],
)
def test_an_answer_that_breaks_the_contract_is_refused(targets: list[dict[str, object]]) -> None:
    """Missing, repeated or unknown ids and negative or fractional counts are no answer."""
    body = msgspec.json.encode({"sequence": 7, "targets": targets})
    with pytest.raises(InvalidAnswer):
        read_answer(body, sequence=7, names=["a"])


def test_a_sound_answer_is_taken_and_a_wrong_sequence_is_not() -> None:
    """Unknown fields are ignored, the sequence must be the report's."""
    body = b'{"sequence": 7, "later": 1, "targets": [{"id": "a", "pending": 2, "new": true}]}'
    assert read_answer(body, sequence=7, names=["a"])["a"].pending == 2
    with pytest.raises(InvalidAnswer, match="sequence 7"):
        read_answer(body, sequence=8, names=["a"])
    with pytest.raises(InvalidAnswer):
        read_answer(b"not json", sequence=7, names=["a"])


def test_an_alarm_is_told_once_and_cancelled_once() -> None:
    """Detect once per subject, cancel once when it heals, also after a restart."""
    alarms = ActiveAlarms()
    kind = AlarmKind.TARGET_ERROR
    assert [t.number for t in alarms.observe(kind, {"a": "x", "b": "y"})] == [100605, 100605]
    assert alarms.observe(kind, {"a": "x again", "b": "y"}) == []
    assert [(t.number, t.subject) for t in alarms.observe(kind, {"b": "y"})] == [(100606, "a")]
    again = ActiveAlarms(alarms.texts())
    assert [(t.number, t.subject) for t in again.observe(kind, {})] == [(100606, "b")]
    assert again.texts() == {}


@pytest.mark.parametrize("base", ["https://x/api", "https://x/api/"])
@pytest.mark.parametrize("path", ["v2/pacing", "/v2/pacing"])
def test_base_and_path_join_with_one_slash(base: str, path: str) -> None:
    """However they are written."""
    assert join_url(base, path) == "https://x/api/v2/pacing"


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("general", "base_auth_url", ""),
        ("general", "base_service_url", "engine"),
        ("ewt", "client_id", ""),
        ("ewt", "password", ""),
    ],
)
def test_each_missing_or_wrong_value_of_the_integration_is_named(
    section: str, key: str, value: str
) -> None:
    """The finding names section and key; the secret never shows."""
    options: Options = {
        "general": {"base_auth_url": "https://a/t", "base_service_url": "https://a/api/"},
        "ewt": {"client_id": "me", "password": "hidden"},
    }
    builder = SnapshotBuilder()
    builder.add("transactions", "hybrid_integration", Transaction(options=options))
    found, none = read_integration(builder.build(), tenant=1, endpoint="p", application="C")
    assert found is not None and none == ()
    assert "hidden" not in repr(found)
    options[section][key] = value
    missing, findings = read_integration(builder.build(), tenant=1, endpoint="p", application="C")
    assert missing is None
    assert [finding.field for finding in findings] == [f"{section}.{key}"]


def test_without_the_transaction_or_the_endpoint_the_finding_says_so() -> None:
    """Both are named as what they are."""
    _, findings = read_integration(
        SnapshotBuilder().build(), tenant=1, endpoint="", application="C"
    )
    assert "hybrid_integration" in findings[0].object


def test_the_plan_opens_what_the_reference_table_says() -> None:
    """Own queue with the proactive filter, competing queues without, groups united, each once."""
    plan = plan_inputs([CHAT, MAIL], tenant=1)
    values = np.arange(1.0, len(plan.wanted) + 1)
    opened = {
        (s.object, s.stat_type or (s.definition.main_mask if s.definition else "")): value
        for s, value in zip(plan.wanted, values, strict=True)
    }
    sums = plan.add_up(values)
    own = ("PACS_VQ_Accepted", "PACS_VQ_Abandoned", "PACS_VQ_Current")
    entered = sum(opened["Chat", name] for name in own)
    entered += opened["Chat", "CallCleared,CallDistributedToQueue"]
    assert sums["accepted"][0] == entered
    assert sums["waiting"][0] == opened["Chat", "CallWait"] + opened["Other", "CallWait"]
    assert sums["served"][0] == opened["A,B", "CallReleased,ACWCompleted"]
    assert sums["reactive_arrived"][1] == opened["Mail", "CallEntered"]
    assert [group.object for group in plan.groups] == ["A", "B"]


def test_an_unknown_statistic_leaves_only_its_own_targets_unknown() -> None:
    """NaN reaches the targets that need it and no other."""
    plan = plan_inputs([CHAT, MAIL], tenant=1)
    values = np.ones(len(plan.wanted))
    place = next(i for i, s in enumerate(plan.wanted) if s.object == "Other")
    values[place] = np.nan
    assert plan.users[place] == {0}
    known = [~np.isnan(column) for column in plan.add_up(values).values()]
    assert not all(column[0] for column in known)
    assert all(column[1] for column in known)


def state(agent: str, **media: MediaCapacity) -> AgentTargetState:
    """One agent's state."""
    return AgentTargetState(agent=agent, media=media)


def slots(current: int, maximum: int, *, ready: bool = True) -> MediaCapacity:
    """Slots of a medium."""
    is_free = ready and current < maximum
    return MediaCapacity(current=current, maximum=maximum, ready=ready, routable=is_free)


def notice(*changed: AgentTargetState, removed: tuple[str, ...] = ()) -> StatisticChanges:
    """A notice of a group."""
    return StatisticChanges(id=1, changed=changed, removed=removed, position="p")


def test_an_agent_in_two_groups_of_a_target_counts_once_and_shared_ones_form_a_pool() -> None:
    """Pools are agents with the same targets; media are apart; not-ready agents hold nothing."""
    states = AgentStates()
    pools = AgentPools([CHAT, SPANISH, MAIL])
    ann, bob = state("ann", chat=slots(1, 3), email=slots(0, 1)), state("bob", chat=slots(3, 3))
    cid = state("cid", chat=slots(1, 3, ready=False))
    states.take("A", notice(ann))
    states.take("B", notice(ann, bob, cid))
    ready, busy = pools.measure(states)
    reach = pools.reach
    assert list(reach @ ready) == [2.0, 2.0, 1.0]
    assert list(reach @ busy) == [4.0, 4.0, 0.0]
    assert sorted(reach.sum(axis=0).tolist()) == [1.0, 2.0]
    states.take("B", notice(removed=("ann", "bob")))
    ready, _ = pools.measure(states)
    assert list(pools.reach @ ready) == [2.0, 0.0, 1.0]
    states.forget_group("A")
    assert len(states) == 1


def test_round_trips_near_the_limit_warn_once_until_they_heal() -> None:
    """The median of twenty is judged; one slow report is none."""
    trips = RoundTrips()

    def add(seconds: float) -> bool:
        return trips.add(seconds, limit_s=1.0, share=0.7, sent_bytes=1000, targets=3)

    assert [add(0.9) for _ in range(20)] == [False] * 19 + [True]
    assert not add(0.9)
    assert "3 targets" in trips.warning
    for _ in range(20):
        add(0.1)
    assert trips.warning == ""


def test_every_reason_has_words() -> None:
    """Nobody is left with a number."""
    assert set(TEXTS) == set(PermitReason)
