"""What the event log alone tells of every interaction, compared with the plain model."""

import msgspec

from paceline.model import events as names
from paceline.wire.operations.event import Event
from tests.property.interaction.plain_model import Item, Model


def check_log(log: list[Event], model: Model) -> None:
    """The events alone tell who has each interaction, in which state and workbin, held or not."""
    replayed: dict[str, Item] = {}
    for event in log:
        if event.name == names.INTERACTION_SUBMITTED:
            key = event.interaction_id or ""
            replayed[key] = Item(key, 0, "", 0, 0, event.queue or "")
        elif event.interaction_id is not None:
            _replay(replayed[event.interaction_id], event)
    for key, item in model.items.items():
        told = replayed[key]
        in_bin = item.bin if item.state == "queued" else None
        assert (told.state, sorted(told.parties), told.is_held, told.bin) == (
            item.state,
            sorted(item.handlers),
            item.is_held,
            in_bin,
        ), (item, told)


def _replay(item: Item, event: Event) -> None:
    data = msgspec.json.decode(event.data)
    is_agent = data.get("party") == "agent"
    match event.name:
        case names.PLACED_IN_QUEUE:
            assert not item.parties, "nobody may have what waits"
            item.state = "queued"
        case names.PARTY_ADDED:
            item.state = "handling" if is_agent else "routing"
            item.parties += [event.agent or ""] * is_agent
        case names.PARTY_REMOVED if is_agent:
            item.parties.remove(event.agent or "")
        case names.PLACED_IN_WORKBIN | names.TAKEN_FROM_WORKBIN:
            item.bin = data["owner"] if event.name == names.PLACED_IN_WORKBIN else None
        case names.HELD | names.RESUMED:
            item.is_held = event.name == names.HELD
        case names.PROCESSING_STOPPED:
            item.state = "stopped"
