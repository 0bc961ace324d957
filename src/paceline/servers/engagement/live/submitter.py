"""Submits accepted invitations to the Interaction Server, each exactly once however often it is tried.

Called after the acceptance is committed, and at start for what a former life left. The client token
is the invitation's id, so a repeat finds the interaction that is there already.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import msgspec
from tenacity import AsyncRetrying

from paceline.errors.failure import PacelineError
from paceline.model.options import OptionValues
from paceline.runtime.chance import Stream
from paceline.runtime.log import get_log
from paceline.runtime.retry import retrying
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.servers.engagement.live.book import ERRORED, STARTED, InvitationBook, Settle
from paceline.servers.engagement.live.writer import Writer
from paceline.servers.engagement.metrics import EngagementFigures
from paceline.servers.engagement.options import MEDIA_WITH_QUEUE
from paceline.servers.engagement.store.invitations import Invitation

AT_ONCE = 200
"""Submissions under way at once (chosen: well inside the 1,024 requests of one session)."""

REPEATED = frozenset(
    {
        "connection_lost",
        "owner_unavailable",
        "no_server_accepts",
        "operation_in_progress",
        "back_pressure",
        "overloaded",
        "deadline_exceeded",
        "database_unavailable",
        "outcome_unknown",
        "shutting_down",
        "stale_epoch",
        "internal_error",
    }
)
"""Errors that pass; the token makes a repeat safe whatever their outcome was."""

_log = get_log("engagement.submitter")


def queue_of(options: OptionValues, media_type: str) -> tuple[str, str]:
    """The interaction queue of a medium (empty when none is set) and the option that names it."""
    key = media_type if media_type in MEDIA_WITH_QUEUE else "other"
    return options.text("queues", key).strip(), f"queues.{key}"


class Submitter:
    """One task per accepted invitation until it is acknowledged and recorded."""

    def __init__(
        self,
        *,
        client: InteractionServerClient,
        writer: Writer,
        book: InvitationBook,
        times: Times,
        tasks: TaskGroup,
        options: Callable[[], OptionValues],
        jitter: Stream,
        figures: EngagementFigures,
        tenant: int,
    ) -> None:
        self._client = client
        self._writer = writer
        self._book = book
        self._times = times
        self._tasks = tasks
        self._options = options
        self._jitter = jitter
        self._figures = figures
        self._tenant = tenant
        self._under_way: dict[str, asyncio.Future[Invitation]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    def begin(self, invitation: Invitation, user_data: bytes) -> "asyncio.Future[Invitation]":
        """Submit it; the future gives the invitation with its interaction, or why there is none."""
        found = self._under_way.get(invitation.id)
        if found is not None:
            return found
        answer: asyncio.Future[Invitation] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_look_at)  # a failure that nobody waits for is in the log already
        self._under_way[invitation.id] = answer
        self._tasks.start(f"submit {invitation.id}", self._run(invitation, user_data, answer))
        return answer

    def under_way(self, invitation_id: str) -> "asyncio.Future[Invitation] | None":
        """The submission of an accepted invitation."""
        return self._under_way.get(invitation_id)

    async def _run(
        self, invitation: Invitation, user_data: bytes, answer: "asyncio.Future[Invitation]"
    ) -> None:
        try:
            async with self._places:
                settled = await self._submit(invitation, user_data, answer)
                await self._policy()(self._record, settled)
        finally:
            self._under_way.pop(invitation.id, None)
            answer.cancel()  # nothing happens when it is done

    async def _submit(
        self, invitation: Invitation, user_data: bytes, answer: "asyncio.Future[Invitation]"
    ) -> Settle:
        try:
            interaction_id: str = await self._policy()(self._submit_once, invitation, user_data)
        except PacelineError as error:
            self._figures.submissions.labels("refused").inc()
            _log.error(
                "an accepted invitation cannot be submitted",
                invitation=invitation.id,
                target=invitation.facts.target,
                why=error.message,
            )
            if not answer.done():
                answer.set_exception(error)
            return Settle(invitation.id, ERRORED)
        self._figures.submissions.labels("submitted").inc()
        if not answer.done():
            answer.set_result(replace(invitation, state=STARTED, interaction_id=interaction_id))
        return Settle(invitation.id, STARTED, interaction_id)

    async def _submit_once(self, invitation: Invitation, user_data: bytes) -> str:
        medium = invitation.facts.media_type
        queue, option = queue_of(self._options(), medium)
        if not queue:
            raise PacelineError(
                "configuration_mistake", f"option {option} names no queue for {medium}"
            )
        submitted = await self._client.interaction.submit(
            media_type=medium,
            queue=queue,
            client_token=invitation.id,
            is_online=medium == "chat",
            user_data=msgspec.Raw(user_data),
            tenant=self._tenant,
        )
        return submitted.interaction_id

    async def _record(self, settled: Settle) -> None:
        if self._book.open_invitation(settled.invitation_id) is not None:
            await self._writer.submit(settled)

    def _policy(self) -> AsyncRetrying:
        return retrying(self._times, self._jitter, when=_may_pass)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, PacelineError) and error.name in REPEATED


def _look_at(answer: "asyncio.Future[Invitation]") -> None:
    if not answer.cancelled():
        answer.exception()
