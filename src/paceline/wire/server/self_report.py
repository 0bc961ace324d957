"""The five `server.*` operations that every server answers: alive, ready, status, ping, findings.

Made once per server by assembly from its life cycle; never asks another server.
"""

import os
from collections.abc import Callable
from importlib.metadata import version

from paceline.model.instant import to_text
from paceline.model.options import Finding
from paceline.runtime.life_cycle import LifeCycle, State
from paceline.runtime.times import MachineTime, Times
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.everywhere import FindingRow, Findings, Nothing, Pong, Ready, Status

GiveFindings = Callable[[], tuple[Finding, ...]]


def self_report_handlers(
    server: LifeCycle, application: str, kind: str, times: Times, findings: GiveFindings
) -> Handlers:
    """Handlers of `wire/operations/everywhere.py` for one server.

    Parameters
    ----------
    findings
        Everything wrong with what the server was given, asked anew at each request.
    """
    report = _SelfReport(server, application, kind, times.machine, findings)
    return {
        "server.live": report.live,
        "server.ready": report.ready,
        "server.status": report.status,
        "server.ping": report.ping,
        "server.findings": report.findings,
    }


class _SelfReport:
    def __init__(
        self,
        server: LifeCycle,
        application: str,
        kind: str,
        machine: MachineTime,
        findings: GiveFindings,
    ) -> None:
        self._application = application
        self._kind = kind
        self._server = server
        self._machine = machine
        self._findings = findings
        self._started_at = to_text(machine.now())
        self._version = version("paceline")

    async def live(self, _call: Call, _request: Nothing) -> Ready:
        """Whoever answers is alive."""
        return Ready(ready=True)

    async def ready(self, _call: Call, _request: Nothing) -> Ready:
        """Whether it can do its work now."""
        server = self._server
        reason = server.reason or f"the server is {server.state}"
        is_ready = server.state is State.STARTED
        return Ready(ready=is_ready, reason="" if is_ready else reason)

    async def status(self, _call: Call, _request: Nothing) -> Status:
        """Status, mode and what runs here."""
        return Status(
            application=self._application,
            kind=self._kind,
            status=self._server.state,
            mode="primary",
            reason=self._server.reason,
            pid=os.getpid(),
            version=self._version,
            started_at=self._started_at,
            now=to_text(self._machine.now()),
        )

    async def ping(self, _call: Call, _request: Nothing) -> Pong:
        """Answers at once, with the state of each node behind the server."""
        return Pong(now=to_text(self._machine.now()), nodes=await self._server.node_states())

    async def findings(self, _call: Call, _request: Nothing) -> Findings:
        """Mistakes and obstacles with their fixes."""
        rows = (
            FindingRow(
                object=found.object,
                field=found.field,
                consequence=found.consequence,
                fix=found.fix,
            )
            for found in self._findings()
        )
        return Findings(items=tuple(rows))
