"""Every kind of server can be loaded, and its options with it."""

import pytest

from paceline.assembly.kinds import APPLICATION_TYPES, HOSTED, load_kind
from paceline.assembly.option_tables import SERVER_TABLES, whole_table
from paceline.errors.failure import PacelineError


def test_every_kind_is_built_from_its_own_application_type() -> None:
    """Types and kinds correspond, and every kind's options are in the collection."""
    for name in HOSTED:
        kind = load_kind(name)
        assert kind.application_type == APPLICATION_TYPES[name]
        assert kind.options in SERVER_TABLES


def test_every_server_has_the_general_options() -> None:
    """Log and status options are declared beside each server's own, once."""
    for table in SERVER_TABLES:
        names = whole_table(table).by_name()
        assert {("log", "verbose"), ("log", "all"), ("general", "statusInterval")} <= names.keys()


def test_an_unknown_kind_is_named() -> None:
    """The known kinds are listed."""
    with pytest.raises(PacelineError, match="interaction"):
        load_kind("interactions")
