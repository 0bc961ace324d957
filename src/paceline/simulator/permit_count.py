"""How many permits the pacing service granted during a run, from its stream of targets.

The stream tells a target only when its permits change, so that each sequence in between granted
the same again. Used by summary.py.
"""

from paceline.sdk import PacingServerClient, Subscription
from paceline.wire.operations.pacing import StreamTargets, TargetsNotice

MOST_TARGETS = 1000
"""The largest window of the stream."""


class PermitCount:
    """Permits of all targets, added over the sequences of one master's epoch after another."""

    def __init__(self) -> None:
        self._permits: dict[str, int] = {}
        self._epoch = 0
        self._sequence: int | None = None
        self._stream: Subscription[TargetsNotice] | None = None
        self.granted = 0

    def follow(self, client: PacingServerClient) -> None:
        """Counts from now on, over lost links too."""
        request = StreamTargets(count=MOST_TARGETS, fields=("permits",))
        self._stream = client.target.subscribe(lambda: request, self.take)

    def close(self) -> None:
        """Counts no further."""
        if self._stream is not None:
            self._stream.close()

    def take(self, notice: TargetsNotice) -> None:
        """Rows that changed with this sequence; those before went on as they were.

        The first notice of all tells what was granted before the run.
        """
        is_first = self._sequence is None
        self.advance(notice.epoch, notice.sequence - 1)
        for name in notice.removed:
            self._permits.pop(name, None)
        self._permits.update((row.name, row.permits) for row in notice.items)
        if is_first:
            self._sequence = notice.sequence
        self.advance(notice.epoch, notice.sequence)

    def advance(self, epoch: int, sequence: int) -> None:
        """The sequences up to this one granted what the last one did."""
        if self._sequence is None or epoch != self._epoch:
            self._epoch, self._sequence = epoch, sequence
            return
        passed = sequence - self._sequence
        if passed > 0:
            self.granted += passed * sum(self._permits.values())
            self._sequence = sequence
