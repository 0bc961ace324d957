"""Configuration objects as the servers read them: one frozen struct per object type.

The Configuration Server checks bodies against these structs; every other server gets them in a
`ConfigurationSnapshot` (model/snapshot.py). References between objects are names here; the
Configuration Server keeps the ids behind them, so that a rename ripples through every reference.
"""

from typing import Annotated, Any, Literal

import msgspec

OptionValue = str | int | float | bool
Options = dict[str, dict[str, OptionValue]]
"""Section, key, value: the options of an application, the annex of every other object."""

State = Literal["enabled", "disabled"]

AGENT, SUPERVISOR, OPERATOR = "agent", "supervisor", "operator"
ADMINISTRATOR, AUDITOR, SERVER = "administrator", "auditor", "server"
SHIPPED_ACCESS_GROUPS = (AGENT, SUPERVISOR, OPERATOR, ADMINISTRATOR, AUDITOR, SERVER)
"""Access groups that exist in every site (INTERFACES: permissions); `server` is that of applications."""


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all object types share: the state and the options (annex)."""

    state: State = "enabled"
    options: Options = {}
    folder: str = ""

    def option(self, section: str, key: str) -> OptionValue | None:
        """The value of one option, None when it is absent."""
        return self.options.get(section, {}).get(key)


class Tenant(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A customer of a multi-tenant site; number 1 is the single-tenant site."""

    time_zone: str = "UTC"
    capacity_rule: str | None = None


class Host(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A machine that runs applications."""

    address: str = "127.0.0.1"


class Switch(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Owner of DNs; virtual queues of any switch count for pacing."""

    switch_type: str = "virtual"


DnType = Literal["virtual_queue", "routing_point", "acd_queue", "extension"]


class Dn(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A number on a switch; the object's name is its alias and must equal the number for pacing."""

    switch: str
    number: str
    dn_type: DnType = "virtual_queue"
    association: str = ""


class Person(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A user of the site; an agent when `is_agent`. `password_hash` never leaves the Configuration Server."""

    is_agent: bool = False
    employee_id: str = ""
    first_name: str = ""
    last_name: str = ""
    skills: dict[str, int] = {}
    access_groups: tuple[str, ...] = ()
    capacity_rule: str | None = None
    default_place: str | None = None


class Skill(Body, frozen=True, kw_only=True, omit_defaults=True):
    """An ability with a level per person."""


class Place(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Where an agent sits."""

    capacity_rule: str | None = None


class PlaceGroup(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Places by list; may own workbins."""

    places: tuple[str, ...] = ()


class AgentGroup(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Agents by list, or by skill expression in the option `virtual.script`.

    `origination_dns` names virtual queues by number, or `number@switch` when the number is not unique.
    """

    agents: tuple[str, ...] = ()
    origination_dns: tuple[str, ...] = ()
    supervisors: tuple[str, ...] = ()

    @property
    def skill_expression(self) -> str | None:
        """The expression that makes this a virtual agent group, None for a regular one."""
        script = self.option("virtual", "script")
        return str(script) if script is not None and str(script).strip() else None


class AccessGroup(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A named set of persons; membership is listed by the persons themselves."""

    description: str = ""


class Folder(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A place in the tree of objects of one type."""

    object_type: str = ""


class BusinessAttribute(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A named list of values, among them the media types, interaction types and custom properties.

    `value_options` is the annex of single values: value, section, key.
    """

    values: tuple[str, ...] = ()
    value_options: dict[str, Options] = {}


class BusinessProcess(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Groups queues, views, strategies and workbins, and names the access groups that may use it."""

    access_groups: tuple[str, ...] = ()


class AlarmCondition(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Raises an alarm on the detect event's number and clears it on the cancel event's."""

    description: str = ""
    category: Literal["Critical", "Major", "Minor"] = "Major"
    detect_event: int
    cancel_event: int | None = None
    clearance_timeout: int = 86400


class Transaction(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A list of settings shared by applications, such as `hybrid_integration`."""

    transaction_type: Literal["list"] = "list"
    alias: str = ""


class AccessPoint(Body, frozen=True, kw_only=True, omit_defaults=True):
    """How a server reaches its database. `url` may hold `${database}` of the embedded PostgreSQL."""

    url: str = ""
    password: OptionValue | dict[str, str] | None = None


ApplicationType = Literal[
    "configuration_server",
    "message_server",
    "stat_server",
    "interaction_server",
    "interaction_proxy",
    "router",
    "chat_server",
    "application_cluster",
    "pacing_server",
    "engagement_engine",
    "console",
    "database",
    "client",
]


class Port(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A listening port of an application. Port 0 = any free one, reported in the status."""

    id: str = "default"
    port: int = 0
    connection: Literal["http", "https", ""] = "http"
    listening_mode: Literal["Unsecured", "Secured"] = "Unsecured"


class Connection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A link from an application to a server application or an access point."""

    server: str
    port_id: str = "default"
    local_timeout: int = 0
    remote_timeout: int = 0


class Application(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A server, a cluster of servers or a client. Its options are what the program reads."""

    application_type: ApplicationType
    version: str = ""
    host: str = ""
    ports: tuple[Port, ...] = ()
    connections: tuple[Connection, ...] = ()
    tenants: tuple[str, ...] = ()
    working_directory: str = "."
    command_line: str = "."
    command_line_arguments: str = ""
    startup_timeout: int = 90
    shutdown_timeout: int = 90
    auto_restart: bool = False
    is_primary: bool = True
    log_on_account: str | None = None

    def port(self, port_id: str = "default") -> Port | None:
        """The port with this id, None when the application has none."""
        return next((port for port in self.ports if port.id == port_id), None)


class CapacityRule(
    Body,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag="capacity_rule",
    tag_field="script_type",
):
    """How many interactions of each media type an agent may have at once. Absent media: none."""

    media: dict[str, int] = {}


class InteractionQueue(
    Body,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag="interaction_queue",
    tag_field="script_type",
):
    """A named place in a business process where interactions wait."""

    business_process: str


class View(
    Body,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag="interaction_queue_view",
    tag_field="script_type",
):
    """A selection and an order over one interaction queue, from which clients pull.

    In place of a queue it may have a workbin: it selects from what all owners have in there, for
    routers; an agent names the view when it looks into the workbin of one owner.
    Empty condition: every waiting interaction. Empty order: priority first, then oldest received.
    At most `max_interactions` taken from it, and `segment_limit` of each value of the property
    `segment_by`, are in routing at once (0 = any number). With a scheduling condition or order,
    scheduled interactions that are due come first, by these. A condition that depends on time is
    looked at anew every `check_interval` seconds (business time), with 0 at every pull.
    """

    business_process: str
    queue: str = ""
    workbin: str = ""
    condition: str = ""
    order: str = ""
    segment_by: str = ""
    segment_limit: Annotated[int, msgspec.Meta(ge=0)] = 0
    max_interactions: Annotated[int, msgspec.Meta(ge=0)] = 0
    scheduling_condition: str = ""
    scheduling_order: str = ""
    check_interval: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 1.0


class Strategy(
    Body, frozen=True, kw_only=True, omit_defaults=True, tag="strategy", tag_field="script_type"
):
    """A routing strategy: from its views into a virtual queue, on to the agent groups that list it.

    An interaction with the user data key `PacingVirtualQueue` enters that queue instead and is
    offered to the groups of `PacingAgentGroups`.
    """

    business_process: str
    views: tuple[str, ...]
    virtual_queue: str | None = None


OwnerType = Literal["agent", "agent_group", "place", "place_group"]
"""Who a workbin may belong to."""


class Workbin(
    Body, frozen=True, kw_only=True, omit_defaults=True, tag="workbin", tag_field="script_type"
):
    """A personal or group holding place."""

    business_process: str
    owner_type: OwnerType = "agent"


Script = CapacityRule | InteractionQueue | View | Strategy | Workbin

BODY_TYPES: dict[str, Any] = {
    "tenants": Tenant,
    "hosts": Host,
    "switches": Switch,
    "dns": Dn,
    "skills": Skill,
    "access-groups": AccessGroup,
    "folders": Folder,
    "persons": Person,
    "places": Place,
    "place-groups": PlaceGroup,
    "agent-groups": AgentGroup,
    "business-attributes": BusinessAttribute,
    "business-processes": BusinessProcess,
    "scripts": Script,
    "access-points": AccessPoint,
    "applications": Application,
    "transactions": Transaction,
    "alarm-conditions": AlarmCondition,
}
"""The struct of each object type, in the order in which a file of new objects can be applied."""

OBJECT_TYPES: tuple[str, ...] = tuple(BODY_TYPES)


class ConfigurationObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object with its stable id. `version` grows with each change of it."""

    type: str
    id: int
    tenant: int
    name: str
    version: int = 1
    body: Body


def decode_body(object_type: str, body: bytes | msgspec.Raw) -> Body:
    """The typed body of an object from its JSON; fields that this version does not know are ignored.

    Raises
    ------
    msgspec.ValidationError
        When a field is missing or of the wrong type.
    KeyError
        When the object type is unknown.
    """
    decoded: Body = msgspec.json.decode(body, type=BODY_TYPES[object_type])
    return decoded
