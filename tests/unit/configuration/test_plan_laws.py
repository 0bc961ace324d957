"""Laws of plans: whatever is put, renamed and deleted, the site stays whole."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.model.configuration import ConfigurationObject, Dn
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.configuration.rules.plan import Plan, Planner
from paceline.servers.configuration.rules.references import references_of
from paceline.servers.configuration.rules.site import Id, Site
from paceline.wire.operations.configuration import Change

Edges = set[tuple[Id, str, Id]]
names = st.sampled_from(["A", "B", "C", "D"])
lists = st.lists(names, max_size=2, unique=True)


def planner(plan: Plan) -> Planner:
    """A planner on the outcome of another plan."""
    return Planner(plan.site, plan.last_id, secrets=(), is_current=lambda _id, _secret: False)


def put(object_type: str, name: str, fields: dict[str, Any]) -> Change:
    """A change that creates or replaces."""
    return Change(type=object_type, name=name, body=msgspec.Raw(msgspec.json.encode(fields)))


SEED = (
    put("folders", "A", {}),
    *(put("switches", name, {}) for name in "AB"),
    *(put("skills", name, {}) for name in "AB"),
    put("persons", "A", {"skills": {"A": 1, "B": 2}, "folder": "A"}),
    put("persons", "B", {"skills": {"A": 1}}),
    put("dns", "alias", {"number": "A", "switch": "A"}),
    put("dns", "alias", {"number": "B", "switch": "B"}),
    put("agent-groups", "A", {"agents": ["A", "B"], "origination_dns": ["A", "A@A", "B@B"]}),
    put("agent-groups", "B", {"agents": ["B"], "origination_dns": ["B"], "folder": "A"}),
)
"""A site in which nearly everything is named by something."""


def first() -> Plan:
    """The site that every sequence of changes begins with."""
    empty = Planner(
        Site(ConfigurationSnapshot(())), 0, secrets=(), is_current=lambda _id, _secret: False
    )
    empty.create("tenants", 1, "Environment", {})
    for change in SEED:
        empty.apply(change)
    return empty.finish()


puts = st.one_of(
    st.builds(put, st.sampled_from(["switches", "skills", "folders"]), names, st.just({})),
    st.builds(
        lambda name, skills, folder: put(
            "persons", name, {"skills": dict.fromkeys(skills, 1), "folder": folder}
        ),
        names,
        lists,
        st.sampled_from(["", "A"]),
    ),
    st.builds(
        lambda number, switch: put("dns", "alias", {"number": number, "switch": switch}),
        names,
        names,
    ),
    st.builds(
        lambda name, agents, number, switch: put(
            "agent-groups",
            name,
            {"agents": agents, "origination_dns": [number, f"{number}@{switch}"]},
        ),
        names,
        lists,
        names,
        names,
    ),
)
deletes = st.builds(
    lambda object_type, name: Change(action="delete", type=object_type, name=name),
    st.sampled_from(["switches", "skills", "folders", "persons", "agent-groups"]),
    names,
)
renames = st.tuples(st.integers(0, 20), names)
steps = st.lists(st.one_of(st.lists(puts | deletes, min_size=1, max_size=4), renames), max_size=12)


def renamed(plan: Plan, which: int, name: str) -> Plan:
    """The plan after one object got another name, a DN another number."""
    items = sorted(plan.site.snapshot.objects.values(), key=lambda item: item.id)
    item = items[which % len(items)]
    fields: dict[str, Any] = msgspec.to_builtins(item.body)
    if isinstance(item.body, Dn):
        fields["number"] = name
    work = planner(plan)
    work.replace(item, name, fields)
    return work.finish()


def applied(plan: Plan, changes: list[Change]) -> Plan:
    """The plan after an apply."""
    work = planner(plan)
    for change in changes:
        work.apply(change)
    return work.finish()


def edges(site: Site) -> Edges:
    """Who refers to whom in which field, by ids; fails when a name means nothing."""
    return {
        ((item.type, item.id), reference.field.name, (target.type, target.id))
        for item in site.snapshot.objects.values()
        for reference in references_of(item.body)
        for target in (site.resolve(item, reference),)
    }


def replayed(objects: dict[Id, ConfigurationObject], plan: Plan) -> dict[Id, ConfigurationObject]:
    """The objects after a plan's items: what followers do with the changes."""
    for item in plan.items:
        if item.after is not None:
            objects[item.after.type, item.after.id] = item.after
        elif item.before is not None:
            del objects[item.before.type, item.before.id]
    return objects


@given(steps)
def test_the_site_stays_whole(given_steps: list[Any]) -> None:
    """All references resolve; a rename keeps who refers to whom; apply twice changes nothing;
    the changes replayed give the objects; versions grow with each change; refusals change nothing."""
    plan = first()
    objects = replayed({}, plan)
    for step in given_steps:
        before = edges(plan.site)
        is_rename = isinstance(step, tuple)
        try:
            new = renamed(plan, *step) if is_rename else applied(plan, step)
        except PacelineError as refused:
            # A number may become ambiguous; any other name may only be taken already.
            assert not is_rename or refused.name == "object_exists" or "@SWITCH" in refused.message
            continue
        after = edges(new.site)
        if is_rename:
            assert after == before
        for item in new.items:
            if item.before is not None and item.after is not None:
                assert item.after.version == item.before.version + 1
        objects = replayed(objects, new)
        assert objects == dict(new.site.snapshot.objects)
        plan = new


@given(st.lists(puts, min_size=1, max_size=6, unique_by=lambda c: (c.type, c.name, bytes(c.body))))
def test_an_apply_is_idempotent(changes: list[Change]) -> None:
    """What was applied once is unchanged by the same changes again, unless they contradict."""
    keys = [(change.type, change.name) for change in changes if change.type != "dns"]
    if len(set(keys)) < len(keys):
        return
    try:
        once = applied(first(), changes)
    except PacelineError:
        return
    assert applied(once, changes).items == ()
