"""A media server that asked for it is told of property changes that others make to what it submitted."""

from typing import Any

import msgspec

from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from tests.acceptance.interaction.cast import Cast, Heard, cast


async def _mail(scene: Cast, **extension: int | str) -> tuple[InteractionServerClient, Heard]:
    connection = await scene.node.served.connect("mail", "media_server", **extension)
    client = InteractionServerClient(connection)
    return client, Heard(client)


async def _submitted(client: InteractionServerClient) -> str:
    answer = await client.interaction.submit(media_type="chat", queue="Chats")
    return answer.interaction_id


async def _changed(client: InteractionServerClient, key: str, **fields: Any) -> None:
    value = msgspec.Raw(b'"two"')
    await client.interaction.change(interaction_id=key, changed={"colour": value}, **fields)


def test_told_of_the_changes_of_others_only() -> None:
    """One notice with the values for a change by an agent; none for its own, or for another's interaction."""

    async def scenario() -> None:
        async with cast() as scene:
            mail, heard = await _mail(scene, event_properties_changed=1)
            own, foreign = await _submitted(mail), await scene.submitted()
            for key in (own, foreign):
                await _changed(scene.desk1, key)
            await _changed(mail, own)
            await scene.settle()
            [(name, notice)] = heard.all
            assert name == "interaction.properties_changed"
            assert (notice.interaction_id, notice.actor) == (own, "agent:desk of agent1")
            assert bytes(notice.changed["colour"]) == b'"two"'

    run_virtual(scenario())


def test_not_told_without_asking() -> None:
    """Neither without the extension nor with the value 0."""

    async def scenario() -> None:
        async with cast() as scene:
            extensions: tuple[dict[str, int | str], ...] = (
                {}, {"event_properties_changed": 0}, {"event_properties_changed": "0"},
            )  # fmt: skip
            for extension in extensions:
                mail, heard = await _mail(scene, **extension)
                await _changed(scene.desk1, await _submitted(mail))
                await scene.settle()
                assert heard.all == []

    run_virtual(scenario())


def test_told_after_a_reconnect_before_any_request() -> None:
    """The hello of the new session asks again; the session before it is told no more."""

    async def scenario() -> None:
        async with cast() as scene:
            mail, heard = await _mail(scene, event_properties_changed="1")
            key = await _submitted(mail)
            await scene.node.served.links[-1].close()
            await scene.settle(5)
            await _changed(scene.desk1, key)
            await scene.settle()
            assert [name for name, _ in heard.all] == ["interaction.properties_changed"]
            await mail.connection.close()
            await _changed(scene.desk1, key)
            await scene.settle()
            assert len(heard.all) == 1

    run_virtual(scenario())


def test_told_of_changes_made_with_a_placement() -> None:
    """Properties that an agent changes while it puts the interaction into a queue are echoed too."""

    async def scenario() -> None:
        async with cast() as scene:
            mail, heard = await _mail(scene, event_properties_changed=1)
            key = await _submitted(mail)
            await scene.desk1.view.pull(view="Chats view", agent="agent1")
            await scene.desk1.interaction.place_in_queue(
                interaction_id=key, queue="E-mails", added={"colour": msgspec.Raw(b"1")}
            )
            await scene.settle()
            assert len(heard.all) == 1

    run_virtual(scenario())
