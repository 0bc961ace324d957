"""Addresses of servers in the options of transactions."""

from paceline.assembly.addresses import named_servers, with_addresses
from paceline.model.configuration import Transaction
from tests.fakes.configuration import SnapshotBuilder


def _builder() -> SnapshotBuilder:
    builder = SnapshotBuilder()
    general = {"base_auth_url": "${url:engine}/oauth/token", "limit": 3}
    builder.add("transactions", "hybrid_integration", Transaction(options={"general": general}))
    builder.add("transactions", "other", Transaction(options={"a": {"b": "plain"}}))
    return builder


def test_every_named_server_is_found() -> None:
    """Only placeholders name servers."""
    assert named_servers(_builder().build()) == {"engine"}


def test_known_addresses_are_filled_in() -> None:
    """A known address replaces its placeholder, an unknown one leaves nothing; all else stays."""
    snapshot = _builder().build()
    for urls, wanted in (
        ({"engine": "http://here:1"}, "http://here:1/oauth/token"),
        ({"another": "http://here:1"}, "/oauth/token"),
    ):
        filled = with_addresses(snapshot, urls)
        found = filled.transaction(1, "hybrid_integration")
        assert found is not None
        assert found.option("general", "base_auth_url") == wanted
        assert found.option("general", "limit") == 3
        assert filled.transaction(1, "other") == snapshot.transaction(1, "other")
        assert filled.seq == snapshot.seq


def test_without_placeholders_nothing_is_made_anew() -> None:
    """A snapshot that names no server is the same object afterwards."""
    builder = SnapshotBuilder()
    builder.add("transactions", "other", Transaction(options={"a": {"b": "plain"}}))
    snapshot = builder.build()
    assert with_addresses(snapshot, {"engine": "x"}) is snapshot
