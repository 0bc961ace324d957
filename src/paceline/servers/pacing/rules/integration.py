"""Where the engagement engine is: the transaction `hybrid_integration` and the endpoint's path.

Read before each report, so that a changed address or secret is used without a restart (A31). Each
missing or wrong value is a finding; the password stays a `SecretSource`, which shows as `***`.
"""

import re
from dataclasses import dataclass

from paceline.model.configuration import Transaction
from paceline.model.options import Finding, SecretSource
from paceline.model.snapshot import ConfigurationSnapshot

TRANSACTION = "hybrid_integration"
_SUBJECT = f"transaction '{TRANSACTION}'"
_CONSEQUENCE = "no permits can be sent to the engagement engine"
_VALUES = (
    ("general", "base_auth_url"),
    ("general", "base_service_url"),
    ("ewt", "client_id"),
    ("ewt", "password"),
)
"""Documented sections and keys (pacing-service.md §1.3)."""

_ADDRESS = re.compile(r"https?://[^\s/?#]+(/\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Integration:
    """Addresses and credential of the engine."""

    auth_url: str
    report_url: str
    client_id: str
    password: SecretSource


def join_url(base: str, path: str) -> str:
    """Base and path with exactly one slash between them."""
    return f"{base.rstrip('/')}/{path.lstrip('/')}"


def read_integration(
    snapshot: ConfigurationSnapshot, *, tenant: int, endpoint: str, application: str
) -> tuple[Integration | None, tuple[Finding, ...]]:
    """The engine's place, or None with every reason why it is not known."""
    transaction = snapshot.transaction(tenant, TRANSACTION)
    if transaction is None:
        fix = f"create it (type list) with {', '.join('/'.join(value) for value in _VALUES)}"
        return None, (Finding(_SUBJECT, "name", f"it does not exist: {_CONSEQUENCE}", fix),)
    values = {place: _text(transaction, *place) for place in _VALUES}
    findings = [
        Finding(_SUBJECT, f"{section}.{key}", f"it is missing: {_CONSEQUENCE}", "set it")
        for (section, key), value in values.items()
        if not value
    ]
    for place in _VALUES[:2]:
        if values[place] and not _is_address(values[place]):
            wrong = f"'{values[place]}' is no address: {_CONSEQUENCE}"
            fix = "write it like https://engine.example.com/api/"
            findings.append(Finding(_SUBJECT, ".".join(place), wrong, fix))
    if not endpoint.strip():
        findings.append(
            Finding(
                f"application '{application}'",
                "pacingEndpoint.targetEndpoint",
                f"it is not set: {_CONSEQUENCE}",
                "set the path of the engine's pacing endpoint, such as v2/pacing",
            )
        )
    if findings:
        return None, tuple(findings)
    auth_url, service_url, client_id, password = values.values()
    found = Integration(
        auth_url=auth_url,
        report_url=join_url(service_url, endpoint.strip()),
        client_id=client_id,
        password=SecretSource("value", password),
    )
    return found, ()


def _text(transaction: Transaction, section: str, key: str) -> str:
    value = transaction.option(section, key)
    return "" if value is None else str(value).strip()


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None
