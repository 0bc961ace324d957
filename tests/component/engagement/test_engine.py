"""The reference engagement engine: contract of reports, life of invitations, restarts."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Options
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.engagement.server import EngagementServer
from paceline.units.quantities import Millis
from paceline.wire.access import VISITOR
from paceline.wire.call import Principal
from paceline.wire.operations.engagement import (
    AcceptInvitation,
    CreateInvitation,
    EngagementTargetList,
    InvitationCreated,
    InvitationRef,
    InvitationState,
    TargetCounts,
)
from tests.component.engagement.site import PACING, TARGET, Site, ask_token, site

START = Millis(1_763_683_200_000)
Test = Callable[[Site], Awaitable[None]]


def run(test: Test) -> None:
    """Run a test on a fresh site in virtual time."""

    async def main() -> None:
        async with site(virtual_times(START)) as made:
            await test(made)

    run_virtual(main(), limit_s=100_000.0)


async def invite(made: Site, server: EngagementServer, target: str = TARGET) -> InvitationCreated:
    """An invitation for somebody."""
    request = CreateInvitation(target=target, visitor="v")
    answer: InvitationCreated = await made.do(server, "invitation.create", request)
    return answer


async def say_yes(
    made: Site,
    server: EngagementServer,
    invitation_id: str,
    user_data: bytes = b"{}",
    **context: float,
) -> InvitationState:
    """The visitor accepts."""
    request = AcceptInvitation(invitation_id=invitation_id, user_data=msgspec.Raw(user_data))
    answer: InvitationState = await made.do(server, "invitation.accept", request, **context)
    return answer


async def counts(made: Site, server: EngagementServer, sequence: int) -> TargetCounts:
    """What the next report is answered for the first target."""
    answer = await made.do(server, "pacing.report", made.report(5, sequence=sequence))
    found: TargetCounts = answer.targets[0]
    return found


async def refused(work: Awaitable[object]) -> PacelineError:
    """The error of something that must fail."""
    with pytest.raises(PacelineError) as failure:
        await work
    return failure.value


def test_a_permit_is_spent_once_and_the_next_is_refused() -> None:
    """201 while there are permits, then 409 no_permit; many at once never get more than granted."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            assert (await refused(invite(made, server))).name == "no_permit"
            await made.do(server, "pacing.report", made.report(3))
            tried = await asyncio.gather(
                *(invite(made, server) for _ in range(10)), return_exceptions=True
            )
            assert sum(isinstance(one, InvitationCreated) for one in tried) == 3

    run(test)


def test_permits_end_with_their_life_and_with_their_replacement() -> None:
    """After valid_for_s nothing can be spent; a new sequence replaces what was unspent."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(5))
            await made.do(server, "pacing.report", made.report(1, sequence=2))
            await invite(made, server)
            assert (await refused(invite(made, server))).name == "no_permit"
            await made.do(server, "pacing.report", made.report(5, sequence=3))
            await made.times.business.sleep(10.0)
            assert (await refused(invite(made, server))).name == "no_permit"

    run(test)


def test_an_older_or_repeated_sequence_changes_nothing_and_is_answered() -> None:
    """A repeat grants nothing again; an old one neither; both get the counts."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            second = made.report(1, sequence=2)
            await made.do(server, "pacing.report", second)
            await invite(made, server)
            for again in (second, made.report(5, sequence=1)):
                answer = await made.do(server, "pacing.report", again)
                assert answer.sequence == again.sequence
                assert answer.targets[0].pending == 1
                assert (await refused(invite(made, server))).name == "no_permit"

    run(test)


def test_pages_apply_as_they_come_and_the_last_ends_what_no_page_lists() -> None:
    """The old permits of an unlisted target end when all pages are here, not before."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1, 1))
            first = made.report(1, sequence=2, page=1, pages=2)
            await made.do(server, "pacing.report", first)
            await invite(made, server)
            last = msgspec.structs.replace(first, page=2, targets=())
            await made.do(server, "pacing.report", last)
            assert (await refused(invite(made, server, "T1 - chat"))).name == "no_permit"

    run(test)


def test_a_lower_epoch_is_refused_with_the_current_one_also_after_a_restart() -> None:
    """409 stale_epoch per cluster and credential; a higher epoch ends all permits of the lower."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(5, 5, epoch=7))
            await made.do(server, "pacing.report", made.report(1, epoch=8))
            assert (await refused(invite(made, server, "T1 - chat"))).name == "no_permit"
        async with made.engine() as server:
            old = made.report(5, epoch=7, sequence=9)
            error = await refused(made.do(server, "pacing.report", old))
            assert (error.name, error.http_status) == ("stale_epoch", 409)
            assert error.details == {"current_epoch": 8}
            other = Principal(name="other", kind="application")
            await made.do(server, "pacing.report", old, principal=other)

    run(test)


def test_a_restart_leaves_no_permits_and_a_late_repeat_grants_none() -> None:
    """Permits are memory; the sequence that was known before the restart is not granted again."""

    async def test(made: Site) -> None:
        report = made.report(5)
        async with made.engine() as server:
            await made.do(server, "pacing.report", report)
            await invite(made, server)
        async with made.engine() as server:
            assert (await refused(invite(made, server))).name == "no_permit"
            await made.do(server, "pacing.report", report)
            assert (await refused(invite(made, server))).name == "no_permit"
            found = await counts(made, server, 2)
            assert (found.pending, found.sent) == (1, 1)

    run(test)


def test_counts_follow_every_end_of_an_invitation() -> None:
    """pending = sent - resolved; accepted, declined and timed out are resolved."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(4))
            made_ids = [(await invite(made, server)).invitation_id for _ in range(4)]
            found = await counts(made, server, 2)
            assert (found.pending, found.sent, found.resolved, found.accepted) == (4, 4, 0, 0)
            await say_yes(made, server, made_ids[0])
            await made.do(server, "invitation.reject", InvitationRef(invitation_id=made_ids[1]))
            found = await counts(made, server, 3)
            assert (found.pending, found.sent, found.resolved, found.accepted) == (2, 4, 2, 1)
            await made.times.business.sleep(46.0)
            found = await counts(made, server, 4)
            assert (found.pending, found.sent, found.resolved, found.accepted) == (0, 4, 4, 1)
            late = await refused(say_yes(made, server, made_ids[2]))
            assert late.name == "invitation_closed"
            state = await made.do(
                server, "invitation.get", InvitationRef(invitation_id=made_ids[3])
            )
            assert state.state == "timedout"
        async with made.engine() as server:
            assert (await counts(made, server, 5)).sent == 4

    run(test)


def test_an_accepted_invitation_becomes_one_interaction_with_the_six_keys() -> None:
    """The engine attaches the keys; a forged one never reaches the interaction; repeats are safe."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            one = await invite(made, server)
            forged = b'{"PacingTarget": "mine", "Name": "Ann"}'
            first, again = await asyncio.gather(
                say_yes(made, server, one.invitation_id, forged),
                say_yes(made, server, one.invitation_id),
            )
            assert first == again
            assert (first.state, first.interaction_id) == ("started", "I1")
            assert await say_yes(made, server, one.invitation_id) == first
        [request] = made.interactions.by_token.values()
        assert (request.queue, request.client_token) == ("Chats", one.invitation_id)
        assert made.interactions.user_data() == [
            {
                "Name": "Ann",
                "Proactive": "1",
                "PacingTarget": TARGET,
                "PacingVirtualQueue": "Chat",
                "PacingAgentGroups": "G",
                "PacingMediaType": "chat",
                "PacingInvitationId": one.invitation_id,
            }
        ]

    run(test)


def test_a_lost_answer_is_repeated_with_the_same_token() -> None:
    """connection_lost and other passing errors end in exactly one interaction."""

    async def test(made: Site) -> None:
        made.interactions.failures = ["overloaded", "database_unavailable"]
        made.interactions.loses_answers = 2
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            one = await invite(made, server)
            answer = await say_yes(made, server, one.invitation_id)
            assert answer.interaction_id == "I1"
        assert (made.interactions.calls, len(made.interactions.by_token)) == (5, 1)

    run(test)


def test_an_unacknowledged_acceptance_is_submitted_after_a_restart() -> None:
    """The visitor hears `accepted` in time; the next process submits what was stored."""

    async def test(made: Site) -> None:
        made.interactions.failures = ["owner_unavailable"] * 1000
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            one = await invite(made, server)
            answer = await say_yes(
                made, server, one.invitation_id, b'{"Name": "Ann"}', timeout_s=2.0
            )
            assert (answer.state, answer.interaction_id) == ("accepted", None)
        made.interactions.failures = []
        async with made.engine() as server:
            await made.times.machine.sleep(1.0)
            state = await made.do(
                server, "invitation.get", InvitationRef(invitation_id=one.invitation_id)
            )
            assert (state.state, state.interaction_id) == ("started", "I1")
            assert made.interactions.user_data()[0]["Name"] == "Ann"
        assert await made.database.fetch("SELECT 1 FROM engagement.submissions") == []

    run(test)


def test_a_refused_submission_is_told_and_not_repeated() -> None:
    """An error that does not pass ends as errored."""

    async def test(made: Site) -> None:
        made.interactions.failures = ["not_allowed"]
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            one = await invite(made, server)
            assert (await refused(say_yes(made, server, one.invitation_id))).name == "not_allowed"
            await made.times.machine.sleep(1.0)
            assert (await say_yes(made, server, one.invitation_id)).state == "errored"
        assert made.interactions.calls == 1

    run(test)


def test_a_medium_without_a_queue_is_named_before_anything_is_accepted() -> None:
    """The error names the option; the invitation stays open; findings say it too."""

    async def test(made: Site) -> None:
        made.settings.update({})
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            one = await invite(made, server)
            error = await refused(say_yes(made, server, one.invitation_id))
            assert (error.name, error.field) == ("configuration_mistake", "queues.chat")
            assert [finding.field for finding in server.findings()] == ["queues.chat"]
            made.settings.update({"queues": {"chat": "Nowhere"}})
            error = await refused(say_yes(made, server, one.invitation_id))
            assert "'Nowhere'" in error.message
            made.settings.update({"queues": {"chat": "Chats"}})
            assert (await say_yes(made, server, one.invitation_id)).state == "started"

    run(test)


def test_a_second_engine_on_the_database_takes_over() -> None:
    """The first one's next write is refused as stale and it says why it is unavailable."""

    async def test(made: Site) -> None:
        async with made.engine() as first:
            await made.do(first, "pacing.report", made.report(5))
            async with made.engine() as second:
                await made.do(second, "pacing.report", made.report(5, sequence=2))
                await invite(made, second)
                assert (await refused(invite(made, first))).name == "stale_epoch"
                assert "another engagement engine" in first.reason

    run(test)


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({}, 200, None),
        ({"password": "wrong"}, 401, "invalid_client"),
        ({"user": "who"}, 401, "invalid_client"),
        ({"body": "grant_type=password"}, 400, "unsupported_grant_type"),
        ({"body": ""}, 400, "invalid_request"),
        ({"kind": "application/json"}, 400, "invalid_request"),
    ],
)
def test_the_token_endpoint_is_strict(
    changes: dict[str, str], status: int, error: str | None
) -> None:
    """RFC 6749: the right id and password by Basic and a form; everything else is refused."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            answer = await ask_token(server, **changes)
            body = msgspec.json.decode(answer.body)
            assert (answer.status, body.get("error")) == (status, error)
            assert answer.headers["cache-control"] == "no-store"

    run(test)


def test_the_engines_tokens_are_good_for_reports_until_they_expire() -> None:
    """Own tokens carry the group engagement_client; others go to the usual verification."""

    async def test(made: Site) -> None:
        asked: list[str] = []

        def others(token: str) -> Principal:
            asked.append(token)
            return PACING

        async with made.engine() as server:
            verify = server.verifying(others)
            body = msgspec.json.decode((await ask_token(server)).body)
            principal = verify(body["access_token"])
            assert (principal.name, principal.access_groups) == ("pacing", ("engagement_client",))
            assert asked == []
            verify("a.b.c")
            assert asked == ["a.b.c"]
            await made.times.machine.sleep(body["expires_in"] + 1)
            with pytest.raises(PacelineError, match="expired"):
                verify(body["access_token"])

    run(test)


def test_a_changed_secret_is_good_at_once() -> None:
    """hybrid_integration is read at each request."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            options: Options = {"ewt": {"client_id": "pacing", "password": "new"}}
            made.builder.replace(made.transaction, options=options)
            made.configuration.change(made.builder.build())
            assert (await ask_token(server)).status == 401
            assert (await ask_token(server, password="new")).status == 200

    run(test)


def test_the_visitors_page_gets_a_visitors_token() -> None:
    """The page is served; its token carries the group visitor and names the targets there are."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            routes = {route.path: route for route in server.open_routes}
            page = await routes["/"].handler(None)  # type: ignore[arg-type]  # it looks at nothing
            assert page.content_type.startswith("text/html") and b"<main>" in page.body
            answer = await routes["/v1/visitor-token"].handler(None)  # type: ignore[arg-type]  # as above
            body = msgspec.json.decode(answer.body)
            principal = server.verifying(lambda token: PACING)(body["token"])
            assert (principal.kind, principal.access_groups) == ("visitor", ("visitor",))
            assert body["targets"] == [{"id": TARGET, "media_type": "chat"}]

    run(test)


def test_a_visitor_has_the_own_invitations_only() -> None:
    """Another visitor's invitation is not there for a visitor's token, nor may it name another one."""

    async def test(made: Site) -> None:
        ann, bob = (
            Principal(name=name, kind="visitor", access_groups=(VISITOR,))
            for name in ("ann", "bob")
        )
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(1))
            for_ann = CreateInvitation(target=TARGET, visitor="ann")
            wrong = await refused(made.do(server, "invitation.create", for_ann, principal=bob))
            assert (wrong.name, wrong.field) == ("not_allowed", "visitor")
            made_it = await made.do(server, "invitation.create", for_ann, principal=ann)
            ref = InvitationRef(invitation_id=made_it.invitation_id)
            yes = AcceptInvitation(invitation_id=made_it.invitation_id)
            for operation, request in (
                ("invitation.get", ref),
                ("invitation.accept", yes),
                ("invitation.reject", ref),
            ):
                assert (
                    await refused(made.do(server, operation, request, principal=bob))
                ).name == "not_found"
            accepted = await made.do(server, "invitation.accept", yes, principal=ann)
            assert accepted.state == "started"
            assert (
                await refused(made.do(server, "invitation.get", ref, principal=bob))
            ).name == "not_found"

    run(test)


def test_the_list_shows_living_permits_and_counts() -> None:
    """Unspent permits while they live; afterwards the counts stay."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(3, 2))
            await invite(made, server)
            page = await made.do(server, "engagement_target.list", EngagementTargetList())
            rows = [(row.id, row.permits, row.unspent, row.sent) for row in page.items]
            assert rows == [(TARGET, 3, 2, 1), ("T1 - chat", 2, 2, 0)]
            await made.times.business.sleep(11.0)
            page = await made.do(server, "engagement_target.list", EngagementTargetList(limit=1))
            assert [(row.id, row.unspent, row.reason) for row in page.items] == [
                (TARGET, 0, "expired")
            ]
            assert page.continuation == TARGET

    run(test)


def test_many_invitations_share_commits() -> None:
    """Hundreds at once need few transactions, and each is stored when it is answered."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(300))
            await asyncio.gather(*(invite(made, server) for _ in range(300)))
            [row] = await made.database.fetch("SELECT count(*) FROM engagement.invitations")
            assert row[0] == 300
            [row] = await made.database.fetch("SELECT count(*) FROM engagement.batch")
            assert row[0] <= 4

    run(test)
