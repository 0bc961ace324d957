"""Option tables: what an application may be told under section/key, and the parsing of it.

Each server declares its table in its `options.py`; parsing, the options manual, the console's
form and the application template come from it. Called by runtime.settings and the checks.
Never reads files, the environment or a clock; a secret is only named here, never resolved.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

DURATION_UNITS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
"""Units of durations in seconds: `250ms`, `5s`, `30min`, `2h` (INTERFACES: Time), `90d` chosen."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h|d)?")
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})

Name: TypeAlias = tuple[str, str]
"""Section and key."""


class Kind(StrEnum):
    """What the value of an option is."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DURATION = "duration"
    ENUM = "enum"


class SecretSource:
    """Where a secret's text is: given as it is, in a file, or in the environment.

    No struct or dataclass, so that no encoder can write its text into a log or an answer.
    """

    __slots__ = ("place", "text")

    def __init__(self, place: Literal["value", "file", "env"], text: str) -> None:
        self.place: Final = place
        self.text: Final = text

    def __repr__(self) -> str:
        shown = "***" if self.place == "value" else repr(self.text)
        return f"SecretSource({self.place}={shown})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretSource):
            return NotImplemented
        return (self.place, self.text) == (other.place, other.text)

    def __hash__(self) -> int:
        return hash((self.place, self.text))


Raw: TypeAlias = str | int | float | Mapping[str, str]
RawOptions: TypeAlias = Mapping[str, Mapping[str, Raw]]
Value: TypeAlias = str | int | float | SecretSource | None
T = TypeVar("T")


class Finding(msgspec.Struct, frozen=True):
    """A mistake in the configuration: where it stands, what follows from it, what mends it."""

    object: str
    field: str
    consequence: str
    fix: str


class Option(msgspec.Struct, frozen=True):
    """One option of an application.

    `default`, `low` and `high` are written as a user would write them, in `unit` when they are
    plain numbers; the parsed value of a duration is in seconds. A default of None means "none",
    and the user may write that. `live` is false when a change needs a restart; `time` says
    which of the two times a duration means.

    Raises
    ------
    ValueError
        When the declaration contradicts itself.
    """

    section: str
    key: str
    kind: Kind
    default: str | int | float | None
    help: str
    unit: str = ""
    low: str | float | None = None
    high: str | float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    live: bool = True
    time: Literal["business", "machine"] | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration that could not be parsed or explained."""
        if (self.kind is Kind.DURATION) != (self.time is not None):
            raise ValueError(f"{self.name}: a duration, and only it, says which time it means")
        if self.kind is Kind.DURATION and self.unit not in DURATION_UNITS:
            units = ", ".join(DURATION_UNITS)
            raise ValueError(f"{self.name}: the unit of a duration is one of {units}")
        if (self.kind is Kind.ENUM) != bool(self.choices):
            raise ValueError(f"{self.name}: an enum, and nothing else, has choices")
        if self.secret and self.kind is not Kind.TEXT:
            raise ValueError(f"{self.name}: a secret is a text")
        if self.default is not None:
            self.read(self.default)

    @property
    def name(self) -> str:
        """`section.key`, as findings and the manual write it."""
        return f"{self.section}.{self.key}"

    @property
    def allowed(self) -> str:
        """What may be given, for findings and the manual."""
        match self.kind:
            case Kind.ENUM:
                return f"one of {', '.join(self.choices)}"
            case Kind.BOOLEAN:
                return "true or false"
            case Kind.TEXT:
                return "a value, {file: …} or {env: …}" if self.secret else "a text"
            case Kind.INTEGER:
                noun = "a whole number"
            case Kind.FLOAT:
                noun = "a number"
            case Kind.DURATION:
                noun = f"a duration such as 250ms, 5s, 30min or 2h ({self.unit} without a unit)"
        return f"{noun} {self._range()}".rstrip()

    def read(self, raw: Raw) -> Value:
        """Value of what a user wrote.

        Raises
        ------
        ValueError
            Saying what is wrong with it; a secret's text is not repeated.
        """
        if self.default is None and isinstance(raw, str) and raw.strip().lower() == "none":
            return None
        return _READERS[self.kind](self, raw)

    def default_value(self) -> Value:
        """Value where nothing is configured."""
        return None if self.default is None else self.read(self.default)

    def limit(self, bound: str | float) -> str:
        """A bound with its unit, for findings and the manual."""
        return bound if isinstance(bound, str) else f"{bound:g} {self.unit}".rstrip()

    def _range(self) -> str:
        if self.low is not None and self.high is not None:
            return f"from {self.limit(self.low)} to {self.limit(self.high)}"
        if self.low is not None:
            return f"of at least {self.limit(self.low)}"
        return "" if self.high is None else f"of at most {self.limit(self.high)}"


class OptionTable(msgspec.Struct, frozen=True):
    """All options of one kind of server, in the order of the manual.

    Raises
    ------
    ValueError
        When an option is declared twice.
    """

    server: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        """Refuse an option that is declared twice."""
        if len(self.by_name()) != len(self.options):
            raise ValueError(f"options of {self.server}: an option is declared twice")

    def by_name(self) -> dict[Name, Option]:
        """The options by section and key."""
        return {(option.section, option.key): option for option in self.options}


def join_tables(server: str, *tables: OptionTable) -> OptionTable:
    """One table of several, such as a server's own and the shared ones.

    Raises
    ------
    ValueError
        When an option is declared in two of them.
    """
    return OptionTable(server, tuple(option for table in tables for option in table.options))


@dataclass(frozen=True, slots=True)
class OptionValues:
    """Parsed values of one table; never changes. Asking for an undeclared option is a KeyError."""

    _values: Mapping[Name, Value]

    def __getitem__(self, name: Name) -> Value:
        """Value whatever its kind, None where it is "none"."""
        return self._values[name]

    def text(self, section: str, key: str) -> str:
        """Value of a text or an enum."""
        return self._typed(section, key, str)

    def integer(self, section: str, key: str) -> int:
        """Value of a whole number."""
        return self._typed(section, key, int)

    def number(self, section: str, key: str) -> float:
        """Value of a number, in the option's unit."""
        return self._typed(section, key, float)

    def seconds(self, section: str, key: str) -> float:
        """Value of a duration."""
        return self._typed(section, key, float)

    def flag(self, section: str, key: str) -> bool:
        """Value of a true/false option."""
        return self._typed(section, key, bool)

    def differing(self, other: "OptionValues") -> tuple[Name, ...]:
        """Names whose values are not the same in both."""
        return tuple(name for name, value in self._values.items() if other[name] != value)

    def replaced(self, changes: Mapping[Name, Value]) -> "OptionValues":
        """The same values but for these."""
        return OptionValues(MappingProxyType({**self._values, **changes}))

    def _typed(self, section: str, key: str, wanted: type[T]) -> T:
        value = self._values[section, key]
        if type(value) is not wanted:
            raise TypeError(f"{section}.{key} is a {type(value).__name__}, not {wanted.__name__}")
        return value


def parse(
    table: OptionTable,
    raw: RawOptions,
    *,
    subject: str | None = None,
    previous: OptionValues | None = None,
) -> tuple[OptionValues, tuple[Finding, ...]]:
    """Values of what is configured, and every mistake in it.

    An unknown option is named with the nearest known one. A wrong value changes nothing: the
    previous value stays, else the default. An option that is not given has its default.

    Parameters
    ----------
    subject
        Object the findings name, such as an application; the table's server when absent.
    """
    known = table.by_name()
    values = {name: option.default_value() for name, option in known.items()}
    findings = []
    where = subject or table.server
    for section, keys in raw.items():
        for key, given in keys.items():
            option = known.get((section, key))
            if option is None:
                findings.append(_unknown(where, section, key, known))
                continue
            try:
                values[section, key] = option.read(given)
            except ValueError as mistake:
                if previous is not None:
                    values[section, key] = previous[section, key]
                findings.append(_refused(where, option, str(mistake), values[section, key]))
    return OptionValues(MappingProxyType(values)), tuple(findings)


def _unknown(where: str, section: str, key: str, known: Mapping[Name, Option]) -> Finding:
    written = f"{section}.{key}"
    names = {option.name.lower(): option.name for option in known.values()}
    near = get_close_matches(written.lower(), names, n=1)
    fix = f"did you mean {names[near[0]]}?" if near else "remove it"
    return Finding(where, written, "unknown option, it has no effect", fix)


def _refused(where: str, option: Option, mistake: str, kept: Value) -> Finding:
    stays = "the old one" if option.secret else _shown(option, kept)
    return Finding(where, option.name, f"{mistake}; {stays} stays", f"give {option.allowed}")


def _shown(option: Option, value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if option.kind is Kind.DURATION and isinstance(value, float):
        return f"{value / DURATION_UNITS[option.unit]:g} {option.unit}"
    return f"{value} {option.unit}".rstrip()


def _read_text(option: Option, raw: Raw) -> Value:
    if option.secret:
        return _read_secret(raw)
    if not isinstance(raw, str):
        raise ValueError(f"{raw!r} is not a text; put it in quotes")
    return raw


def _read_secret(raw: Raw) -> SecretSource:
    if isinstance(raw, str):
        return SecretSource("value", raw)
    if isinstance(raw, Mapping) and len(raw) == 1:
        place, text = next(iter(raw.items()))
        if place in ("file", "env") and text:
            return SecretSource("file" if place == "file" else "env", text)
    raise ValueError("the secret has the wrong form")


def _read_enum(option: Option, raw: Raw) -> Value:
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if text not in option.choices:
        raise ValueError(f"{raw!r} is not among the choices")
    return text


def _read_boolean(_option: Option, raw: Raw) -> Value:
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"{raw!r} is neither true nor false")


def _read_integer(option: Option, raw: Raw) -> Value:
    number = _number(raw)
    if not number.is_integer():
        raise ValueError(f"{raw!r} is not a whole number")
    _within(option, number, raw)
    return int(number)


def _read_float(option: Option, raw: Raw) -> Value:
    number = _number(raw)
    _within(option, number, raw)
    return number


def _read_duration(option: Option, raw: Raw) -> Value:
    seconds = _seconds(option, raw)
    if option.low is not None and seconds < _seconds(option, option.low):
        raise ValueError(f"{raw} is below {option.limit(option.low)}")
    if option.high is not None and seconds > _seconds(option, option.high):
        raise ValueError(f"{raw} is above {option.limit(option.high)}")
    return seconds


def _seconds(option: Option, raw: Raw) -> float:
    found = None if isinstance(raw, bool) else _DURATION.fullmatch(str(raw).strip())
    if found is None:
        raise ValueError(f"{raw!r} is not a duration")
    return float(found[1]) * DURATION_UNITS[found[2] or option.unit]


def _number(raw: Raw) -> float:
    if isinstance(raw, bool | Mapping):
        raise ValueError(f"{raw!r} is not a number")
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise ValueError(f"{raw!r} is not a number") from None
    if not isfinite(number):
        raise ValueError(f"{raw!r} is not a finite number")
    return number


def _within(option: Option, number: float, raw: Raw) -> None:
    if option.low is not None and number < float(option.low):
        raise ValueError(f"{raw} is below {option.limit(option.low)}")
    if option.high is not None and number > float(option.high):
        raise ValueError(f"{raw} is above {option.limit(option.high)}")


_READERS: Final[Mapping[Kind, Callable[[Option, Raw], Value]]] = MappingProxyType(
    {
        Kind.TEXT: _read_text,
        Kind.INTEGER: _read_integer,
        Kind.FLOAT: _read_float,
        Kind.BOOLEAN: _read_boolean,
        Kind.DURATION: _read_duration,
        Kind.ENUM: _read_enum,
    }
)
