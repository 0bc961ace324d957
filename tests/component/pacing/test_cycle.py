"""The pacing cycle between a fake Stat Server and a fake engine, on the virtual loop."""

from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup, Dn, Options, Transaction
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import PacingServerClient
from paceline.units.quantities import Millis
from paceline.wire.operations.pacing import StreamTargets, TargetsNotice
from tests.component.pacing.site import TARGET, Site, agent, site
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.served import Served

START = Millis(1_763_683_200_000)
Request = Callable[[], Awaitable[object]]


def run(test: Callable[[Site], Awaitable[None]], *, speed: float = 1.0) -> None:
    """Run a test on a fresh site in virtual time."""

    async def main() -> None:
        async with site(virtual_times(START, speed)) as made:
            await test(made)

    run_virtual(main(), limit_s=100_000.0)


def test_reports_come_every_period_with_rising_sequence_and_one_epoch() -> None:
    """One report per period, never two at once, each complete as the contract says."""

    async def test(made: Site) -> None:
        made.engine.delay_s = 1.0
        async with made.server():
            await made.cycles(4)
        reports = made.engine.reports
        assert [report["sequence"] for report in reports] == [1, 2, 3, 4]
        assert {report["epoch"] for report in reports} == {100}
        assert made.engine.most_under_way == 1
        assert [round(at - made.engine.at[0], 3) for at in made.engine.at] == [0, 5, 10, 15]
        first = reports[0]
        assert made.engine.keys[0] == "Pacing:100:1:1"
        assert (first["page"], first["pages"], first["base_sequence"]) == (1, 1, None)
        assert (first["period_s"], first["valid_for_s"]) == (5.0, 10.0)
        assert set(first["targets"][0]) == {
            "id", "virtual_queue", "media_type", "agent_groups", "permits", "reason", "ready",
            "goal_percent", "abandonment_percent",
        }  # fmt: skip
        assert made.messages == []

    run(test)


def test_the_first_cycle_cannot_burst_and_pending_lowers_the_next_permits() -> None:
    """At first at most one invitation per free agent; what the engine reports as pending counts."""

    async def test(made: Site) -> None:
        made.engine.pending[TARGET] = 500
        async with made.server():
            await made.cycles(3)
        assert 0 < made.engine.permits()[0] <= 10
        assert made.engine.permits()[1:] == [0, 0]

    run(test)


def test_a_misconfigured_target_is_isolated() -> None:
    """It appears with no permits and the reason; the sound one keeps running."""

    async def test(made: Site) -> None:
        wrong: Options = {"pacing": {"media": "chat,email"}}
        made.builder.add("dns", "Bad", Dn(switch="S", number="Bad", options=wrong))
        made.builder.replace(made.group, origination_dns=("Chat", "Bad"))
        made.change()
        async with made.server() as server:
            await made.cycles(2)
            findings = server.findings()
        assert made.engine.reasons("Bad - chat,email") == ["misconfigured"] * 2
        assert made.engine.permits("Bad - chat,email") == [0, 0]
        assert made.engine.permits()[0] > 0
        assert [finding.field for finding in findings if "Bad" in finding.object] == [
            "pacing.media"
        ]

    run(test)


def test_targets_and_goal_follow_the_configuration_without_a_restart() -> None:
    """A renamed queue is the target of the next cycle, a changed goal counts in the next cycle."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(1)
            made.settings.update(
                {
                    "pacing": {"optimizationGoal": 5},
                    "pacingEndpoint": {"targetEndpoint": "v2/pacing"},
                }
            )
            await made.cycles(1)
            options = {"pacing": {"media": "chat", "optimizationGoal": 0}}
            made.builder.replace(made.queue, options=options)
            made.change()
            await made.cycles(1)
        goals = [report["targets"][0]["goal_percent"] for report in made.engine.reports]
        assert goals == [3.0, 5.0, 0.0]
        assert made.engine.reasons()[2] == "goal_zero"

    run(test)


def test_changed_credentials_are_used_without_a_restart() -> None:
    """A new secret in hybrid_integration makes the next report work again."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(1)
            made.engine.password, made.engine.good_token = "changed", "none"
            await made.cycles(1)
            assert (100603, "Pacing") in made.messages
            made.integration["ewt"]["password"] = "changed"
            made.builder.replace(made.transaction, options={**made.integration})
            made.change()
            await made.cycles(1)
        assert made.messages == [(100603, "Pacing"), (100604, "Pacing")]
        assert len(made.engine.reports) == 2

    run(test)


def test_a_401_makes_one_renewal_and_a_token_lasts_its_life() -> None:
    """No token request per cycle; after a 401 exactly one; before expiry a new one."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(3)
            assert made.engine.tokens_given == 1
            made.engine.good_token = "revoked"
            await made.cycles(1)
            assert (made.engine.tokens_given, len(made.engine.reports)) == (2, 4)
            made.engine.token_life_s, made.engine.good_token = 60, "revoked"
            await made.cycles(1)
            assert made.engine.tokens_given == 3
            await made.times.machine.sleep(60)
            assert made.engine.tokens_given == 4
        assert made.messages == []

    run(test)


def test_an_engine_that_does_not_answer_raises_one_alarm_and_cancels_it_once() -> None:
    """100603 at the first failure, nothing while it lasts, 100604 at the first answer."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(2)
            made.engine.delay_s = 60.0
            await made.cycles(5)
            assert made.messages == [(100603, "Pacing")]
            assert made.engine.under_way <= 1
            made.engine.delay_s = 0.0
            await made.cycles(3)
        assert made.messages == [(100603, "Pacing"), (100604, "Pacing")]
        assert made.engine.most_under_way == 1

    run(test)


def test_a_wrong_answer_raises_100607_and_a_target_error_100605() -> None:
    """Validation and target errors are told apart; each is cancelled when it heals."""

    async def test(made: Site) -> None:
        async with made.server():
            made.engine.respond = lambda report: httpx.Response(200, json={"sequence": 1})
            await made.cycles(2)
            made.engine.respond = lambda report: None
            made.engine.errors[TARGET] = "no such campaign"
            await made.cycles(2)
            made.engine.errors.clear()
            await made.cycles(1)
        assert made.messages == [
            (100607, "Pacing"),
            (100608, "Pacing"),
            (100605, TARGET),
            (100606, TARGET),
        ]

    run(test)


def test_an_alarm_raised_before_a_restart_is_cancelled_after_it() -> None:
    """The active alarms are part of what is saved."""

    async def test(made: Site) -> None:
        made.engine.respond = lambda report: httpx.Response(500)
        async with made.server():
            await made.cycles(1)
        made.engine.respond = lambda report: None
        made.lease.grow()
        async with made.server():
            await made.cycles(1)
        assert made.messages == [(100603, "Pacing"), (100604, "Pacing")]

    run(test)


def test_without_a_message_server_alarms_are_findings() -> None:
    """Kept by the node itself, cleared when they heal."""

    async def test(made: Site) -> None:
        async with made.server(has_messages=False) as server:
            made.engine.respond = lambda report: httpx.Response(500)
            await made.cycles(1)
            assert any("100603" in finding.field for finding in server.findings())
            made.engine.respond = lambda report: None
            await made.cycles(1)
            assert not any("1006" in finding.field for finding in server.findings())
        assert made.messages == []

    run(test)


def test_413_halves_the_pages_until_they_fit() -> None:
    """The report goes on in smaller pages under a new sequence; later reports keep that size."""

    async def test(made: Site) -> None:
        made.add_targets(4)
        made.engine.respond = lambda report: (
            httpx.Response(413) if len(report["targets"]) > 2 else None
        )
        async with made.server():
            await made.cycles(2)
        pages = [
            (report["sequence"], report["page"], report["pages"]) for report in made.engine.reports
        ]
        assert pages == [(2, 1, 3), (2, 2, 3), (2, 3, 3), (3, 1, 3), (3, 2, 3), (3, 3, 3)]
        assert made.messages == []

    run(test)


def test_a_large_report_is_compressed_as_the_engine_likes_it() -> None:
    """gzip at first, zstd once the engine names it; small reports travel as they are."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(1)
            made.add_targets(200)
            await made.cycles(1)
            made.engine.accepts = "gzip, zstd"
            await made.cycles(2)
        assert made.engine.encodings == ["", "gzip", "gzip", "zstd"]
        assert [len(report["targets"]) for report in made.engine.reports] == [1, 201, 201, 201]

    run(test)


def test_an_engine_that_reads_no_compressed_body_gets_plain_ones() -> None:
    """One refusal, then never a compressed body again; no alarm."""

    async def test(made: Site) -> None:
        made.engine.reads_compressed = False
        made.add_targets(200)
        async with made.server():
            await made.cycles(2)
        assert made.engine.encodings == ["gzip", "", ""]
        assert made.messages == []

    run(test)


def test_retry_after_is_honoured_within_and_over_periods() -> None:
    """A short pause is waited for within the period, a long one keeps the next reports back."""

    async def test(made: Site) -> None:
        waits = ["1", "12"]

        def respond(report: dict[str, object]) -> httpx.Response | None:
            return httpx.Response(429, headers={"retry-after": waits.pop(0)}) if waits else None

        made.engine.respond = respond
        async with made.server():
            await made.cycles(1)
            assert made.engine.reports == []
            await made.cycles(1)
            assert made.engine.reports == []
            await made.cycles(2)
        assert round(made.engine.at[0]) == 15

    run(test)


def stale(current: int) -> httpx.Response:
    """A 409 of an engine that follows a higher epoch."""
    error = {"name": "stale_epoch", "message": "", "details": {"current_epoch": current}}
    return httpx.Response(409, json={"error": error})


def test_the_holder_of_the_lease_raises_its_epoch_once_above_the_engines() -> None:
    """409 stale_epoch with a trusted lease: the epoch goes above, and stays above after a restart."""

    async def test(made: Site) -> None:
        made.engine.respond = lambda report: stale(500) if report["epoch"] < 500 else None
        async with made.server():
            await made.cycles(2)
            assert [report["epoch"] for report in made.engine.reports] == [501]
        made.lease.grow()
        async with made.server():
            await made.cycles(1)
        assert made.engine.reports[-1]["epoch"] == 502
        assert made.messages == []

    run(test)


def test_who_has_lost_the_lease_steps_down_at_409() -> None:
    """Without trust in the lease nothing more is sent; with a new lease it goes on."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(1)
            made.lease.trusted = False
            made.engine.respond = lambda report: stale(500) if report["epoch"] < 500 else None
            await made.cycles(4)
            assert len(made.engine.reports) == 1
            made.lease.trusted = True
            made.lease.grow(1000)
            await made.cycles(1)
        assert made.engine.reports[-1]["epoch"] == 1100

    run(test)


def test_only_the_holder_of_the_lease_sends() -> None:
    """Without the lease there are no reports; while the lease's store is silent they go on for a while."""

    async def test(made: Site) -> None:
        made.lease.held = False
        async with made.server():
            await made.cycles(2)
            assert made.engine.reports == []
            made.lease.held = True
            await made.cycles(1)
            made.lease.trusted = False
            await made.cycles(60)
            assert len(made.engine.reports) > 55
            await made.cycles(70)
            count = len(made.engine.reports)
            await made.cycles(10)
            assert len(made.engine.reports) == count

    run(test)


def test_a_refused_statistic_takes_only_its_own_target_out() -> None:
    """NO_STATISTICS with the object named; other targets are unchanged; it heals by itself."""

    async def test(made: Site) -> None:
        options: Options = {"pacing": {"media": "chat"}}
        made.builder.add("dns", "Hidden", Dn(switch="S", number="Hidden", options=options))
        made.builder.replace(made.group, origination_dns=("Chat",))
        made.builder.add("agent-groups", "H", AgentGroup(origination_dns=("Hidden",)))
        made.stat.agents["H"] = (agent("hal"),)
        made.stat.missing.add("Hidden")
        made.change()
        async with made.server() as server:
            await made.cycles(2)
            assert made.engine.reasons("Hidden - chat") == ["no_statistics"] * 2
            assert made.engine.permits()[0] > 0
            assert any("'Hidden'" in finding.object for finding in server.findings())
            made.stat.missing.clear()
            await made.cycles(2)
        assert "no_statistics" not in made.engine.reasons("Hidden - chat")[2:]

    run(test)


def test_a_silent_stat_server_is_trusted_for_two_cycles_then_ends_permits() -> None:
    """Last known values for two cycles, then reduced, then none; it recovers alone."""

    async def test(made: Site) -> None:
        async with made.server() as server:
            await made.cycles(3)
            made.stat.is_live = False
            await made.cycles(5)
            assert made.engine.reasons()[-2:] == ["stale_statistics"] * 2
            assert made.engine.permits()[-2:] == [0, 0]
            assert any(finding.object == "Stat Server" for finding in server.findings())
            made.stat.is_live = True
            await made.cycles(2)
            assert made.engine.permits()[-1] > 0

    run(test)


def test_statistics_are_opened_anew_after_a_lost_connection() -> None:
    """The link breaks, the SDK reconnects, the next cycles know the agents again."""

    async def test(made: Site) -> None:
        async with made.server():
            await made.cycles(2)
            made.stat.agents["G"] = (agent("only"),)
            await made.stat.served.links[-1].close()
            await made.cycles(3)
        ready = [report["targets"][0]["ready"] for report in made.engine.reports]
        assert (ready[0], ready[-1]) == (10.0, 1.0)

    run(test)


def test_stop_and_resume_are_stored_and_survive_a_restart() -> None:
    """A stopped target has no permits until it is resumed, also by the next process."""

    async def test(made: Site) -> None:
        async with made.server() as server:
            await made.cycles(1)
            face = Served("pacing", server.handlers, made.times)
            client = PacingServerClient(await face.connect("operator"))
            await client.target.stop(name=TARGET)
            await made.cycles(1)
            assert (made.engine.reasons()[-1], made.engine.permits()[-1]) == ("stopped", 0)
            await face.close()
        made.lease.grow()
        async with made.server() as server:
            await made.cycles(1)
            assert made.engine.reasons()[-1] == "stopped"
            face = Served("pacing", server.handlers, made.times)
            client = PacingServerClient(await face.connect("operator"))
            await client.target.resume(name=TARGET)
            await client.pacing.stop()
            await made.cycles(1)
            assert made.engine.reasons()[-1] == "stopped"
            await client.pacing.resume()
            await made.cycles(1)
            assert made.engine.reasons()[-1] != "stopped"
            await face.close()

    run(test)


def test_a_stop_works_without_the_database_and_a_resume_does_not() -> None:
    """What cannot be stored errs on the safe side: no permits, and the error says so."""

    async def test(made: Site) -> None:
        await made.database.close()
        made.database = database = FailingDatabase()
        async with made.server() as server:
            await made.cycles(1)
            face = Served("pacing", server.handlers, made.times)
            client = PacingServerClient(await face.connect("operator"))
            pairs: tuple[tuple[Request, Request], ...] = (
                (
                    partial(client.target.stop, name=TARGET),
                    partial(client.target.resume, name=TARGET),
                ),
                (client.pacing.stop, client.pacing.resume),
            )
            for stop, resume in pairs:
                for request, outcome in ((stop, "unknown"), (resume, "not_done")):
                    database.refusals = 1
                    with pytest.raises(PacelineError, match="database_unavailable") as refused:
                        await request()
                    assert refused.value.outcome == outcome
                    await made.cycles(1)
                    assert made.engine.reasons()[-1] == "stopped"
                await resume()
            await face.close()

    run(test)


def test_a_restart_goes_on_warm() -> None:
    """What was learned is saved at stop and continued by the next process; the epoch rises."""

    async def test(made: Site) -> None:
        async with made.server():
            for count in range(1, 40):
                made.stat.values["Chat", "PACS_VQ_Accepted"] = count
                await made.cycles(1)
            before = made.engine.reports[-1]
        made.lease.grow()
        async with made.server():
            await made.cycles(2)
        assert made.engine.reports[-1]["epoch"] == before["epoch"] + 1
        assert made.engine.reasons()[-1] == "forecast"

    run(test)


def test_requests_show_the_last_cycle() -> None:
    """List, detail, history, cluster and stream tell the same cycle; unknown names are refused."""

    async def test(made: Site) -> None:
        async with made.server() as server:
            face = Served("pacing", server.handlers, made.times)
            client = PacingServerClient(await face.connect("console"))
            await made.cycles(2)
            page = await client.target.list()
            assert [(row.name, row.ready) for row in page.items] == [(TARGET, 10.0)]
            detail = await client.target.get(name=TARGET)
            assert detail.inputs["ready"] == 10.0
            assert detail.diagnostics["acceptance"] is not None
            assert detail.target.reason_text
            history = await client.target.history(name=TARGET)
            assert [row.sequence for row in history.items] == [1, 2]
            cluster = await client.cluster.get()
            assert (cluster.epoch, cluster.sequence, cluster.nodes[0].is_master) == (100, 2, True)
            seen: list[TargetsNotice] = []
            client.target.subscribe(lambda: StreamTargets(sort="-permits"), seen.append)
            await made.cycles(1)
            made.stat.values["Chat", "CallWait"] = 3.0
            await made.cycles(1)
            assert [row.name for row in seen[0].items] == [TARGET]
            assert seen[-1].items[0].waiting == 3.0
            with pytest.raises(PacelineError, match="no pacing target"):
                await client.target.get(name="nobody")
            await face.close()

    run(test)


def test_at_sixty_times_the_speed_reports_follow_business_time() -> None:
    """The period is business time; a request may take at least 250 ms of machine time."""

    async def test(made: Site) -> None:
        made.engine.delay_s = 0.05
        async with made.server():
            await made.cycles(12)
        assert 11 <= len(made.engine.reports) <= 12
        assert made.times.machine.monotonic() < 1.1
        assert made.messages == []

    run(test, speed=60.0)


def test_a_missing_integration_is_named_and_heals() -> None:
    """Without the engine's address there is an alarm and a finding, no crash."""

    async def test(made: Site) -> None:
        made.builder.replace(made.transaction, options={})
        made.change()
        async with made.server() as server:
            await made.cycles(1)
            assert made.messages == [(100603, "Pacing")]
            assert sum("hybrid_integration" in f.object for f in server.findings()) == 4
            made.builder.replace(made.transaction, options=made.integration)
            made.change()
            await made.cycles(1)
        assert made.messages[-1] == (100604, "Pacing")

    run(test)


def test_no_secret_is_in_the_report_or_the_saved_state() -> None:
    """The password goes to the token endpoint and nowhere else."""

    async def test(made: Site) -> None:
        secret = "s3cret-password"
        made.engine.password = secret
        made.builder.replace(
            made.transaction,
            options={**made.integration, "ewt": {"client_id": "pacing", "password": secret}},
        )
        made.change()
        async with made.server() as server:
            await made.cycles(1)
            assert secret not in repr(server.findings())
        [row] = await made.database.fetch("SELECT state FROM pacing.pacer_state")
        assert secret.encode() not in row[0]
        assert secret.encode() not in msgspec.json.encode(made.engine.reports)

    run(test)


def test_transaction_is_read_by_its_name() -> None:
    """Another transaction is not the integration."""

    async def test(made: Site) -> None:
        made.builder.add("transactions", "other", Transaction(options=made.integration))
        made.change()
        async with made.server():
            await made.cycles(1)
        assert len(made.engine.reports) == 1

    run(test)
