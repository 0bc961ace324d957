"""Pure rules: which fields are references, delays after wrong passwords, secrets, merge patches."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.model.alarm_conditions import SHIPPED_ALARM_CONDITIONS
from paceline.model.configuration import (
    BODY_TYPES,
    AccessPoint,
    AgentGroup,
    Application,
    ConfigurationObject,
    Connection,
    Options,
    Script,
    Transaction,
)
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.configuration.rules.bodies import merged, typed_body
from paceline.servers.configuration.rules.effective import effective
from paceline.servers.configuration.rules.login_delay import MOST_NAMES, LoginDelays
from paceline.servers.configuration.rules.references import FIELDS, references_of, with_names
from paceline.servers.configuration.rules.secret_fields import MASK, masked, with_kept

NO_REFERENCES = {
    "state", "options", "folder", "value_options",
    "time_zone", "address", "switch_type", "number", "dn_type", "association", "is_agent",
    "employee_id", "first_name", "last_name", "description", "object_type", "values", "category",
    "detect_event", "cancel_event", "clearance_timeout", "transaction_type", "alias", "url",
    "password", "application_type", "version", "ports", "working_directory", "command_line",
    "command_line_arguments", "startup_timeout", "shutdown_timeout", "auto_restart", "is_primary",
    "media", "condition", "order", "owner_type", "max_interactions", "check_interval",
    "segment_by", "segment_limit", "scheduling_condition", "scheduling_order",
}  # fmt: skip
"""Fields that name no other object; `folder` is one that all have."""


def structs() -> list[Any]:
    """Every struct that a body may be."""
    return [kind for kind in BODY_TYPES.values() if kind is not Script] + list(get_args(Script))


@pytest.mark.parametrize("kind", structs(), ids=lambda kind: str(kind.__name__))
def test_every_field_is_a_reference_or_known_to_be_none(kind: Any) -> None:
    """A new field of an object type must be put in the table of references, or said to be none."""
    names = {field.name for field in msgspec.structs.fields(kind)}
    referring = {field.name for field in FIELDS.get(kind, ())}
    assert referring <= names
    assert names - referring <= NO_REFERENCES


def test_names_of_every_shape_are_found_and_replaced() -> None:
    """Single names, lists, keys and connections are listed in order and rewritten alike."""
    group = AgentGroup(agents=("a", "b"), origination_dns=("Q",), supervisors=("r",), folder="F")
    assert [reference.name for reference in references_of(group)] == ["F", "a", "b", "Q", "r"]
    new = with_names(group, lambda reference: reference.name.upper() + "!")
    assert [reference.name for reference in references_of(new)] == ["F!", "A!", "B!", "Q!", "R!"]
    application = Application(
        application_type="router", connections=(Connection(server="x", local_timeout=5),)
    )
    changed = with_names(application, lambda reference: "y")
    assert isinstance(changed, Application)
    assert changed.connections == (Connection(server="y", local_timeout=5),)


def test_delays_double_up_to_their_limit() -> None:
    """1, 2, 4, 5, 5 seconds with a limit of 5; success begins anew; other names wait nothing."""
    delays = LoginDelays(1.0, 5.0)
    now, waits = 0.0, []
    for _ in range(5):
        delays.failed("anna", now)
        waits.append(delays.wait_s("anna", now))
        now += waits[-1]
    assert waits == [1, 2, 4, 5, 5]
    assert delays.wait_s("bert", now) == 0
    delays.succeeded("anna")
    delays.failed("anna", now)
    assert delays.wait_s("anna", now) == 1


def test_remembered_names_are_bounded() -> None:
    """Guessing with ever new names forgets the oldest and takes no more memory."""
    delays = LoginDelays(1.0, 60.0)
    for number in range(MOST_NAMES + 10):
        delays.failed(str(number), 0.0)
    assert delays.wait_s("0", 0.0) == 0
    assert delays.wait_s(str(MOST_NAMES + 9), 0.0) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(st.sampled_from("abc"), json_values, max_size=3)


@given(json_objects, json_objects)
def test_a_merge_patch_is_idempotent_and_leaves_the_rest(
    fields: dict[str, Any], patch: dict[str, Any]
) -> None:
    """Applied twice it is as applied once; fields it does not name stay; null removes."""
    once = merged(fields, patch)
    assert merged(once, patch) == once
    for key in fields.keys() - patch.keys():
        assert once[key] == fields[key]
    assert not [key for key, value in patch.items() if value is None and key in once]


def test_masked_secrets_sent_back_are_the_old_ones() -> None:
    """Masking and keeping is the identity; names of files and variables are shown."""
    declared = {("security", "pin")}
    options: Options = {
        "ewt": {"client_id": "me", "password": "p"},
        "security": {"pin": "7", "level": 3},
    }
    whole = Transaction(options=options)
    shown = masked(whole, declared)
    assert shown.options == {
        "ewt": {"client_id": "me", "password": MASK},
        "security": {"pin": MASK, "level": 3},
    }
    assert with_kept(shown, whole, declared) == whole
    from_file = AccessPoint(password={"file": "db.password"})
    assert masked(from_file, declared) == from_file
    with pytest.raises(PacelineError, match=r"options\.ewt\.password"):
        with_kept(shown, None, declared)


def test_a_credential_never_stays_in_the_body() -> None:
    """`password` of a person is taken out; a person's other fields are typed."""
    typed = typed_body("persons", "anna", {"is_agent": True, "password": {"env": "P"}})
    assert typed.credential is not None
    assert typed.credential.place == "env"
    assert b"password" not in msgspec.json.encode(typed.body)


@pytest.mark.parametrize("names", [{}, {"queue": "Chats", "workbin": "Drafts"}])
def test_a_view_has_a_queue_or_a_workbin(names: dict[str, str]) -> None:
    """Neither or both is refused with the field; one of them is fine."""
    view = {"script_type": "interaction_queue_view", "business_process": "Service"}
    with pytest.raises(PacelineError) as refused:
        typed_body("scripts", "Old ones", view | names)
    assert (refused.value.name, refused.value.field) == ("invalid_attribute", "queue")
    for one in ({"queue": "Chats"}, {"workbin": "Drafts"}):
        typed_body("scripts", "Old ones", view | one)


def test_clusters_of_members_give_nothing() -> None:
    """A cluster with `cluster-type` is a list of members; two pacing clusters count as none."""
    cluster = Application(application_type="application_cluster", options={"a": {"k": 1}})
    members = Application(
        application_type="application_cluster",
        options={"cluster-settings": {"cluster-type": "x"}, "a": {"k": 2}},
    )
    snapshot = ConfigurationSnapshot(
        ConfigurationObject(type="applications", id=n, tenant=1, name=name, body=body)
        for n, (name, body) in enumerate([("one", cluster), ("two", cluster), ("list", members)])
    )

    def of(*servers: str) -> Application:
        links = tuple(Connection(server=name) for name in servers)
        node = Application(application_type="pacing_server", connections=links)
        return effective(snapshot, node)

    assert of("one", "list").options == {"a": {"k": 1}}
    assert of("list").options == {}
    assert of("one", "two").options == {}


def test_shipped_alarm_conditions_are_the_documented_ones() -> None:
    """Five conditions, each Major with a day's timeout; cancel follows detect."""
    events = {n: (c.detect_event, c.cancel_event) for n, c in SHIPPED_ALARM_CONDITIONS.items()}
    assert events == {
        "GC Latency": (10005, 10006),
        "Heap Memory Usage": (10001, 10002),
        "PacingRequestsFailed": (100603, 100604),
        "PacingResponseTargetError": (100605, 100606),
        "PacingResponseValidationError": (100607, 100608),
    }
    assert {(c.category, c.clearance_timeout) for c in SHIPPED_ALARM_CONDITIONS.values()} == {
        ("Major", 86_400)
    }
