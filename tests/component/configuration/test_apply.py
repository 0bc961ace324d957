"""Apply and single objects: one transaction, references, ripples, findings, secrets."""

from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup, Dn, Strategy
from paceline.runtime.virtual_loop import run_virtual
from tests.component.configuration.site import (
    ADMIN,
    SERVER,
    Site,
    actions,
    delete,
    opened,
    put,
    small_site,
)

EMPTY = msgspec.Raw(b"{}")


async def refusal(call: Awaitable[Any]) -> PacelineError:
    """The error of a call that must be refused."""
    with pytest.raises(PacelineError) as caught:
        await call
    return caught.value


def body_of(site: Site, object_type: str, name: str) -> Any:
    """The typed body of an object as the server has it."""
    return next(
        o.body
        for o in site.server.snapshot.objects.values()
        if o.type == object_type and o.name == name
    )


def id_of(site: Site, object_type: str, name: str) -> int:
    """The id of an object."""
    return next(
        o.id
        for o in site.server.snapshot.objects.values()
        if o.type == object_type and o.name == name
    )


def test_objects_of_one_apply_may_refer_to_each_other_in_any_order() -> None:
    """Groups before their agents, views before their queues: everything is created at once."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            before = site.server.snapshot.seq
            applied = await client.configuration.apply(changes=small_site())
            assert actions(applied.items) == ["created"] * len(small_site())
            assert applied.seq == before + 1
            assert len({row.id for row in applied.items}) == len(small_site())

    run_virtual(main())


def test_apply_again_writes_nothing() -> None:
    """The same file twice: every object is unchanged and the history does not grow."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            first = await client.configuration.apply(changes=small_site())
            again = await client.configuration.apply(changes=small_site())
            assert actions(again.items) == ["unchanged"] * len(small_site())
            assert again.seq == first.seq

    run_virtual(main())


def test_dry_run_tells_and_does_nothing() -> None:
    """A dry run shows what would become of each change and leaves the site as it was."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            seq, objects = site.server.snapshot.seq, dict(site.server.snapshot.objects)
            shown = await client.configuration.apply(changes=small_site(), dry_run=True)
            assert actions(shown.items) == ["created"] * len(small_site())
            assert (site.server.snapshot.seq, dict(site.server.snapshot.objects)) == (seq, objects)

    run_virtual(main())


def test_one_wrong_change_undoes_all() -> None:
    """An unknown field in the last change: nothing of the apply exists, the error names all."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            wrong = put("persons", "bert", skils={"English": 1})
            error = await refusal(client.configuration.apply(changes=(*small_site(), wrong)))
            assert error.name == "invalid_attribute"
            assert error.field == "skils"
            assert "persons 'bert'" in error.message
            assert "'skills'" in error.message
            assert not [o for o in site.server.snapshot.objects.values() if o.type == "dns"]

    run_virtual(main())


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (put("agent-groups", "X", agents=["nobody"]), "agents", "agent-groups 'X'"),
        (put("agent-groups", "X", origination_dns=["Q9"]), "origination_dns", "'Q9'"),
        (put("scripts", "X", script_type="workbin", business_process="No"), "business_process", "'No'"),
        (put("scripts", "X", script_type="viev"), "script_type", "field 'script_type'"),
        (put("scripts", "X"), "script_type", "use one of"),
        (put("persns", "X"), "type", "'persons'"),
        (put("persons", "a/b"), "name", "'/'"),
        (put("persons", "a\u0007b"), "name", "control character"),
        (put("persons", " a"), "name", "space"),
        (put("dns", "", switch="sip", number="a@b"), "number", "'@'"),
        (put("alarm-conditions", "X"), "detect_event", "missing"),
        (put("applications", "X", application_type="stat_server", folder="No"), "folder", "'No'"),
        (put("applications", "X", application_type="stat_server", secret=""), "secret", "env"),
        (put("access-points", "X", password="***"), "password", "none is stored"),
        (put("skills", "X", tenant=7), "tenant", "no tenant 7"),
    ],
)  # fmt: skip
def test_mistakes_name_object_field_and_fix(change: Any, field: str, words: str) -> None:
    """Every refused change says which field of which object is wrong."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            error = await refusal(client.configuration.apply(changes=(change,)))
            assert error.name == "invalid_attribute"
            assert error.field == field
            assert words in error.message

    run_virtual(main())


def test_expected_sequence_guards_against_anothers_change() -> None:
    """An apply made for an older state is refused with `stale_sequence` and does nothing."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            seq = site.server.snapshot.seq
            await client.configuration.apply(changes=(put("skills", "English"),), expected_seq=seq)
            error = await refusal(
                client.configuration.apply(changes=(put("skills", "French"),), expected_seq=seq)
            )
            assert error.name == "stale_sequence"
            assert error.http_status == 409

    run_virtual(main())


def test_a_renamed_switch_ripples_to_its_queues_and_whoever_lists_them() -> None:
    """`Q1@sip` in a group becomes `Q1@voice`; ids stay, versions of all referrers grow."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            switch = id_of(site, "switches", "sip")
            await client.object.change(type="switches", id=switch, name="voice")
            group: AgentGroup = body_of(site, "agent-groups", "Chat")
            assert group.origination_dns == ("Q1@voice",)
            assert body_of(site, "dns", "Q1").switch == "voice"
            assert id_of(site, "switches", "voice") == switch
            page = await client.configuration.changes(after=site.server.snapshot.seq - 1)
            assert {row.type for row in page.items} == {"switches", "dns", "agent-groups"}
            assert all(row.object is not None and row.object.version == 2 for row in page.items)

    run_virtual(main())


def test_a_renamed_number_ripples_with_and_without_its_switch() -> None:
    """A group that says `Q1@sip` and a strategy that says `Q1` both follow the new number."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            patch = msgspec.Raw(b'{"number": "Q2"}')
            await client.object.change(
                type="dns", id=id_of(site, "dns", "Q1"), name="Q2", body=patch
            )
            group: AgentGroup = body_of(site, "agent-groups", "Chat")
            strategy: Strategy = body_of(site, "scripts", "Route")
            number: Dn = body_of(site, "dns", "Q2")
            assert group.origination_dns == ("Q2@sip",)
            assert strategy.virtual_queue == "Q2"
            assert number.number == "Q2"

    run_virtual(main())


def test_an_alias_is_no_reference() -> None:
    """A new alias leaves those who list the number alone; the finding names the mismatch."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            await client.object.change(type="dns", id=id_of(site, "dns", "Q1"), name="Other")
            group: AgentGroup = body_of(site, "agent-groups", "Chat")
            assert group.origination_dns == ("Q1@sip",)
            assert "alias" in {finding.field for finding in site.server.findings()}

    run_virtual(main())


def test_misconfigured_virtual_queues_are_accepted_and_named() -> None:
    """A media list and an alias unlike the number: applied, and each has its finding."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            wrong = put(
                "dns", "Alias", switch="sip", number="Q7",
                options={"pacing": {"media": "chat,email"}},
            )  # fmt: skip
            applied = await client.configuration.apply(changes=(*small_site(), wrong))
            named = {
                finding["field"] for finding in applied.findings if "'Q7'" in finding["object"]
            }
            assert {"alias", "pacing.media"} <= named

    run_virtual(main())


def test_what_others_name_is_not_deleted() -> None:
    """Deletion is refused naming the referrer; with the referrer in the same apply it works."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            error = await refusal(
                client.object.delete(type="persons", id=id_of(site, "persons", "anna"))
            )
            assert error.name == "object_in_use"
            assert "agent-groups 'Chat'" in error.message
            both = (delete("persons", "anna"), delete("agent-groups", "Chat"))
            applied = await client.configuration.apply(changes=(*both, *both))
            assert actions(applied.items) == ["deleted", "deleted", "absent", "absent"]

    run_virtual(main())


def test_ids_are_never_given_twice() -> None:
    """Also after a deletion and a restart, a new object has a higher id than any before."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            first = await client.object.create(type="skills", name="English", body=EMPTY)
            await client.object.delete(type="skills", id=first.id)
            async with opened(site.database, site.times) as again:
                second = await (await again.client()).object.create(
                    type="places", name="P1", body=EMPTY
                )
                assert second.id > first.id

    run_virtual(main())


def test_names_are_unique_within_their_kind() -> None:
    """A second object of one name is refused; scripts of another kind and other numbers are not."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            error = await refusal(client.object.create(type="skills", name="English", body=EMPTY))
            assert error.name == "object_exists"
            applied = await client.configuration.apply(
                changes=(
                    put("scripts", "Chats in", script_type="workbin", business_process="Main"),
                    put("dns", "Q1", switch="sip", number="Q8"),
                    put("dns", "", switch="sip", number="Q9"),
                )
            )
            assert actions(applied.items) == ["created"] * 3

    run_virtual(main())


def test_a_number_on_two_switches_must_be_named_with_its_switch() -> None:
    """A second `Q1` would make a strategy's `Q1` ambiguous: refused, naming the strategy."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            error = await refusal(
                client.configuration.apply(
                    changes=(put("switches", "b"), put("dns", "Q1", switch="b", number="Q1"))
                )
            )
            assert "scripts 'Route'" in error.message
            assert "Q1@SWITCH" in error.message

    run_virtual(main())


def test_names_are_stored_in_one_unicode_form() -> None:
    """A decomposed and a composed name are the same object."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=(put("skills", "Cafe\u0301"),))
            applied = await client.configuration.apply(
                changes=(
                    put("skills", "Caf\u00e9"),
                    put("persons", "bo", skills={"Cafe\u0301": 1}),
                )
            )
            assert actions(applied.items) == ["unchanged", "created"]

    run_virtual(main())


def test_shipped_groups_and_the_first_tenant_stay() -> None:
    """The shipped access groups keep their names and cannot be deleted, nor can tenant 1."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            agent = id_of(site, "access-groups", "agent")
            for call in (
                client.object.delete(type="access-groups", id=agent),
                client.object.change(type="access-groups", id=agent, name="agents"),
                client.object.delete(type="tenants", id=1),
            ):
                assert (await refusal(call)).name == "not_allowed"

    run_virtual(main())


def test_secrets_are_shown_to_servers_only_and_kept_when_sent_back() -> None:
    """An administrator reads `***`, sends it back and changes nothing; a server reads the text."""

    async def main() -> None:
        async with opened() as site:
            admin, server = await site.client(), await site.client(SERVER)
            changes = (
                put("access-points", "db", url="postgresql://u@h/d", password="s3cret"),
                put("transactions", "hybrid_integration",
                    options={"ewt": {"client_id": "me", "password": "pa55"}, "security": {"pin": 7}}),
            )  # fmt: skip
            await admin.configuration.apply(changes=changes)
            for object_type in ("access-points", "transactions"):
                [shown] = (await admin.object.list(type=object_type)).items
                [whole] = (await server.object.list(type=object_type)).items
                assert b"***" in bytes(shown.body)
                assert not [s for s in (b"s3cret", b"pa55", b'"7"') if s in bytes(shown.body)]
                assert b"***" not in bytes(whole.body)
                back = await admin.object.replace(
                    type=object_type, id=shown.id, name=shown.name, body=shown.body
                )
                assert back.version == 1
            rows = await site.database.fetch("SELECT body FROM configuration.objects")
            rows += await site.database.fetch(
                "SELECT body_after FROM configuration.changes WHERE body_after IS NOT NULL"
            )
            stored = "".join(row[0] for row in rows)
            assert "s3cret" not in stored
            assert "pa55" not in stored
            history = await admin.configuration.changes(after=0)
            assert b"s3cret" not in msgspec.json.encode(history)

    run_virtual(main())


def test_effective_options_are_those_of_the_cluster_under_the_nodes_own() -> None:
    """A pacing node inherits options and connections of its only cluster; its own win."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            changes = (
                put("applications", "stat", application_type="stat_server"),
                put("applications", "cluster", application_type="application_cluster",
                    connections=[{"server": "stat"}],
                    options={"pacing": {"refreshPeriod": "5s", "optimizationGoal": 3}}),
                put("applications", "node", application_type="pacing_server",
                    connections=[{"server": "cluster"}],
                    options={"pacing": {"refreshPeriod": "2s"}}),
            )  # fmt: skip
            await client.configuration.apply(changes=changes)
            found = await client.configuration.effective(id=id_of(site, "applications", "node"))
            assert found.options == {"pacing": {"refreshPeriod": "2s", "optimizationGoal": 3}}
            assert found.connections == ("cluster", "stat")

    run_virtual(main())


def test_pages_go_on_where_they_ended() -> None:
    """A list in pages gives every object once; single objects are found by id, number and name."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            names, continuation = [], None
            while True:
                page = await client.object.list(
                    type="access-groups", limit=4, continuation=continuation
                )
                names += [item.name for item in page.items]
                continuation = page.continuation
                if page.complete:
                    break
            assert len(names) == len(set(names)) == 6
            [queue] = (await client.object.list(type="dns", number="Q1", switch="sip")).items
            assert (await client.object.get(type="dns", id=queue.id)).name == "Q1"
            assert (await refusal(client.object.get(type="dns", id=999))).name == "not_found"
            assert (await refusal(client.object.list(type="dns", limit=0))).field == "limit"

    run_virtual(main())


def test_a_tenants_caller_sees_and_changes_its_tenant_only() -> None:
    """Another tenant's objects are not found, and changes in its name are not allowed."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            second = await admin.object.create(type="tenants", name="Second", body=EMPTY)
            await admin.configuration.apply(
                changes=(put("skills", "A"), put("skills", "A", tenant=second.id))
            )
            caller = msgspec.structs.replace(ADMIN, name="two", tenants=(second.id,))
            client = await site.client(caller)
            [mine] = (await client.object.list(type="skills")).items
            assert mine.tenant == second.id
            other = id_of(site, "skills", "A")
            assert other != mine.id
            assert (await refusal(client.object.get(type="skills", id=other))).name == "not_found"
            error = await refusal(client.configuration.apply(changes=(put("skills", "B"),)))
            assert error.name == "not_allowed"
            error = await refusal(admin.object.delete(type="tenants", id=second.id))
            assert error.name == "object_in_use"

    run_virtual(main())
