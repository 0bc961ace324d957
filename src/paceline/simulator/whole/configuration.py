"""The configuration of the rehearsed site: the example's contact centre with doubled servers.

Read by site.py. Says which server runs at which place, and on which database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

from paceline.assembly.example import example_changes
from paceline.model.custom_properties import ATTRIBUTE
from paceline.wire.operations.configuration import Change


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process of an application runs; its name is its machine's."""

    name: str
    kind: str
    application: str


CONFIGURATION: Final = Place("configuration", "configuration", "config-server")
PLACES: Final = (
    Place("message", "message", "message-server"),
    Place("interaction-a", "interaction", "interaction-server"),
    Place("interaction-b", "interaction", "interaction-server"),
    Place("stat-1", "stat", "stat-1"),
    Place("stat-2", "stat", "stat-2"),
    Place("engagement", "engagement", "engagement-engine"),
    Place("router-1", "router", "router-1"),
    Place("router-2", "router", "router-2"),
    Place("pacing-1", "pacing", "pacing-1"),
    Place("pacing-2", "pacing", "pacing-2"),
)
"""Every place but the Configuration Server's, in the order of their connections. The two of the
interaction node are primary and standby of one application."""

STORES: Final = (
    "configuration",
    "message",
    "interaction",
    "stat-1",
    "stat-2",
    "engagement",
    "pacing",
)
"""Names of the databases. Each Stat Server has its own: a checkpoint has one writer."""

LETTERS: Final = "Letters"
PARCELS: Final = "Parcels"
DRAWER: Final = "Drawer"
DRAFTS: Final = "Drafts"
WEIGHT: Final = "Weight"
REGION: Final = "Region"
LEAST_WEIGHT: Final = 3
REGION_LIMIT: Final = 2
"""Queues beside the example's, each with one view, a workbin, and custom properties by
which the views choose. From the drawer snapshots take; no strategy reads these."""

_PROCESS: Final = "Customer Service"

Body = dict[str, Any]


@cache
def rehearsed_configuration() -> tuple[Change, ...]:
    """The example's objects with the applications and databases of `PLACES`; read once."""
    given = example_changes()
    applications = {
        change.name: msgspec.json.decode(change.body)
        for change in given
        if change.type == "applications"
    }
    kept = [change for change in given if change.type not in ("applications", "access-points")]
    points = [
        _change("access-points", _point(name), {"url": f"sqlite:///{name}"}) for name in STORES
    ]
    return (*kept, *_own_objects(), *points, *_applications(applications))


def _own_objects() -> Iterable[Change]:
    """Queues, views, a workbin and custom properties that the example does without."""
    views: dict[str, Body] = {
        LETTERS: {
            "condition": f"{WEIGHT} >= {LEAST_WEIGHT}",
            "order": f"{WEIGHT} DESC, ReceivedAt",
        },
        PARCELS: {"segment_by": REGION, "segment_limit": REGION_LIMIT},
        DRAWER: {},
    }
    for name, special in views.items():
        script = {"script_type": "interaction_queue", "business_process": _PROCESS}
        yield _change("scripts", name, script)
        view = {"script_type": "interaction_queue_view", "business_process": _PROCESS}
        yield _change("scripts", f"{name} view", view | {"queue": name} | special)
    workbin = {"script_type": "workbin", "business_process": _PROCESS, "owner_type": "agent"}
    yield _change("scripts", DRAFTS, workbin)
    types = {WEIGHT: "number", REGION: "string"}
    annexes = {
        key: {"translation": {"translate-to": key.lower(), "type": kind}}
        for key, kind in types.items()
    }
    body = {"values": list(types), "value_options": annexes}
    yield _change("business-attributes", ATTRIBUTE, body)


def _applications(example: dict[str, Body]) -> Iterable[Change]:
    cluster = example["pacing-cluster"] | _connected("message-server")
    yield _change("applications", "pacing-cluster", cluster)
    places = {place.application: place for place in (CONFIGURATION, *PLACES)}
    for place in places.values():
        body = example.get(place.application) or _twin(example, place)
        if place.kind == "interaction":  # views by custom properties are judged from the events
            body = body | {"options": {"event-filtering": {"log-userdata": "true"}}}
        yield _change("applications", place.application, body | _connections(place))


def _twin(example: dict[str, Body], place: Place) -> Body:
    """The example's only server of a kind, for each of several."""
    name = {"stat": "stat-server", "router": "router", "pacing": "pacing-1"}[place.kind]
    return example[name]


def _connections(place: Place) -> Body:
    stat = f"stat-{place.name[-1]}"
    return _connected(
        *{
            "configuration": (_point("configuration"),),
            "message": (_point("message"),),
            "interaction": (_point("interaction"),),
            "stat": ("interaction-server", _point(stat)),
            "engagement": ("interaction-server", _point("engagement")),
            "router": ("interaction-server", stat),
            "pacing": ("pacing-cluster", stat, _point("pacing")),
        }[place.kind]
    )


def _point(store: str) -> str:
    """An access point's name: other than any application's, since both stand among connections."""
    return f"db-{store}"


def _connected(*servers: str) -> Body:
    return {"connections": [{"server": name} for name in servers]}


def _change(object_type: str, name: str, body: Body) -> Change:
    return Change(type=object_type, name=name, body=msgspec.Raw(msgspec.json.encode(body)))
