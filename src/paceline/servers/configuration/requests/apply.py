"""Requests for many objects at once: apply, and an application's options as they work."""

import msgspec

from paceline.checks.site import check_configuration
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.servers.configuration.rules.effective import effective
from paceline.servers.configuration.rules.plan import Planner
from paceline.servers.configuration.rules.secret_fields import masked
from paceline.servers.configuration.rules.show import sees_secrets, sees_tenant
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.configuration import (
    Applied,
    AppliedRow,
    Apply,
    Effective,
    EffectiveRef,
)


class ApplyRequests:
    """`configuration.apply` and `configuration.effective`."""

    def __init__(self, live: LiveConfiguration) -> None:
        self._live = live

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {
            "configuration.apply": self.apply,
            "configuration.effective": self.effective,
        }

    async def apply(self, call: Call, request: Apply) -> Applied:
        """All changes in one transaction or none; repeated, it writes nothing."""
        for change in request.changes:
            call.tenant_of(change.tenant)

        def work(planner: Planner) -> tuple[AppliedRow, ...]:
            return tuple(planner.apply(change) for change in request.changes)

        rows, plan = await self._live.change(
            call.principal.name,
            work,
            dry_run=request.dry_run,
            expected_seq=request.expected_seq,
        )
        findings = check_configuration(plan.site.snapshot)
        return Applied(
            seq=self._live.seq,
            items=rows,
            findings=tuple(msgspec.structs.asdict(finding) for finding in findings),
        )

    async def effective(self, call: Call, request: EffectiveRef) -> Effective:
        """An application with what it has from its cluster."""
        snapshot = self._live.snapshot
        found = snapshot.objects.get(("applications", request.id))
        if (
            found is None
            or not isinstance(found.body, Application)
            or not sees_tenant(call.principal, found.tenant)
        ):
            raise PacelineError(
                "not_found",
                f"there is no application {request.id}; list applications for ids",
                field="id",
            )
        whole = effective(snapshot, found.body)
        shown = whole if sees_secrets(call.principal) else masked(whole, self._live.secrets)
        return Effective(
            application=found.name,
            options=shown.options,
            connections=tuple(link.server for link in whole.connections),
        )
