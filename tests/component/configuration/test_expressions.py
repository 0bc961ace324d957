"""`expression.check`: the language of views, agent groups and statistics, before anything is stored."""

from typing import Any

import msgspec
import pytest

from paceline.runtime.virtual_loop import run_virtual
from tests.component.configuration.site import opened, put, small_site

PROPERTIES: dict[str, Any] = {
    "values": ["OrderTotal"],
    "value_options": {
        "OrderTotal": {"translation": {"translate-to": "order_total", "type": "number"}}
    },
}


@pytest.mark.parametrize(
    ("kind", "text", "names"),
    [
        ("condition", "_age() > 60 AND OrderTotal * 2 > 5", ("OrderTotal", "ReceivedAt")),
        ("condition", "", ()),
        ("order", "order_total DESC, Priority", ("OrderTotal", "Priority")),
        ("segment", "MediaType", ("MediaType",)),
        ("filter", 'PairExists("Proactive","1") & MediaType=chat', ("Proactive",)),
    ],
)
def test_what_can_be_read_is_valid(kind: str, text: str, names: tuple[str, ...]) -> None:
    """The answer names what the text looks at."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(
                changes=(
                    *small_site(),
                    put("business-attributes", "InteractionCustomProperties", **PROPERTIES),
                )
            )
            found = await client.expression.check(kind=kind, text=text)  # type: ignore[arg-type]  # a literal
            assert (found.is_valid, found.names, found.message) == (True, names, None)
            assert found.depends_on_time == ("_age" in text)

    run_virtual(main())


@pytest.mark.parametrize(
    ("kind", "text", "place", "said"),
    [
        ("condition", "Priority =\n 'x'", (2, 2), "whole number expected"),
        ("condition", "Priority =", (1, 10), "found the end"),
        ("condition", "Queue = 'Nowhere'", (None, None), "queue 'Nowhere' does not exist"),
        ("order", "Prio", (1, 1), "no property Prio"),
        ("segment", "ReceivedAt", (1, 1), "cannot segment"),
        ("skill", "Nothing > 1", (None, None), "there is no skill 'Nothing'"),
        ("filter", "MediaType ~ 1", (1, 11), "found"),
    ],
)
def test_a_mistake_has_its_place(
    kind: str, text: str, place: tuple[int | None, int | None], said: str
) -> None:
    """Line and column of what is wrong, and what to do."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            found = await client.expression.check(kind=kind, text=text)  # type: ignore[arg-type]  # a literal
            assert not found.is_valid
            assert (found.line, found.column) == place
            assert said in (found.message or "")

    run_virtual(main())


def test_views_with_all_fields_are_stored_and_shown() -> None:
    """The fields of a view go through an apply unchanged; negative limits are refused."""

    async def main() -> None:
        async with opened() as site:
            client = await site.client()
            await client.configuration.apply(changes=small_site())
            queue = next(
                o
                for o in site.server.snapshot.objects.values()
                if o.type == "scripts" and o.body.__class__.__name__ == "InteractionQueue"
            )
            fields = {
                "script_type": "interaction_queue_view",
                "business_process": queue.body.business_process,  # type: ignore[attr-defined]  # a queue's
                "queue": queue.name,
                "segment_by": "MediaType",
                "segment_limit": 3,
                "max_interactions": 50,
                "scheduling_condition": "Priority > 1",
                "scheduling_order": "ScheduledAt DESC",
                "check_interval": 2.5,
            }
            applied = await client.configuration.apply(changes=(put("scripts", "Own", **fields),))
            assert [f for f in applied.findings if "Own" in f["object"]] == []
            (shown,) = (await client.object.list(type="scripts", name="Own")).items
            assert msgspec.json.decode(shown.body).items() >= fields.items()

    run_virtual(main())
