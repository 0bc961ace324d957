"""Logins, tokens and statuses."""

from typing import Any

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.configuration import ConfigurationServerClient
from paceline.wire.call import ANYONE, Principal
from paceline.wire.operations.configuration import Change
from paceline.wire.token import LIFE_S, TokenVerifier
from tests.component.configuration.site import PASSWORD, SERVER, Site, opened, put


async def refused(client: ConfigurationServerClient, user: str, password: str) -> PacelineError:
    """The error of a login that must be refused."""
    with pytest.raises(PacelineError) as caught:
        await client.session.login(user=user, password=password)
    return caught.value


def stat(**fields: Any) -> Change:
    """The change that makes the application `stat`."""
    return put("applications", "stat", application_type="stat_server", **fields)


def test_the_first_administrator_logs_in_and_other_servers_verify_the_token() -> None:
    """The token of a login is verified by the published keys alone, and lives 15 minutes."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client(ANYONE)
            token = await client.session.login(user="admin", password=PASSWORD)
            verifier = TokenVerifier(site.times.machine)
            verifier.set_keys((await client.token.keys()).keys)
            principal = verifier.verify(token.token)
            assert (principal.name, principal.kind) == ("admin", "person")
            assert principal.access_groups == ("administrator",)
            assert principal.tenants == ()
            assert token.expires_in_s == LIFE_S == 900
            await site.times.machine.sleep(901)
            with pytest.raises(PacelineError, match="expired"):
                verifier.verify(token.token)

    run_virtual(main())


def test_unknown_names_and_wrong_passwords_look_the_same() -> None:
    """Nobody learns from a refusal whether the name exists."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client(ANYONE)
            wrong = await refused(client, "admin", "guess")
            unknown = await refused(client, "nobody", "guess")
            assert (wrong.name, wrong.message) == (unknown.name, unknown.message)
            assert wrong.name == "unauthenticated"

    run_virtual(main())


def test_each_wrong_password_doubles_the_wait() -> None:
    """Even the right password waits after wrong ones: 1, 2, 4 seconds; success forgets them."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client(ANYONE)
            for wait_s in (1.0, 2.0, 4.0):
                assert (await refused(client, "admin", "guess")).name == "unauthenticated"
                early = await refused(client, "admin", PASSWORD)
                assert early.name == "overloaded"
                assert early.retry_after_s == pytest.approx(wait_s)
                await site.times.machine.sleep(wait_s)
            await client.session.login(user="admin", password=PASSWORD)
            assert (await refused(client, "admin", "guess")).name == "unauthenticated"

    run_virtual(main())


def test_an_application_logs_in_with_its_secret() -> None:
    """It is of access group `server` and of the tenants it lists; disabled, it gets no token."""

    async def main() -> None:
        async with opened() as site:
            admin, client = await site.client(), await site.client(ANYONE)
            await admin.configuration.apply(changes=(stat(secret="xyz", tenants=["Environment"]),))
            token = await client.token.issue(
                grant_type="client_credentials", client_id="stat", client_secret="xyz"
            )
            principal = site.server.verify(token.token)
            assert principal.access_groups == ("server",)
            assert principal.tenants == (1,)
            await admin.configuration.apply(changes=(stat(state="disabled"),))
            with pytest.raises(PacelineError, match="unauthenticated"):
                await client.token.issue(
                    grant_type="client_credentials", client_id="stat", client_secret="xyz"
                )

    run_virtual(main())


def test_renewal_gives_todays_groups() -> None:
    """A renewed token has the access groups of now; who was deleted gets none; nor does nobody."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            anna = put("persons", "anna", access_groups=["agent"], password="a")
            await admin.configuration.apply(changes=(anna,))
            caller = Principal(name="anna", kind="person", access_groups=("agent",))
            client = await site.client(caller)
            more = put("persons", "anna", access_groups=["supervisor"])
            await admin.configuration.apply(changes=(more,))
            token = await client.token.issue()
            assert site.server.verify(token.token).access_groups == ("supervisor",)
            anyone = await site.client(ANYONE)
            with pytest.raises(PacelineError, match="unauthenticated"):
                await anyone.token.issue()

    run_virtual(main())


def test_logout_revokes_the_token_everywhere() -> None:
    """The token is refused here at once, named by the keys, told by the changes, and stays so."""

    async def main() -> None:
        async with opened() as site:
            anyone = await site.client(ANYONE)
            token = (await anyone.session.login(user="admin", password=PASSWORD)).token
            principal = site.server.verify(token)
            client = await site.client(principal)
            before = site.server.snapshot.seq
            await client.session.logout()
            await client.session.logout()
            with pytest.raises(PacelineError, match="revoked"):
                site.server.verify(token)
            assert (await anyone.token.keys()).revoked == (principal.token_id,)
            [change] = (await client.configuration.changes(after=before)).items
            assert (change.type, change.name) == ("revocations", principal.token_id)
            async with opened(site.database, site.times) as again:
                with pytest.raises(PacelineError, match="revoked"):
                    again.server.verify(token)

    run_virtual(main())


def test_a_password_shows_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    """Not in answers, changes, tables or logs; the same password again changes nothing."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            anna = put("persons", "anna", password="p4ss-of-anna")
            applied = await admin.configuration.apply(changes=(anna,))
            again = await admin.configuration.apply(changes=(anna,))
            assert again.items[0].action == "unchanged"
            other = put("persons", "anna", password="an0ther-one")
            assert (await admin.configuration.apply(changes=(other,))).items[0].action == "changed"
            shown = [
                applied,
                await admin.object.list(type="persons"),
                await admin.configuration.changes(after=0),
            ]
            await refused(await site.client(ANYONE), "anna", "p4ss-of-anna")
            tables = ("objects", "changes", "history", "credentials")
            stored = [
                await site.database.fetch(f"SELECT * FROM configuration.{table}")
                for table in tables
            ]
            texts = [msgspec.json.encode(shown).decode(), *map(str, stored)]
            assert not [t for t in texts if "p4ss-of-anna" in t or "an0ther-one" in t]

    run_virtual(main())
    out, err = capfd.readouterr()
    assert "login refused" in err
    assert "p4ss-of-anna" not in out + err


def test_a_password_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`{env: NAME}` is read where the server runs; a missing variable is named."""
    monkeypatch.setenv("PACELINE_TEST_PASSWORD", "from outside")

    async def main() -> None:
        async with opened() as site:
            admin, anyone = await site.client(), await site.client(ANYONE)
            given = put("persons", "anna", password={"env": "PACELINE_TEST_PASSWORD"})
            await admin.configuration.apply(changes=(given,))
            await anyone.session.login(user="anna", password="from outside")
            missing = put("persons", "bert", password={"env": "PACELINE_TEST_NOTHING"})
            with pytest.raises(PacelineError, match="PACELINE_TEST_NOTHING"):
                await admin.configuration.apply(changes=(missing,))

    run_virtual(main())


def test_a_deleted_persons_password_is_gone() -> None:
    """A new person of the same name does not have the old one's password."""

    async def main() -> None:
        async with opened() as site:
            admin, anyone = await site.client(), await site.client(ANYONE)
            applied = await admin.configuration.apply(
                changes=(put("persons", "anna", password="a"),)
            )
            await admin.object.delete(type="persons", id=applied.items[0].id)
            await admin.configuration.apply(changes=(put("persons", "anna"),))
            assert (await refused(anyone, "anna", "a")).name == "unauthenticated"
            assert len(await site.database.fetch("SELECT 1 FROM configuration.credentials")) == 1

    run_virtual(main())


async def status_of(site: Site, name: str) -> str:
    """What the status list says of an application."""
    client = await site.client()
    page = await client.application.status()
    return next(item.status for item in page.items if item.application == name)


def test_a_silent_application_is_unknown_and_one_that_never_started_stopped() -> None:
    """15 s after its last report a started application is unknown; one stopped in order is not."""

    async def main() -> None:
        async with opened() as site:
            admin, server = await site.client(), await site.client(SERVER)
            await admin.configuration.apply(changes=(stat(),))
            assert await status_of(site, "stat") == "stopped"
            await server.application.report_status(
                application="stat", status="started", urls={"default": "http://h:1"}, pid=7
            )
            assert await status_of(site, "stat") == "started"
            await site.times.machine.sleep(15.1)
            assert await status_of(site, "stat") == "unknown"
            await server.application.report_status(application="stat", status="stopped")
            await site.times.machine.sleep(15.1)
            assert await status_of(site, "stat") == "stopped"

    run_virtual(main())


def test_reports_survive_a_restart_and_speak_for_oneself_only() -> None:
    """The stored report is shown after a restart; a report in another's name is not allowed."""

    async def main() -> None:
        async with opened() as site:
            admin, server = await site.client(), await site.client(SERVER)
            await admin.configuration.apply(changes=(stat(),))
            await server.application.report_status(application="stat", status="started", pid=7)
            async with opened(site.database, site.times) as again:
                [item] = (await (await again.client()).application.status()).items
                assert (item.status, item.pid) == ("started", 7)
            with pytest.raises(PacelineError, match="not_allowed"):
                await server.application.report_status(application="other", status="started")

    run_virtual(main())


def test_me_is_who_the_token_says() -> None:
    """`me.get` shows name, kind, tenants and access groups."""

    async def main() -> None:
        async with opened() as site:
            me = await (await site.client(SERVER)).me.get()
            assert (me.name, me.kind, me.access_groups) == ("stat", "application", ("server",))

    run_virtual(main())


def test_a_process_that_waits_or_has_lost_its_lease_hides_none_that_works() -> None:
    """Of several processes of one application the one that works is shown, until it is silent."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            await admin.configuration.apply(changes=(stat(),))
            server = await site.client(SERVER)

            async def shown() -> tuple[str, dict[str, str]]:
                [row] = [
                    r for r in (await admin.application.status()).items if r.application == "stat"
                ]
                return row.status, row.urls

            async def report(pid: int, status: Any) -> None:
                await server.application.report_status(
                    application="stat", status=status, pid=pid, urls={"default": f"http://{pid}"}
                )

            await report(1, "started")
            await report(2, "initializing")
            assert await shown() == ("started", {"default": "http://1"})
            await report(2, "started")
            await report(1, "unavailable")
            assert await shown() == ("started", {"default": "http://2"})
            await site.times.machine.sleep(16)
            await report(1, "unavailable")
            assert await shown() == ("unavailable", {"default": "http://1"})

    run_virtual(main())
