"""Erasure of a person's data: in interactions in work, in finished ones and in stored events.

Each interaction that lost data has an event that says so, without the data, so that readers of the
log erase their copies. Repeating is safe: what is erased already counts no more.
"""

from collections.abc import AsyncIterator
from itertools import islice

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.runtime.log import get_log
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import replace
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.rules.erasure import erased_data, erased_event
from paceline.servers.interaction.store.node import Key
from paceline.servers.interaction.store.privacy import clear_columns, page_of_subject
from paceline.storage.database import Database
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.privacy import Erase, Erased

MOST_IDS = 1000
"""Most interactions named in one request (chosen: the largest page of a list)."""

SCAN = 2000
"""User data looked at in one statement (chosen: some 20 ms of the database)."""

AT_ONCE = 100
"""Interactions erased in one piece of work, so that other work goes on between (chosen)."""

_log = get_log("interaction.privacy")


class _Gone(msgspec.Struct):
    """What one piece of work erased."""

    in_work: int = 0
    finished: list[Key] = []
    all: list[str] = []
    since: int | None = None


class PrivacyRequests:
    """Handler of `privacy.erase`."""

    def __init__(self, lane: NodeLane, database: Database) -> None:
        self._lane = lane
        self._database = database

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"privacy.erase": self.erase}

    async def erase(self, call: Call, request: Erase) -> Erased:
        """Erases; after an error part of it may be done, and a repeat does the rest."""
        tenant = call.tenant_of(request.tenant)
        by_value = _check(request)
        in_work = finished = changed = 0
        async for ids in self._pages(tenant, request):
            gone = await self._lane.submit(call, _work(tenant, ids, actor_of(call)))
            in_work += gone.in_work
            finished += len(gone.finished)
            if gone.finished and (columns := self._lane.node.shape.custom):
                await clear_columns(self._database, columns, gone.finished)
            changed += await self._erase_events(tenant, ids, gone.since)
        _log.standard(
            "personal data erased",
            by=call.principal.name,
            request_id=call.request_id,
            tenant=tenant,
            key=request.key if by_value else None,
            interactions=in_work,
            finished=finished,
            events=changed,
        )
        return Erased(interactions=in_work, finished=finished, events=changed)

    async def _pages(self, tenant: int, request: Erase) -> AsyncIterator[tuple[str, ...]]:
        """Ids of the person's interactions, some at a time."""
        given = iter(dict.fromkeys(request.interaction_ids))
        while ids := tuple(islice(given, AT_ONCE)):
            yield ids
        if request.key is None or request.value is None:
            return
        after: str | None = ""
        while after is not None:
            found, after = await page_of_subject(
                self._database, tenant, request.key, request.value, after=after, limit=SCAN
            )
            rest = iter(found)
            while ids := tuple(islice(rest, AT_ONCE)):
                yield ids

    async def _erase_events(self, tenant: int, ids: tuple[str, ...], since: int | None) -> int:
        """Erases what events hold of these interactions, from the first one's submission on."""
        if since is None:
            return 0
        now = self._lane.node.now
        return await log_store.erase_from(
            self._database, tenant, frozenset(ids), (since, now), erased_event
        )


def _check(request: Erase) -> bool:
    """Whether the person is named by a value.

    Raises
    ------
    PacelineError
        `invalid_attribute` or `limit_reached` when nobody or too many are named.
    """
    by_value = request.key is not None and request.value is not None
    if by_value == bool(request.interaction_ids) or (request.key is None) != (
        request.value is None
    ):
        raise PacelineError(
            "invalid_attribute", "give key and value, or interaction_ids, and not both", field="key"
        )
    if len(request.interaction_ids) > MOST_IDS:
        raise PacelineError(
            "limit_reached", f"at most {MOST_IDS} at a time", field="interaction_ids"
        )
    return by_value


def _work(tenant: int, ids: tuple[str, ...], actor: str) -> Work:
    keys = tuple((tenant, interaction_id) for interaction_id in ids)

    def apply(node: NodeState) -> _Gone:
        gone = _Gone()
        for key in keys:
            _erase_one(node, key, actor, gone)
        return gone

    return Work(apply, keys=keys, reads_data=True)


def _erase_one(node: NodeState, key: Key, actor: str, gone: _Gone) -> None:
    """One interaction; nothing when it is unknown. Its events are looked at in any case."""
    row, done = node.known(key), node.finished(key)
    if done is not None:
        row = done.row
    if row is None:
        return
    gone.since = min(row.submitted_at, gone.since or row.submitted_at)
    kept = erased_data(node.user_data(key))
    if kept is None:
        return
    node.change_data(key, kept)
    if done is not None:
        gone.finished.append(key)
    else:
        gone.in_work += 1
        new = replace(
            row,
            version=row.version + 1,
            properties_version=row.properties_version + 1,
            custom=node.custom.of(key[0], kept),
        )
        node.put(row, new)
        row = new
    node.event(events.DATA_ERASED, actor, row=row)
