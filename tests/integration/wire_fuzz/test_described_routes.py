"""Every route of a running Interaction Server under what Schemathesis makes of its description: no 500.

Part of `make test-all`.
"""

from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.wire_fuzz.running import running_server

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLES = 20
"""Requests per route (some 70 routes): some 20 s of one core."""

HEADERS = {"authorization": "Bearer any"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One server for all routes: what one route leaves is what the next one meets."""
    with running_server() as server:
        yield server.address


def test_no_described_request_is_a_fault_of_the_server(address: str) -> None:
    """Whatever the description allows, and much that it does not, is answered below 500 or as unavailable."""
    schema = schemathesis.openapi.from_url(f"{address}/schema/openapi.json", headers=HEADERS)
    routes = [found.ok() for found in schema.get_all_operations()]
    assert len(routes) > 40
    with requests.Session() as session:
        for route in routes:
            _try(route, session)


def _try(route: object, session: object) -> None:
    modes = schemathesis.GenerationMode
    strategy = st.one_of(*(route.as_strategy(generation_mode=mode) for mode in modes))  # type: ignore[attr-defined]

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(strategy)
    def run(case: "schemathesis.Case") -> None:
        response = case.call(
            headers=HEADERS, params={"timeout_s": "0.05"}, session=session, timeout=10
        )
        assert response.status_code not in (500, 501, 502, 504), (
            case.as_curl_command(),
            response.text,
        )
        if response.status_code >= 400:
            error = response.json()["error"]
            assert error["name"] != "internal_error"
            assert error["request_id"]

    run()
