"""Checks of a report, life of permits, user data of an accepted invitation."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.servers.engagement.rules.report import check_report, end_of_permits
from paceline.servers.engagement.rules.user_data import Facts, proactive_user_data
from paceline.units.quantities import Millis
from paceline.wire.operations.engagement import Permit, Report

NOW = Millis(1_763_683_200_000)
FACTS = Facts(
    target="Chat - chat", virtual_queue="Chat", media_type="chat", agent_groups=("A", "B,C")
)


def report(**changes: object) -> Report:
    """A sound report with changes."""
    permit = Permit(
        id="Chat - chat", virtual_queue="Chat", media_type="chat", agent_groups=("A",), permits=3,
        reason="forecast",
    )  # fmt: skip
    sound = Report(
        cluster="C", node="n", epoch=1, sequence=1, period_s=5.0, sent_at=to_text(NOW),
        valid_for_s=10.0, targets=(permit,),
    )  # fmt: skip
    return msgspec.structs.replace(sound, **changes)


def permit(**changes: object) -> tuple[Permit, ...]:
    """The report's permit with changes."""
    return (msgspec.structs.replace(report().targets[0], **changes),)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"page": 2}, "page"),
        ({"page": 0}, "page"),
        ({"valid_for_s": 0.0}, "valid_for_s"),
        ({"epoch": -1}, "sequence"),
        ({"targets": permit(permits=-1)}, "permits"),
        ({"targets": permit() * 2}, "targets"),
        ({"sent_at": "yesterday"}, "sent_at"),
    ],
)
def test_a_report_no_pacing_service_would_send_is_refused(
    changes: dict[str, object], field: str
) -> None:
    """Each mistake is named by its field."""
    with pytest.raises(PacelineError) as refused:
        check_report(report(**changes))
    assert (refused.value.name, refused.value.field) == ("invalid_attribute", field)


def test_a_delta_is_answered_with_unknown_base() -> None:
    """This engine holds no base, so the full set has to come."""
    check_report(report())
    with pytest.raises(PacelineError) as refused:
        check_report(report(base_sequence=0))
    assert (refused.value.name, refused.value.http_status) == ("unknown_base", 409)


@pytest.mark.parametrize(
    ("received_ms", "end_ms"), [(0, 10_000), (20_000, 30_000), (35_000, 40_000), (90_000, 40_000)]
)
def test_permits_live_from_receipt_and_never_past_the_senders_limit(
    received_ms: int, end_ms: int
) -> None:
    """min(receipt + life, sent + life + 30 s)."""
    end = end_of_permits(report(), Millis(NOW + received_ms))
    assert end == NOW + end_ms


def test_exactly_the_six_keys_are_merged_over_the_visitors() -> None:
    """Forged keys are dropped, everything else of the visitor stays as it came."""
    visitors = msgspec.Raw(b'{"Proactive": "0", "PacingTarget": "x", "Name": "Ann", "n": {"a": 1}}')
    found = msgspec.json.decode(proactive_user_data(visitors, FACTS, "id-1"))
    assert found == {
        "Name": "Ann",
        "n": {"a": 1},
        "Proactive": "1",
        "PacingTarget": "Chat - chat",
        "PacingVirtualQueue": "Chat",
        "PacingAgentGroups": "A,B\\,C",
        "PacingMediaType": "chat",
        "PacingInvitationId": "id-1",
    }


def test_user_data_that_is_no_object_is_refused() -> None:
    """Before anything is accepted."""
    with pytest.raises(PacelineError, match="user_data"):
        proactive_user_data(msgspec.Raw(b"[1]"), FACTS, "id-1")
