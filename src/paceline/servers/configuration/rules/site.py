"""The whole configuration with its look-ups: objects by key, and who refers to whom.

Made anew after each change by plan.py; never changes. Every reference in a Site that was
committed can be resolved: plan.py refuses others.
"""

from collections.abc import Iterable
from functools import cached_property

from paceline.errors.failure import PacelineError
from paceline.model.configuration import ConfigurationObject, Dn
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.configuration.rules.names import (
    SHARED_TYPES,
    UNIQUE_IN_SITE,
    Key,
    key_of,
    script_kind,
)
from paceline.servers.configuration.rules.references import Reference, references_of

Id = tuple[str, int]
"""Type and id of an object."""


def described(item: ConfigurationObject) -> str:
    """An object as errors name it."""
    if isinstance(item.body, Dn):
        return f"dns '{item.body.number}@{item.body.switch}'"
    return f"{item.type} '{item.name}'"


class Site:
    """All objects of a snapshot, each under its own key.

    Raises
    ------
    PacelineError
        `object_exists` when two objects have one key.
    """

    def __init__(self, snapshot: ConfigurationSnapshot) -> None:
        self.snapshot = snapshot
        self._by_key: dict[Key, ConfigurationObject] = {}
        self._by_number: dict[tuple[int, str], list[ConfigurationObject]] = {}
        for item in snapshot.objects.values():
            other = self._by_key.setdefault(
                key_of(item.type, item.tenant, item.name, item.body), item
            )
            if other is not item:
                raise PacelineError(
                    "object_exists",
                    f"{described(item)}: {other.type} has one of this name; choose another name",
                    field="name",
                )
            if isinstance(item.body, Dn):
                self._by_number.setdefault((item.tenant, item.body.number), []).append(item)

    def find(self, key: Key) -> ConfigurationObject | None:
        """The object under a key."""
        return self._by_key.get(key)

    def resolve(self, owner: ConfigurationObject, reference: Reference) -> ConfigurationObject:
        """The object that a name in `owner` means.

        Raises
        ------
        PacelineError
            `invalid_attribute` naming object, field and fix.
        """
        target = reference.field.target
        # What a tenant names is its own, wherever the tenant itself stands.
        tenant = owner.id if owner.type == "tenants" else owner.tenant
        if target == "dns":
            return self._dn(owner, reference, tenant)
        scope = 0 if target in UNIQUE_IN_SITE else tenant
        found = None
        for text in _key_texts(owner, reference):
            found = found or self._by_key.get((target, scope, text))
        if found is None or (target not in SHARED_TYPES and found.tenant != tenant):
            raise _unresolved(owner, reference, f"create it in {target} or name another")
        return found

    def _dn(
        self, owner: ConfigurationObject, reference: Reference, tenant: int
    ) -> ConfigurationObject:
        number, at, switch = reference.name.partition("@")
        found = [
            item
            for item in self._by_number.get((tenant, number), ())
            if not at or (isinstance(item.body, Dn) and item.body.switch == switch)
        ]
        if len(found) > 1:
            fix = f"it is on several switches: write {number}@SWITCH"
            raise _unresolved(owner, reference, fix)
        if not found:
            raise _unresolved(owner, reference, "create it in dns or name another number")
        return found[0]

    def same_number(self, item: ConfigurationObject) -> Iterable[ConfigurationObject]:
        """All DNs of the tenant with this DN's number, on whatever switch."""
        if not isinstance(item.body, Dn):
            return ()
        return self._by_number.get((item.tenant, item.body.number), ())

    def referrers(self, item: ConfigurationObject) -> list[ConfigurationObject]:
        """Objects that name this one, in the order of ids."""
        ids = self._referrers.get((item.type, item.id), ())
        return sorted((self.snapshot.objects[which] for which in ids), key=lambda o: o.id)

    @cached_property
    def _referrers(self) -> dict[Id, set[Id]]:
        known: dict[Id, set[Id]] = {}
        for item in self.snapshot.objects.values():
            for reference in references_of(item.body):
                target = self.resolve(item, reference)
                known.setdefault((target.type, target.id), set()).add((item.type, item.id))
        return known


def _key_texts(owner: ConfigurationObject, reference: Reference) -> tuple[str, ...]:
    field, name = reference
    if field.target == "folders":
        return f"{owner.type}:{name}", f":{name}"
    if field.kind is not None:
        return (f"{script_kind(field.kind)}:{name}",)
    return (name,)


def _unresolved(owner: ConfigurationObject, reference: Reference, fix: str) -> PacelineError:
    field = reference.field.name
    return PacelineError(
        "invalid_attribute",
        f"{described(owner)}: field '{field}': '{reference.name}' does not exist or is not the "
        f"only one; {fix}",
        field=field,
    )
