"""What a transaction of changes makes of the site: all new states, checked as a whole.

Called by live/configuration.py with the site as it is. Objects of one transaction may refer to
each other in any order: references are checked when all changes are known. Never stores anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import (
    SHIPPED_ACCESS_GROUPS,
    Body,
    ConfigurationObject,
    Dn,
)
from paceline.model.options import SecretSource
from paceline.servers.configuration.rules.bodies import TypedBody, fields_of, typed_body
from paceline.servers.configuration.rules.names import (
    Key,
    check_type,
    checked_name,
    home_of,
    key_of,
    key_text,
)
from paceline.servers.configuration.rules.references import (
    Reference,
    references_of,
    with_names,
)
from paceline.servers.configuration.rules.secret_fields import SecretNames, with_kept
from paceline.servers.configuration.rules.site import Id, Site, described
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.operations.configuration import AppliedRow, Change


@dataclass(frozen=True, slots=True)
class Planned:
    """One object before and after; `credential` when its password or secret becomes another."""

    before: ConfigurationObject | None
    after: ConfigurationObject | None
    credential: SecretSource | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of a transaction: nothing to write when `items` is empty."""

    items: tuple[Planned, ...]
    site: Site
    last_id: int


class Planner:
    """Collects changes of one transaction over a site.

    Parameters
    ----------
    last_id
        The highest id ever given to an object; ids are unique over all types and never reused.
    is_current
        Whether a credential is the one that the object with this id has.
    """

    def __init__(
        self,
        site: Site,
        last_id: int,
        *,
        secrets: SecretNames,
        is_current: Callable[[int, SecretSource], bool],
    ) -> None:
        self._site = site
        self._last_id = last_id
        self._secrets = secrets
        self._is_current = is_current
        self._now: dict[Id, ConfigurationObject] = {}
        self._gone: dict[Id, ConfigurationObject] = {}
        self._keys: dict[Key, ConfigurationObject | None] = {}
        self._credentials: dict[int, SecretSource] = {}

    # --- changes --------------------------------------------------------------------------------

    def apply(self, change: Change) -> AppliedRow:
        """One change of `configuration.apply`, found by its key."""
        if change.action == "delete":
            return self._apply_delete(change)
        name = checked_name(change.type, change.name)
        fields = fields_of(change.body)
        typed = typed_body(change.type, name, fields)
        tenant = home_of(change.type, change.tenant)
        found = self._find(key_of(change.type, tenant, name, typed.body))
        if found is None:
            item = self._add(change.type, tenant, name, typed)
            return AppliedRow(type=item.type, name=name, id=item.id, action="created")
        if (found.type, found.tenant) != (change.type, tenant):
            raise PacelineError(
                "object_exists",
                f"{change.type} '{name}': {found.type} of tenant {found.tenant} has one of this "
                "name; choose another name",
                field="name",
            )
        is_changed = self._set(found, name, typed)
        action = "changed" if is_changed else "unchanged"
        return AppliedRow(type=found.type, name=name, id=found.id, action=action)  # type: ignore[arg-type]  # one of two literals

    def create(self, object_type: str, tenant: int, name: str, fields: dict[str, Any]) -> int:
        """A new object; its id. That its key is free is checked by `finish`."""
        clean = checked_name(object_type, name)
        typed = typed_body(object_type, clean, fields)
        return self._add(object_type, home_of(object_type, tenant), clean, typed).id

    def replace(self, item: ConfigurationObject, name: str, fields: dict[str, Any]) -> None:
        """A new name and body; a rename ripples through every reference."""
        clean = checked_name(item.type, name)
        self._refuse_shipped(item, clean)
        typed = typed_body(item.type, clean, fields)
        if type(typed.body) is not type(item.body):
            raise PacelineError(
                "invalid_attribute",
                f"{described(item)}: the kind of a script cannot change; create a new one",
                field="script_type",
            )
        self._set(item, clean, typed)
        if _called(self._now.get((item.type, item.id), item)) != _called(item):
            self._ripple(item)

    def remove(self, item: ConfigurationObject) -> None:
        """Deletes an object; that nothing refers to it is checked by `finish`."""
        self._refuse_shipped(item, None)
        self._now.pop((item.type, item.id), None)
        self._gone[item.type, item.id] = item
        self._keys[key_of(item.type, item.tenant, item.name, item.body)] = None

    # --- outcome --------------------------------------------------------------------------------

    def finish(self) -> Plan:
        """The plan of all changes together.

        Raises
        ------
        PacelineError
            `object_exists`, `object_in_use`, or `invalid_attribute` for a reference to nothing.
        """
        before = self._site.snapshot.objects
        items = [
            Planned(before.get(key), after, self._credentials.get(after.id))
            for key, after in self._now.items()
            if after != before.get(key)
        ]
        items += [Planned(before[key], None) for key in self._gone if key in before]
        if not items:
            return Plan((), self._site, self._last_id)
        changed = [item.after for item in items if item.after is not None]
        snapshot = self._site.snapshot.with_changes(
            changed, self._gone, seq=self._site.snapshot.seq + 1
        )
        site = Site(snapshot)
        self._check_references(site, changed)
        self._check_tenants_left(site)
        return Plan(tuple(sorted(items, key=_order)), site, self._last_id)

    # --- inside ---------------------------------------------------------------------------------

    def _apply_delete(self, change: Change) -> AppliedRow:
        check_type(change.type)
        wanted = fields_of(change.body)
        tenant = home_of(change.type, change.tenant)
        found = [
            item
            for item in self._objects()
            if (item.type, item.tenant) == (change.type, tenant)
            and change.name in (item.name, key_text(item.name, item.body))
            and wanted.items() <= _plain(item.body).items()
        ]
        if not found:
            return AppliedRow(type=change.type, name=change.name, id=0, action="absent")
        if len(found) > 1:
            raise PacelineError(
                "invalid_attribute",
                f"{change.type} '{change.name}': {len(found)} objects have this name; name one by "
                "number and switch, or by script_type, in the body",
                field="name",
            )
        self.remove(found[0])
        return AppliedRow(type=change.type, name=change.name, id=found[0].id, action="deleted")

    def _objects(self) -> Iterable[ConfigurationObject]:
        for key, item in self._site.snapshot.objects.items():
            if key not in self._gone and key not in self._now:
                yield item
        yield from tuple(self._now.values())

    def _find(self, key: Key) -> ConfigurationObject | None:
        return self._keys[key] if key in self._keys else self._site.find(key)

    def _add(
        self, object_type: str, tenant: int, name: str, typed: TypedBody
    ) -> ConfigurationObject:
        self._last_id += 1
        self._check_tenant(object_type, tenant)
        body = self._kept(object_type, name, typed.body, None)
        item = ConfigurationObject(
            type=object_type, id=self._last_id, tenant=tenant, name=name, body=body
        )
        if typed.credential is not None:
            self._credentials[item.id] = typed.credential
        self._put(item)
        return item

    def _set(self, item: ConfigurationObject, name: str, typed: TypedBody) -> bool:
        body = self._kept(item.type, name, typed.body, item.body)
        given = typed.credential
        has_new_credential = given is not None and not self._is_current(item.id, given)
        if has_new_credential and given is not None:
            self._credentials[item.id] = given
        if name == item.name and body == item.body and not has_new_credential:
            return False
        known = self._site.snapshot.objects.get((item.type, item.id))
        version = known.version + 1 if known is not None else item.version
        self._put(msgspec.structs.replace(item, name=name, body=body, version=version))
        return True

    def _put(self, item: ConfigurationObject) -> None:
        self._now[item.type, item.id] = item
        self._keys[key_of(item.type, item.tenant, item.name, item.body)] = item

    def _kept(self, object_type: str, name: str, body: Body, before: Body | None) -> Body:
        try:
            return with_kept(body, before, self._secrets)
        except PacelineError as refused:
            raise PacelineError(
                refused.name, f"{object_type} '{name}': {refused.message}", field=refused.field
            ) from None

    def _check_tenant(self, object_type: str, tenant: int) -> None:
        is_first = object_type == "tenants" and self._last_id == DEFAULT_TENANT
        key = ("tenants", tenant)
        if not is_first and key not in self._site.snapshot.objects and key not in self._now:
            raise PacelineError(
                "invalid_attribute",
                f"there is no tenant {tenant}; create it first and give its id",
                field="tenant",
            )

    def _refuse_shipped(self, item: ConfigurationObject, name: str | None) -> None:
        """Shipped groups keep their names, which carry their rights; tenant 1 is the site itself."""
        is_shipped = item.type == "access-groups" and item.name in SHIPPED_ACCESS_GROUPS
        is_site = item.type == "tenants" and item.id == DEFAULT_TENANT
        if (is_shipped and name != item.name) or (is_site and name is None):
            raise PacelineError(
                "not_allowed",
                f"{described(item)} is part of every site; it stays as it is",
                field="name",
            )

    def _ripple(self, renamed: ConfigurationObject) -> None:
        direct = self._site.referrers(renamed)
        # A DN is called number@switch, so that whoever names a switch's DN names the switch too.
        through = [r for dn in direct if isinstance(dn.body, Dn) for r in self._site.referrers(dn)]
        for referrer in (*direct, *through):
            key = (referrer.type, referrer.id)
            if key == (renamed.type, renamed.id):
                continue
            body = with_names(referrer.body, lambda ref, who=referrer: self._name_now(who, ref))  # type: ignore[misc]  # mypy infers no type for a lambda's default
            if body != referrer.body:
                version = referrer.version + 1
                self._put(msgspec.structs.replace(referrer, body=body, version=version))

    def _name_now(self, owner: ConfigurationObject, reference: Reference) -> str:
        target = self._site.resolve(owner, reference)
        now = self._now.get((target.type, target.id), target)
        if isinstance(now.body, Dn):
            return key_text(now.name, now.body) if "@" in reference.name else now.body.number
        return now.name

    def _check_references(self, site: Site, changed: list[ConfigurationObject]) -> None:
        concerned = {(item.type, item.id): item for item in changed}
        for gone in self._gone.values():
            self._concern(concerned, gone)
        for item in changed:
            for twin in site.same_number(item):
                self._concern(concerned, twin)
        for key in concerned:
            if (current := site.snapshot.objects.get(key)) is not None:
                self._check_one(site, current)

    def _check_tenants_left(self, site: Site) -> None:
        gone = {item.id: item for item in self._gone.values() if item.type == "tenants"}
        for item in site.snapshot.objects.values():
            if item.tenant in gone:
                raise PacelineError(
                    "object_in_use",
                    f"{described(gone[item.tenant])} has {described(item)}; delete that first",
                    field="id",
                )

    def _concern(
        self, concerned: dict[Id, ConfigurationObject], target: ConfigurationObject
    ) -> None:
        if (target.type, target.id) in self._site.snapshot.objects:
            for referrer in self._site.referrers(target):
                concerned.setdefault((referrer.type, referrer.id), referrer)

    def _check_one(self, site: Site, item: ConfigurationObject) -> None:
        for reference in references_of(item.body):
            try:
                site.resolve(item, reference)
            except PacelineError:
                if (gone := self._gone_target(item, reference)) is None:
                    raise
                raise PacelineError(
                    "object_in_use",
                    f"{described(gone)} is named by {described(item)} in field "
                    f"'{reference.field.name}'; remove it there first",
                    field=reference.field.name,
                ) from None

    def _gone_target(
        self, item: ConfigurationObject, reference: Reference
    ) -> ConfigurationObject | None:
        try:
            target = self._site.resolve(item, reference)
        except PacelineError:
            return None
        return self._gone.get((target.type, target.id))


def _called(item: ConfigurationObject) -> tuple[str, str]:
    """What others call the object: only DNs are called by something else than the name."""
    key = key_text(item.name, item.body)
    return (key, "") if isinstance(item.body, Dn) else (key, item.name)


def _plain(body: Body) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(body)
    return fields


def _order(item: Planned) -> tuple[bool, int]:
    """Deletions first, so that a key is free before another object takes it; then by id."""
    known = item.after or item.before
    return item.after is not None, known.id if known is not None else 0
