"""Invariants over requests and their answers: told in time, kept once told, without effect once refused.

Judged from the recorded history against the event log, the stored invitations and nothing else.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from paceline.assembly.stored_facts import EngineFacts
from paceline.simulator.whole.history import Asked, History, names_in
from paceline.simulator.whole.invariant import EventLog, InvariantBroken


class AnsweredInTime:
    """Every request is answered or refused, with its outcome, within its deadline and a margin."""

    NAME = "every request is answered or refused within its deadline"

    def __init__(self, history: History, now: Callable[[], float]) -> None:
        self._history = history
        self._now = now

    async def check_now(self) -> None:
        """Whether somebody has waited for too long."""
        now = self._now()
        for asked in self._history.pending.values():
            if now > asked.due_at:
                raise InvariantBroken(
                    self.NAME,
                    f"{asked.line}: sent at {asked.sent_at:.3f} s, nothing came until {now:.3f} s",
                    about=[asked.client],
                )

    async def check_at_end(self) -> None:
        """The same."""
        await self.check_now()


class NothingUnforeseen:
    """No request ends with an error that no server means to give."""

    NAME = "no request ends with an internal error"

    def __init__(self, history: History) -> None:
        self._found: Asked | None = None
        history.on_end(self._look)

    def _look(self, asked: Asked) -> None:
        if asked.error == "internal_error":
            self._found = asked

    async def check_now(self) -> None:
        """What ended since the last step."""
        if self._found is not None:
            raise InvariantBroken(
                self.NAME, self._found.line, about=[names_in(self._found.request)]
            )

    async def check_at_end(self) -> None:
        """The same."""
        await self.check_now()


class AcknowledgedIsKept:
    """What was acknowledged is in the log and stays there; one token makes one interaction."""

    NAME = "nothing acknowledged is lost"

    def __init__(self, history: History, log: EventLog, engine: EngineFacts) -> None:
        self._log = log
        self._engine = engine
        self._ended: deque[Asked] = deque()
        self._by_token: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        history.on_end(self._look)
        self._judges: Final[dict[str, Callable[[Asked], str | None]]] = {
            "interaction.submit": self._submitted,
            "interaction.accept": self._accepted,
            "interaction.stop": self._stopped,
            "interaction.abandon": self._left,
            "view.pull": self._pulled,
            "invitation.accept": self._became,
        }

    def _look(self, asked: Asked) -> None:
        if asked.ending == "done" and (
            asked.operation in self._judges or asked.operation == "invitation.create"
        ):
            self._ended.append(asked)

    async def check_now(self) -> None:
        """Everything that was acknowledged since the last step."""
        await self._log.catch_up()
        while self._ended:
            asked = self._ended.popleft()
            judge = self._judges.get(asked.operation)
            problem = await self._invited(asked) if judge is None else judge(asked)
            if problem is not None:
                about = [
                    str(value)
                    for message in (asked.request, asked.answer)
                    for name in ("interaction_id", "invitation_id")
                    if (value := getattr(message, name, None))
                ]
                raise InvariantBroken(self.NAME, f"{asked.line}: {problem}", about=about)

    async def check_at_end(self) -> None:
        """The same."""
        await self.check_now()

    def _submitted(self, asked: Asked) -> str | None:
        interaction_id = asked.answer.interaction_id
        token = asked.request.client_token
        if token is not None:
            first = self._by_token.setdefault((asked.client, token), interaction_id)
            if first != interaction_id:
                return f"token {token} had made {first}"
        return self._is_there(interaction_id)

    def _accepted(self, asked: Asked) -> str | None:
        agent = asked.request.agent
        if (asked.request.interaction_id, agent) not in self._log.replay.handled:
            return f"no event says that {agent} handles it"
        return None

    def _stopped(self, asked: Asked) -> str | None:
        told = self._log.replay.interactions.get(asked.request.interaction_id)
        if told is None or told.state != "stopped":
            return "no event says that it is stopped"
        return None

    def _left(self, asked: Asked) -> str | None:
        told = self._log.replay.interactions.get(asked.request.interaction_id)
        if told is None or not (told.state == "stopped" or told.is_abandoned):
            return "no event says that the visitor has left"
        return None

    def _pulled(self, asked: Asked) -> str | None:
        for pulled in asked.answer.interactions:
            problem = self._is_there(pulled.interaction_id)
            if problem is not None:
                return problem
        return None

    def _became(self, asked: Asked) -> str | None:
        interaction_id = asked.answer.interaction_id
        return None if interaction_id is None else self._is_there(interaction_id)

    async def _invited(self, asked: Asked) -> str | None:
        if await self._engine.has_invitation(asked.answer.invitation_id):
            return None
        return "the engine's store does not have the invitation"

    def _is_there(self, interaction_id: str) -> str | None:
        if interaction_id in self._log.replay.interactions:
            return None
        return f"no event tells of interaction {interaction_id}"


class RefusedIsUndone:
    """A submission that was only ever refused as not done has made nothing."""

    NAME = "what was refused as not done has no effect"

    def __init__(self, history: History, log: EventLog) -> None:
        self._log = log
        self._endings: defaultdict[str, set[str]] = defaultdict(set)
        history.on_end(self._look)

    def _look(self, asked: Asked) -> None:
        if asked.operation == "interaction.submit" and asked.request.interaction_id is not None:
            self._endings[asked.request.interaction_id].add(asked.ending)

    async def check_now(self) -> None:
        """Nothing: a request that is under way may still be done."""

    async def check_at_end(self) -> None:
        """No interaction has an id whose every submission was refused."""
        await self._log.catch_up()
        for interaction_id, endings in self._endings.items():
            if endings == {"not_done"} and interaction_id in self._log.replay.interactions:
                raise InvariantBroken(
                    self.NAME, f"{interaction_id} is there all the same", about=[interaction_id]
                )
