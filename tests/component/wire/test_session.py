"""A session from hello to end: what is answered, refused, kept apart and put in order."""

from typing import Any

import msgspec
import pytest

from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.admission import FAIR_SHARE
from paceline.wire.call import GRACE_S
from paceline.wire.frames import MAX_FRAME_BYTES, MAX_IN_FLIGHT, MAX_MESSAGES
from paceline.wire.operations.event import EventNotice
from paceline.wire.operations.interaction import Revoked
from paceline.wire.server.session import MAX_UNSENT_BYTES
from tests.component.wire.edge import PRINCIPALS, Edge, RawClient, running_edge

SUBMIT = {"media_type": "chat", "queue": "q"}


async def is_served(client: RawClient) -> bool:
    """Whether a request of this client is still answered."""
    return "result" in await client.ask("interaction.submit", SUBMIT, ref=77)


# --- hello ------------------------------------------------------------------------------------------


def test_the_welcome_states_protocol_and_limits() -> None:
    """A client learns what it may send before it sends it."""

    async def run() -> None:
        async with running_edge() as edge:
            welcome = (await edge.connect().hello())["result"]
            assert welcome["protocol"] == "1.0"
            assert welcome["node"] == "edge"
            assert welcome["max_frame_bytes"] == MAX_FRAME_BYTES
            assert welcome["max_in_flight"] == MAX_IN_FLIGHT
            assert welcome["resume"]

    run_virtual(run())


def test_without_a_hello_the_session_ends_after_ten_seconds() -> None:
    """Not earlier; whoever has said it stays."""

    async def run() -> None:
        async with running_edge() as edge:
            silent, known = edge.connect(), await edge.welcome()
            await edge.times.machine.sleep(9.9)
            assert len(edge.surface.sessions) == 1
            assert await silent.next() is None
            assert edge.times.machine.monotonic() == pytest.approx(10.0)
            await edge.times.machine.sleep(60)
            assert await is_served(known)

    run_virtual(run())


@pytest.mark.parametrize(
    ("changes", "name", "field"),
    [
        ({"client_kind": "printer"}, "invalid_attribute", "client_kind"),
        ({"client_kind": "router", "token": "agent"}, "not_allowed", "client_kind"),
        ({"token": "forged"}, "unauthenticated", None),
        ({"protocol": "2.0"}, "unsupported_operation", "protocol"),
        ({"protocol": 7}, "invalid_attribute", "[...].protocol"),
    ],
)
def test_a_hello_that_does_not_fit_is_refused_and_the_session_ends(
    changes: dict[str, Any], name: str, field: str | None
) -> None:
    """The error names the field; nothing after it is served."""

    async def run() -> None:
        async with running_edge() as edge:
            client = edge.connect()
            error = (await client.hello(**changes))["error"]
            assert error["name"] == name
            assert error["outcome"] == "not_done"
            if field is not None:
                assert error["field"] == field.removeprefix("[...].")
            assert await client.next() is None
            assert not edge.surface.sessions

    run_virtual(run())


def test_a_newer_minor_protocol_and_unknown_fields_of_the_hello_are_taken() -> None:
    """A newer client may say more than this server knows."""

    async def run() -> None:
        async with running_edge() as edge:
            answer = await edge.connect().hello(protocol="1.7", shoe_size=43)
            assert "result" in answer

    run_virtual(run())


def test_the_first_message_must_be_the_hello() -> None:
    """Another one is refused; requests behind the hello in the same frame are served."""

    async def run() -> None:
        async with running_edge() as edge:
            client = edge.connect()
            error = (await client.ask("interaction.submit", SUBMIT))["error"]
            assert (error["name"], error["field"]) == ("invalid_attribute", "op")
            eager = edge.connect()
            hello = {"protocol": "1.0", "token": "admin"}
            await eager.send(
                {"ref": 1, "op": "session.hello", "body": hello},
                {"ref": 2, "op": "interaction.submit", "body": SUBMIT},
            )
            assert [(await eager.next() or {})["ref"] for _ in range(2)] == [1, 2]

    run_virtual(run())


# --- requests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "body", "name", "field", "hint"),
    [
        ("interaction.submitt", {}, "unsupported_operation", "op", "interaction.submit"),
        (
            "interaction.submit",
            SUBMIT | {"prioritty": 1},
            "invalid_attribute",
            "prioritty",
            "priority",
        ),
        ("interaction.submit", {"queue": "q"}, "invalid_attribute", "media_type", "missing"),
        ("interaction.submit", SUBMIT | {"priority": "x"}, "invalid_attribute", "priority", "int"),
        (
            "interaction.submit_batch",
            {"interactions": [SUBMIT | {"queu": 1}]},
            "invalid_attribute",
            "queu",
            "queue",
        ),
        ("interaction.deliver", {}, "not_allowed", "client_kind", "router"),
    ],
)
def test_a_request_that_does_not_fit_names_field_and_fix(
    op: str, body: dict[str, Any], name: str, field: str, hint: str
) -> None:
    """The nearest known operation or field is named; the session goes on."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            error = (await client.ask(op, body))["error"]
            assert (error["name"], error["field"]) == (name, field)
            assert hint in error["message"]
            assert await is_served(client)

    run_virtual(run())


def test_rights_are_checked_at_the_edge() -> None:
    """Who may only read is told what is lacking; without groups nothing is allowed."""

    async def run() -> None:
        async with running_edge() as edge:
            for token in ("auditor", "nobody"):
                client = await edge.welcome(token)
                error = (await client.ask("interaction.submit", SUBMIT))["error"]
                assert error["name"] == "not_allowed"
                assert "create interaction" in error["message"]
            assert edge.requests == []

    run_virtual(run())


def test_another_tenant_needs_the_right() -> None:
    """A caller of tenant 1 is refused in tenant 2, one of all tenants is not."""

    async def run() -> None:
        async with running_edge() as edge:
            agent, admin = await edge.welcome("agent"), await edge.welcome("admin")
            error = (await agent.ask("interaction.submit", SUBMIT | {"tenant": 2}))["error"]
            assert (error["name"], error["field"]) == ("not_allowed", "tenant")
            assert "result" in await admin.ask("interaction.submit", SUBMIT | {"tenant": 2})

    run_virtual(run())


def test_answers_come_when_they_are_ready() -> None:
    """A held request does not hold up those behind it."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            place = "interaction.place_in_queue"
            await client.send(
                {"ref": 2, "op": place, "body": {"interaction_id": "slow", "queue": "q"}},
                {"ref": 3, "op": place, "body": {"interaction_id": "fast", "queue": "q"}},
                {"ref": 4, "op": "interaction.submit", "body": SUBMIT},
            )
            edge.gates["fast"].set()
            refs = [(await client.next() or {})["ref"] for _ in range(2)]
            edge.gates["slow"].set()
            refs.append((await client.next() or {})["ref"])
            assert sorted(refs[:2]) == [3, 4]
            assert refs[2] == 2

    run_virtual(run())


@pytest.mark.parametrize("wait_s", [0.0, 0.01])
def test_a_held_request_can_be_cancelled(wait_s: float) -> None:
    """The handler is told if it began, the ref is answered and free again; unknown refs do not matter."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            await client.send({"ref": 2, "op": "view.pull", "body": {"view": "v", "hold_s": 60}})
            if wait_s:
                await edge.times.machine.sleep(wait_s)
            await client.send({"ref": 99, "cancel": True}, {"ref": 2, "cancel": True})
            error = (await client.next() or {})["error"]
            assert (error["name"], error["outcome"]) == ("deadline_exceeded", "not_done")
            assert edge.cancelled == (["v"] if wait_s else [])
            assert "result" in await client.ask("interaction.submit", SUBMIT, ref=2)

    run_virtual(run())


def test_what_goes_on_past_its_deadline_is_given_up() -> None:
    """Its caller is told that the outcome is unknown, soon after the deadline it set."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            place = {"interaction_id": "slow", "queue": "q"}
            await client.send(
                {"ref": 5, "op": "interaction.place_in_queue", "body": place, "timeout_s": 3}
            )
            error = (await client.next() or {})["error"]
            assert edge.times.machine.monotonic() == pytest.approx(3 + GRACE_S)
            assert (error["name"], error["outcome"]) == ("deadline_exceeded", "unknown")

    run_virtual(run())


def test_a_ref_that_is_in_work_cannot_be_used_again() -> None:
    """The second one is refused, the first goes on."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            await client.send({"ref": 2, "op": "view.pull", "body": {"view": "v"}})
            error = (await client.ask("interaction.submit", SUBMIT, ref=2))["error"]
            assert (error["name"], error["field"]) == ("invalid_attribute", "ref")
            assert edge.cancelled == []

    run_virtual(run())


def test_the_end_of_a_session_cancels_what_it_holds() -> None:
    """Nothing is pulled for somebody who is gone."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            await client.send({"ref": 2, "op": "view.pull", "body": {"view": "v"}})
            await client.ask("event.stream", ref=3)
            await client.link.close()
            await edge.times.machine.sleep(0.01)
            assert edge.cancelled == ["v"]
            assert edge.ended == [1]
            assert not edge.surface.sessions

    run_virtual(run())


def test_too_many_requests_in_flight_are_refused_as_overloaded() -> None:
    """Exactly those beyond the limit, not done, with a hint; another session is served."""

    async def run() -> None:
        async with running_edge() as edge:
            client, other = await edge.welcome(), await edge.welcome()
            pulls = [
                {"ref": ref, "op": "view.pull", "body": {"view": "v"}}
                for ref in range(10, 10 + MAX_IN_FLIGHT + 3)
            ]
            await client.send(*pulls)
            for ref in range(10 + MAX_IN_FLIGHT, 10 + MAX_IN_FLIGHT + 3):
                reply = await client.next() or {}
                assert reply["ref"] == ref
                assert reply["error"]["name"] == "overloaded"
                assert reply["error"]["outcome"] == "not_done"
                assert reply["error"]["retry_after_s"] > 0
            assert await is_served(other)

    run_virtual(run())


def test_a_fault_of_the_server_is_told_without_its_inside() -> None:
    """Outcome unknown, the request's id, and no words of the exception; the session goes on."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            reply = await client.ask("interaction.stop", {"interaction_id": "a", "reason": "fault"})
            error = reply["error"]
            assert (error["name"], error["outcome"]) == ("internal_error", "unknown")
            assert error["request_id"] in error["message"]
            assert "ZeroDivision" not in str(reply)
            assert await is_served(client)

    run_virtual(run())


# --- frames -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (b"", "invalid_attribute"),
        (b"[", "invalid_attribute"),
        (b"{}", "invalid_attribute"),
        (b'[{"op":"view.pull"}]', "invalid_attribute"),
        (b'[{"ref":1,"op":"\xff"}]', "invalid_attribute"),
        (b'[{"ref":1,"op":"view.pull","body":{"view":"\xff"}}]', "invalid_attribute"),
        (b'[{"ref":1,"body":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "invalid_attribute"),
        (b"[" + b" " * MAX_FRAME_BYTES + b"]", "frame_too_large"),
        (b"[" + b'{"ref":1},' * MAX_MESSAGES + b'{"ref":1}]', "frame_too_large"),
    ],
)
def test_a_broken_frame_ends_its_session_only(frame: bytes, name: str) -> None:
    """The reason is told before the end; the other session is served as before."""

    async def run() -> None:
        async with running_edge() as edge:
            client, other = await edge.welcome(), await edge.welcome()
            await client.link.send(frame)
            error = (await client.next() or {})["error"]
            assert error["name"] == name
            assert await client.next() is None
            assert await is_served(other)

    run_virtual(run())


# --- notices ----------------------------------------------------------------------------------------


def stream_notice(position: str) -> EventNotice:
    """A notice told apart by its position."""
    return EventNotice(items=(), position=position)


def test_notices_keep_their_order_and_follow_the_answer_that_opens_them() -> None:
    """Also what was told before the opening was answered comes after that answer."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            opened = await client.ask("event.stream")
            assert opened["result"]["subscription"] == 1
            [(peer, number)] = edge.subscribers
            for position in range(100):
                peer.notify("event.stream", stream_notice(str(position)), subscription=number)
            positions = [(await client.next() or {})["body"]["position"] for _ in range(101)]
            assert positions == ["early", *map(str, range(100))]

    run_virtual(run())


def test_a_reader_too_slow_loses_its_subscription_and_is_told() -> None:
    """No silent gap: what came before is whole, then resync_required, then nothing of it."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            await client.ask("event.stream")
            [(peer, number)] = edge.subscribers
            large = msgspec.json.encode(stream_notice("x" * 1_000_000))
            taken = 0
            while peer.notify_encoded("event.stream", large, subscription=number):
                taken += 1
            assert MAX_UNSENT_BYTES - 2_000_000 < taken * len(large) < MAX_UNSENT_BYTES + 2_000_000
            assert edge.ended == [number]
            notices = [await client.next() or {} for _ in range(taken + 2)]
            assert [n["notice"] for n in notices] == ["event.stream"] * (taken + 1) + [
                "resync_required"
            ]
            assert notices[-1]["subscription"] == number
            again = await client.ask("event.stream")
            assert again["result"]["subscription"] == number + 1

    run_virtual(run())


def test_a_notice_without_a_subscription_reaches_the_session() -> None:
    """Notices of an agent or router name no subscription."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome()
            [session] = edge.surface.sessions
            gone = Revoked(interaction_id="a", agent="ana", reason="timeout")
            session.notify("interaction.revoked", gone)
            assert await client.next() == {
                "notice": "interaction.revoked",
                "body": {"interaction_id": "a", "agent": "ana", "reason": "timeout"},
            }

    run_virtual(run())


def test_every_connection_has_its_fair_share() -> None:
    """With very many connections each keeps the share that all may always have."""

    async def run() -> None:
        edge = Edge()
        edge.surface.admission._connection_count = lambda: 10_000
        client = await edge.welcome()
        pulls = [
            {"ref": ref, "op": "view.pull", "body": {"view": "v"}}
            for ref in range(10, 10 + FAIR_SHARE + 1)
        ]
        await client.send(*pulls)
        reply = await client.next() or {}
        assert reply["ref"] == 10 + FAIR_SHARE
        assert reply["error"]["name"] == "overloaded"
        await edge.tasks.aclose()

    run_virtual(run())


def test_an_agent_acts_for_itself_only() -> None:
    """A person who is only an agent may not name another agent; its own name is fine."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome("agent", "agent")
            stop = {"interaction_id": "i"}
            error = (await client.ask("interaction.stop", stop | {"agent": "ben"}))["error"]
            assert (error["name"], error["field"]) == ("not_allowed", "agent")
            assert "result" in await client.ask("interaction.stop", stop | {"agent": "ana"})
            admin = await edge.welcome("admin")
            assert "result" in await admin.ask("interaction.stop", stop | {"agent": "ben"})

    run_virtual(run())


def test_a_session_ends_with_its_token_unless_a_new_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second hello brings a new token of the same principal; one refused later ends the session."""

    async def run() -> None:
        async with running_edge() as edge:
            client = await edge.welcome("admin")
            assert "result" in await client.hello(token="admin")
            assert (await client.hello(token="router"))["error"]["name"] == "not_allowed"
            assert await is_served(client)
            monkeypatch.delitem(PRINCIPALS, "admin")
            await edge.times.machine.sleep(31)
            assert await client.next() is None

    run_virtual(run())
