"""Agents over plain HTTP: the routes of the manual, with the same outcomes as on a session."""

from pathlib import Path

import httpx
import msgspec

from paceline.runtime.log import configure_log
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis
from paceline.wire.server.application import build_application
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
AS_ROUTER = {"paceline-client-kind": "router"}


def http_of(node: Node) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build_application(node.served.surface))  # type: ignore[arg-type]  # Litestar's own ASGI types
    return httpx.AsyncClient(
        transport=transport, base_url="http://node", headers={"authorization": "Bearer any"}
    )


def test_a_day_of_an_agent() -> None:
    """Login, add, ready, a call, reasons, do not disturb, the place, a reservation, an event, logout."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node, http_of(node) as http:

            async def post(
                path: str, headers: dict[str, str] | None = None, **body: object
            ) -> object:
                answer = await http.post(f"/v1/{path}", json=body, headers=headers)
                assert answer.is_success, answer.text
                return answer.json()

            await post("agents/agent1/login", place="place1", media=["chat"])
            await post("agents/agent1/media/email/add")
            await post("agents/agent1/media/chat/ready")
            await post("agents/agent1/media/email/reason", reason="no mail today")
            await post("agents/agent1/media/voice/state", state="busy", calls=1)
            await post("agents/agent1/reason", reason="training")
            await post("agents/agent1/dnd/on", reason="meeting")
            session = (await http.get("/v1/agents")).json()["items"][0]
            assert (session["place"], session["reason"]) == ("place1", "meeting")
            assert [(m["media_type"], m["ready"], m.get("reason")) for m in session["media"]] == [
                ("chat", True, None),
                ("email", False, "no mail today"),
                ("voice", False, "busy"),
            ]
            places = (await http.get("/v1/places", params={"limit": 1})).json()
            assert places["items"][0]["agent"] == "agent1"
            await post("interactions", media_type="chat", queue="Chats")
            await post("views/Chats view/pull", AS_ROUTER, for_strategy=True)
            found = (await http.post("/v1/interactions/find", json={})).json()["interactions"]
            key = found[0]["interaction_id"]
            reserved = await post("agents/agent1/reserve", AS_ROUTER, interaction_id=key)
            assert reserved == {"agent": "agent1", "reserved_until": "2001-09-09T01:46:50.100Z"}
            await post("events", event=5, agent="agent1", payload={"mood": "good"})
            assert await post("topics/agent.agent1/publish", content={"a": 1}) == {"receivers": 0}
            await post("agents/agent1/logout")
            assert (await http.get("/v1/agents")).json()["items"] == []

    run_virtual(scenario())


def test_a_refusal_is_logged_with_its_number(tmp_path: Path) -> None:
    """409 with name, number and field; the documented log number beside the answer's request id."""
    path = tmp_path / "log.jsonl"

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node, http_of(node) as http:
            await http.post("/v1/agents/agent1/login", json={"place": "place1"})
            answer = await http.post("/v1/agents/agent2/login", json={"place": "place1"})
            error = answer.json()["error"]
            assert (answer.status_code, error["name"], error["number"], error["field"]) == (
                409,
                "place_occupied",
                2506,
                "place",
            )
            lines = [msgspec.json.decode(line) for line in path.read_text().splitlines()]
            found = [line["request_id"] for line in lines if line.get("number") == 23004]
            assert found == [answer.headers["x-request-id"]]

    configure_log(verbose="interaction", output=str(path))
    try:
        run_virtual(scenario())
    finally:
        configure_log(verbose="standard", output="stderr")
