"""A whole Interaction Server under requests nobody planned: no fault of the server, no harm to others."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis
from paceline.wire.frames import MAX_FRAME_BYTES, MAX_MESSAGES, PROTOCOL, encode
from paceline.wire.link import Link
from paceline.wire.operations.catalogue import OPERATIONS_OF
from tests.fakes.site import Node, running_node
from tests.property.wire.request_bodies import bodies

START = Millis(1_769_846_400_000)
OPERATIONS = {
    name: operation
    for name, operation in OPERATIONS_OF["interaction"].items()
    if not name.startswith(("server.", "session."))
}
KNOWN = {
    "queue": ["Chats", "E-mails"],
    "view": ["Chats view", "E-mails view"],
    "agent": ["agent1", "agent2"],
    "place": ["place1", "place2"],
    "media_type": ["chat", "email"],
    "media": ["chat", "email"],
    "virtual_queue": ["Chat"],
    "interaction_id": ["one", "two"],
    "interaction_ids": ["one", "two"],
    "after": ["1.1", "1.2"],
    "position": ["1.1", "1.2"],
    "key": ["a", "b"],
}
REQUESTS = st.sampled_from(sorted(OPERATIONS)).flatmap(
    lambda name: st.tuples(st.just(name), bodies(OPERATIONS[name], KNOWN))
)
KINDS = ("agent", "media_server", "router", "reporting", "operator", "proxy")


async def session_of(node: Node, kind: str) -> Link:
    """A link whose hello was taken."""
    link = await node.served.link()
    hello = {"protocol": PROTOCOL, "token": "any", "client": kind, "client_kind": kind}
    await link.send(encode([{"ref": 1, "op": "session.hello", "body": hello}]))
    assert "result" in json.loads(await link.receive() or b"[]")[0]
    return link


async def replies_of(link: Link, refs: set[int]) -> list[dict[str, Any]]:
    """Replies until every ref is answered; stops at the link's end."""
    found: list[dict[str, Any]] = []
    while refs and (frame := await link.receive()) is not None:
        found += json.loads(frame)
        refs = refs - {reply.get("ref", 0) for reply in found}
    return found


async def seed(node: Node) -> None:
    """Two interactions with known ids, and an agent at work."""
    media = await node.client("chat")
    for key in ("one", "two"):
        await media.interaction.submit(media_type="chat", queue="Chats", interaction_id=key)
    desk = await node.client("desk", "agent")
    await desk.agent.login(agent="agent1", place="place1", media=("chat",), ready=True)


async def is_served(node: Node) -> bool:
    """Whether a newcomer is served as ever."""
    other = await node.client("other")
    answer = await other.interaction.submit(media_type="chat", queue="Chats")
    return answer.state == "queued"


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.sampled_from(KINDS), st.lists(REQUESTS, min_size=1, max_size=12))
def test_no_request_is_a_fault_of_the_server(kind: str, requests: list[tuple[str, Any]]) -> None:
    """Each is answered or refused by name, never with internal_error; the next client is served."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            await seed(node)
            link = await session_of(node, kind)
            messages = [
                {"ref": ref, "op": op, "body": body, "timeout_s": 1.0}
                for ref, (op, body) in enumerate(requests, 10)
            ]
            for message in messages:
                await link.send(encode([message]))
            for reply in await replies_of(link, {m["ref"] for m in messages}):  # type: ignore[misc]  # refs are ints
                error = reply.get("error", {})
                assert error.get("name") != "internal_error", (error, requests)
            assert await is_served(node)

    run_virtual(scenario())


@pytest.mark.parametrize(
    "frame",
    [
        b"[" + b" " * MAX_FRAME_BYTES + b"]",
        b"[" * 100_000,
        b"[" + b",".join([b'{"ref":1}'] * (MAX_MESSAGES + 1)) + b"]",
        b'[{"ref":1,"op":"interaction.submit","body":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}]",
        b'[{"ref":1e400}]',
        b'[{"ref":99999999999999999999999}]',
        b"\xff\xfe",
        b"",
        b"null",
        b'{"ref":1}',
    ],
    ids=["large", "deep", "many", "deep body", "infinite", "huge ref", "no UTF-8", "empty", "null", "bare"],
)  # fmt: skip
def test_a_frame_beyond_a_limit_is_refused_and_others_go_on(frame: bytes) -> None:
    """The one who sent it is told or cut off; a session beside it and a new one are served."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            beside = await session_of(node, "media_server")
            link = await session_of(node, "operator")
            await link.send(frame)
            replies = await replies_of(link, {-1})
            assert all("error" in reply for reply in replies)
            assert all(r["error"]["name"] != "internal_error" for r in replies)
            body = {"media_type": "chat", "queue": "Chats"}
            await beside.send(encode([{"ref": 5, "op": "interaction.submit", "body": body}]))
            assert "result" in (await replies_of(beside, {5}))[-1]
            assert await is_served(node)

    run_virtual(scenario())


def test_user_data_too_deep_or_too_large_are_refused_by_name() -> None:
    """Depth 33, one byte above 1 MiB: invalid_attribute names user_data, the session goes on."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            link = await session_of(node, "media_server")
            deep = b'{"a":' + b"[" * 32 + b"]" * 32 + b"}"
            large = b'{"a":"' + b"x" * (1024 * 1024) + b'"}'
            for ref, data in enumerate((deep, large), 10):
                head = b'[{"ref":%d,"op":"interaction.submit","body":{"media_type":"chat",' % ref
                await link.send(head + b'"queue":"Chats","user_data":' + data + b"}}]")
                [reply] = await replies_of(link, {ref})
                assert reply["error"]["field"] == "user_data"
            body = {"media_type": "chat", "queue": "Chats"}
            await link.send(encode([{"ref": 5, "op": "interaction.submit", "body": body}]))
            assert "result" in (await replies_of(link, {5}))[-1]

    run_virtual(scenario())
