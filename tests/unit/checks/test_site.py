"""Each configuration mistake is staged once in a sound site: exactly its finding appears."""

from collections.abc import Callable
from typing import get_args

import msgspec
import pytest

from paceline.checks.site import check_configuration
from paceline.model.configuration import (
    BODY_TYPES,
    AccessPoint,
    AgentGroup,
    Application,
    Body,
    BusinessAttribute,
    CapacityRule,
    ConfigurationObject,
    Connection,
    Dn,
    Options,
    OptionValue,
    Person,
    Script,
    Skill,
    Switch,
    Tenant,
    View,
)
from paceline.model.custom_properties import ATTRIBUTE
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot

Site = dict[str, Body]


def sound_site() -> Site:
    """Name to body: two targets, agents with capacity, a pacing cluster with its node."""
    chat: dict[str, OptionValue] = {"media": "chat", "optimizationGoal": "3.5"}
    return {
        "Environment": Tenant(),
        "main": Switch(),
        "Spanish": Skill(),
        "Chat": Dn(switch="main", number="Chat", options={"pacing": chat}),
        "Call": Dn(switch="main", number="Call", options={"pacing": {"media": "voice"}}),
        "Plain": Dn(switch="main", number="not the alias"),
        "Three chats": CapacityRule(media={"chat": 3}),
        "ana": Person(is_agent=True, skills={"Spanish": 7}, capacity_rule="Three chats"),
        "bob": Person(is_agent=True),
        "Chatters": AgentGroup(
            origination_dns=("Chat@main",), options={"virtual": {"script": "Spanish > 5"}}
        ),
        "Callers": AgentGroup(agents=("bob",), origination_dns=("Call",)),
        "All": View(business_process="p", queue="q", condition="Priority > 1", order="ReceivedAt"),
        "db": AccessPoint(),
        "stat": Application(application_type="stat_server", connections=(Connection(server="db"),)),
        "cluster": Application(
            application_type="application_cluster", connections=(Connection(server="stat"),)
        ),
        "node": Application(
            application_type="pacing_server", connections=(Connection(server="cluster"),)
        ),
    }


def type_of(body: Body) -> str:
    """The object type whose struct the body is."""
    return next(
        name
        for name, kind in BODY_TYPES.items()
        if kind is type(body) or (kind is Script and isinstance(body, get_args(Script)))
    )


def findings(site: Site) -> list[Finding]:
    """What the checks say of a site."""
    objects = [
        ConfigurationObject(type=type_of(body), id=n, tenant=1, name=name, body=body)
        for n, (name, body) in enumerate(site.items(), start=1)
    ]
    return list(check_configuration(ConfigurationSnapshot(objects)))


def changed(name: str, **fields: object) -> Callable[[Site], None]:
    """A mistake that changes fields of one object."""

    def apply(site: Site) -> None:
        site[name] = msgspec.structs.replace(site[name], **fields)

    return apply


def custom(key: str, name: str, kind: str = "string") -> Callable[[Site], None]:
    """A mistake in the list of custom properties, beside one that is right."""
    good: Options = {"translation": {"translate-to": "tier"}}
    annex: Options = {"translation": {"translate-to": name, "type": kind}}

    def apply(site: Site) -> None:
        site[ATTRIBUTE] = BusinessAttribute(
            values=("Tier", key), value_options={"Tier": good, key: annex}
        )

    return apply


def paced(**options: object) -> Callable[[Site], None]:
    """A mistake in the `pacing` section of the chat queue."""
    return changed("Chat", options={"pacing": options})


def renamed(old: str, new: str) -> Callable[[Site], None]:
    """A mistake in an object's name."""

    def apply(site: Site) -> None:
        site[new] = site.pop(old)

    return apply


def test_a_sound_site_has_no_findings() -> None:
    """A virtual queue without a pacing section may have any alias."""
    assert findings(sound_site()) == []


CHAT = "virtual queue 'Chat' of switch 'main'"


@pytest.mark.parametrize(
    ("mistake", "subject", "field", "said"),
    [
        (renamed("Chat", "chat"), CHAT, "alias", "is 'chat' and not the number"),
        (renamed("Chat", ""), CHAT, "alias", "is empty"),
        (paced(), CHAT, "pacing.media", "missing"),
        (paced(media=" "), CHAT, "pacing.media", "missing"),
        (paced(media="chat,email"), CHAT, "pacing.media", "'chat,email' is a list"),
        (paced(media="chat", optimizationGoal=-1), CHAT, "pacing.optimizationGoal", "'-1'"),
        (paced(media="chat", optimizationGoal=101), CHAT, "pacing.optimizationGoal", "'101'"),
        (paced(media="chat", optimizationGoal="low"), CHAT, "pacing.optimizationGoal", "'low'"),
        (paced(media="chat", optimizationGoal="nan"), CHAT, "pacing.optimizationGoal", "'nan'"),
        (changed("Chatters", origination_dns=()), CHAT, "origination_dns", "no agent group"),
        (
            changed("ana", capacity_rule=None),
            CHAT,
            "capacity_rule",
            "none of its 1 agents may take chat; never ready: ana",
        ),
        (changed("ana", capacity_rule="Lost"), CHAT, "capacity_rule", "never ready: ana"),
        (
            changed("bob", skills={"Spanish": 6}),
            CHAT,
            "capacity_rule",
            "1 of its 2 agents may take chat; never ready: bob",
        ),
        (changed("cluster", connections=()), "application 'cluster'", "connections", "Stat Server"),
        (changed("node", connections=()), "application 'node'", "connections", "0 clusters"),
        (
            changed("stat", connections=(Connection(server="gone"),)),
            "application 'stat'",
            "connections",
            "'gone'",
        ),
        (changed("All", condition="Priorty > 1"), "view 'All'", "condition", "mean Priority?"),
        (changed("All", order="x"), "view 'All'", "order", "no property x"),
        (changed("All", scheduling_order="x"), "view 'All'", "scheduling_order", "no property x"),
        (changed("All", scheduling_condition="1"), "view 'All'", "scheduling_condition", "end"),
        (changed("All", segment_by="Rank"), "view 'All'", "segment_by", "no property Rank"),
        (changed("All", segment_limit=2), "view 'All'", "segment_by", "limits nothing"),
        (custom("Rank", "rank!"), "custom property 'Rank' of tenant 1", "translate-to", "rank!"),
        (custom("Rank", "rank", "blob"), "custom property 'Rank' of tenant 1", "type", "blob"),
        (custom("Priority", "rank"), "custom property 'Priority' of tenant 1", "key", "system"),
        (custom("Rank", "queue"), "custom property 'Rank' of tenant 1", "translate-to", "system"),
        (
            changed("Chatters", options={"virtual": {"script": "Spanish >"}}),
            "agent group 'Chatters'",
            "virtual.script",
            "found the end",
        ),
        (
            changed("Chatters", options={"virtual": {"script": "Spanish > 5 | French > 1"}}),
            "agent group 'Chatters'",
            "virtual.script",
            "no skill 'French'",
        ),
    ],
)
def test_each_mistake_has_its_finding_and_no_other(
    mistake: Callable[[Site], None], subject: str, field: str, said: str
) -> None:
    """Object, field and consequence name the mistake that was staged."""
    site = sound_site()
    mistake(site)
    (found,) = findings(site)
    assert (found.object, found.field) == (subject, field)
    assert said in found.consequence
    assert found.fix


def test_custom_properties_are_known_to_views() -> None:
    """A view that names one by key or by name has no finding; one beyond the limit has."""
    site = sound_site()
    custom("Rank", "rank", "number")(site)
    changed("All", condition="Tier = 'x' AND rank > 1", order="Rank DESC", segment_by="tier")(site)
    assert findings(site) == []
    many: dict[str, Options] = {
        f"K{n}": {"translation": {"translate-to": f"k{n}"}} for n in range(33)
    }
    site[ATTRIBUTE] = BusinessAttribute(values=tuple(many), value_options=many)
    changed("All", condition="", order="", segment_by="")(site)
    (found,) = findings(site)
    assert (found.field, found.object) == ("values", "custom property 'K32' of tenant 1")


def test_goals_at_both_ends_are_valid() -> None:
    """0 and 100 are goals like any other."""
    for goal in (0, 100, "0", "100.0"):
        site = sound_site()
        paced(media="chat", optimizationGoal=goal)(site)
        assert findings(site) == []


def test_a_rule_of_the_tenant_is_enough() -> None:
    """An agent without an own rule has the nearest one."""
    site = sound_site()
    changed("ana", capacity_rule=None)(site)
    changed("bob", capacity_rule="Calls")(site)
    site["Calls"] = CapacityRule(media={"voice": 1})
    changed("Environment", capacity_rule="Three chats")(site)
    assert findings(site) == []


def test_disabled_objects_are_left_alone() -> None:
    """What is switched off cannot be a mistake yet."""
    site = sound_site()
    changed("Chat", state="disabled", options={"pacing": {}})(site)
    changed("node", state="disabled", connections=())(site)
    assert findings(site) == []
