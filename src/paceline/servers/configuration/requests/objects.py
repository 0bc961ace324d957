"""Requests for single objects: list, get, create, replace, change, delete."""

from collections.abc import Callable
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import ConfigurationObject, Dn
from paceline.servers.configuration.live.configuration import LiveConfiguration
from paceline.servers.configuration.rules.bodies import fields_of, merged
from paceline.servers.configuration.rules.names import check_type
from paceline.servers.configuration.rules.plan import Planner
from paceline.servers.configuration.rules.show import record_of, sees_tenant
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.configuration import (
    ChangeObject,
    CreateObject,
    ListObjects,
    ObjectPage,
    ObjectRecord,
    ObjectRef,
    ReplaceObject,
)
from paceline.wire.page import checked_limit, number_of


class ObjectRequests:
    """Answers from memory; changes one object a transaction."""

    def __init__(self, live: LiveConfiguration) -> None:
        self._live = live

    @property
    def handlers(self) -> Handlers:
        """Operations of this family."""
        return {
            "object.list": self.list,
            "object.get": self.get,
            "object.create": self.create,
            "object.replace": self.replace,
            "object.change": self.change,
            "object.delete": self.delete,
        }

    async def list(self, call: Call, request: ListObjects) -> ObjectPage:
        """A page; a caller of the whole site that names no tenant gets the objects of all."""
        check_type(request.type)
        after = number_of(request.continuation) or 0
        limit = checked_limit(request.limit)
        tenant = None if not call.principal.tenants else call.tenant
        if request.tenant is not None:
            tenant = call.tenant_of(request.tenant)
        snapshot = self._live.snapshot
        found = sorted(
            (
                item
                for (type_, id_), item in snapshot.objects.items()
                if type_ == request.type
                and id_ > after
                and tenant in (None, item.tenant)
                and _matches(item, request)
            ),
            key=lambda item: item.id,
        )
        items, is_complete = found[:limit], len(found) <= limit
        return ObjectPage(
            items=tuple(self._record(call, item) for item in items),
            continuation=None if is_complete else str(items[-1].id),
            complete=is_complete,
            seq=snapshot.seq,
        )

    async def get(self, call: Call, request: ObjectRef) -> ObjectRecord:
        """One object."""
        return self._record(call, self._find(call, request))

    async def create(self, call: Call, request: CreateObject) -> ObjectRecord:
        """A new object; it is stored when the answer comes."""
        check_type(request.type)
        tenant = call.tenant_of(request.tenant)
        fields = fields_of(request.body)
        new_id, _ = await self._live.change(
            call.principal.name,
            lambda planner: planner.create(request.type, tenant, request.name, fields),
        )
        return self._record(call, self._live.snapshot.objects[request.type, new_id])

    async def replace(self, call: Call, request: ReplaceObject) -> ObjectRecord:
        """A whole new name and body."""
        fields = fields_of(request.body)
        return await self._set(call, request, request.name, lambda _item: fields)

    async def change(self, call: Call, request: ChangeObject) -> ObjectRecord:
        """Some fields; those not named stay."""
        patch = fields_of(request.body)
        return await self._set(
            call,
            request,
            request.name,
            lambda item: merged(msgspec.to_builtins(item.body), patch),
        )

    async def delete(self, call: Call, request: ObjectRef) -> Done:
        """Deletes an object that nothing refers to."""
        await self._live.change(
            call.principal.name, lambda planner: planner.remove(self._find(call, request))
        )
        return Done()

    async def _set(
        self,
        call: Call,
        request: ReplaceObject | ChangeObject,
        name: str | None,
        fields: Callable[[ConfigurationObject], dict[str, Any]],
    ) -> ObjectRecord:
        def work(planner: Planner) -> None:
            item = self._find(call, request)
            planner.replace(item, item.name if name is None else name, fields(item))

        await self._live.change(call.principal.name, work)
        return self._record(call, self._live.snapshot.objects[request.type, request.id])

    def _find(
        self, call: Call, request: ObjectRef | ReplaceObject | ChangeObject
    ) -> ConfigurationObject:
        check_type(request.type)
        found = self._live.snapshot.objects.get((request.type, request.id))
        wanted = None if request.tenant is None else call.tenant_of(request.tenant)
        if (
            found is None
            or wanted not in (None, found.tenant)
            or not sees_tenant(call.principal, found.tenant)
        ):
            raise PacelineError(
                "not_found",
                f"there is no object {request.id} in {request.type}; list {request.type} for ids",
                field="id",
            )
        return found

    def _record(self, call: Call, item: ConfigurationObject) -> ObjectRecord:
        return record_of(item, call.principal, self._live.secrets)


def _matches(item: ConfigurationObject, request: ListObjects) -> bool:
    if request.name is not None and item.name != request.name:
        return False
    if request.number is None and request.switch is None:
        return True
    return (
        isinstance(item.body, Dn)
        and request.number in (None, item.body.number)
        and request.switch in (None, item.body.switch)
    )
