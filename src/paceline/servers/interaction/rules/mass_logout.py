"""When lost sessions are a mass logout: so many on one link's path within a window give one signal."""

from collections import Counter

import msgspec


class _Path(msgspec.Struct):
    lost: list[tuple[float, int]] = []
    is_signalled: bool = False


class MassLogouts:
    """Sessions lost lately, by the path of their link; instants are monotonic seconds."""

    def __init__(self) -> None:
        self._paths: dict[str, _Path] = {}

    def lose(
        self, path: str, tenants: list[int], now: float, *, threshold: int, window_s: float
    ) -> bool:
        """Sessions (each by its tenant) were lost; True when a signal is due.

        There is one signal until the path has lost nothing for a whole window; threshold 0: never.
        """
        for name in tuple(self._paths):
            self._forget(name, now - window_s)
        entry = self._paths.setdefault(path, _Path())
        entry.lost += ((now, tenant) for tenant in tenants)
        if entry.is_signalled or not 0 < threshold <= len(entry.lost):
            return False
        entry.is_signalled = True
        return True

    def sessions(self, path: str) -> Counter[int]:
        """How many of each tenant the path lost within the window of its last loss."""
        entry = self._paths.get(path)
        return Counter(tenant for _, tenant in entry.lost) if entry is not None else Counter()

    def _forget(self, path: str, before: float) -> None:
        entry = self._paths[path]
        entry.lost = [loss for loss in entry.lost if loss[0] >= before]
        if not entry.lost:
            del self._paths[path]
