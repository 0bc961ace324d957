"""The log of a rehearsal: one line per fact, in order, with a digest of all of it.

Written by every part of this package; the same seed gives the same bytes. Never reads a clock but
the loop's virtual one.
"""

import asyncio
from collections import deque
from hashlib import sha256
from typing import IO

KEPT_LINES = 50_000
"""The last lines stay in memory for whoever explains a failure (chosen: some simulated minutes)."""


class RehearsalLog:
    """Append only.

    Parameters
    ----------
    file
        Gets the lines as they are written; None keeps only the last ones and the digest.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.count = 0
        self._file = file
        self._digest = sha256()

    def write(self, kind: str, subject: str, text: str) -> None:
        """Note a fact of now: `time kind subject text`, with the time in virtual seconds."""
        line = f"{asyncio.get_running_loop().time():.6f} {kind} {subject} {text}"
        self.lines.append(line)
        self.count += 1
        self._digest.update(line.encode())
        self._digest.update(b"\n")
        if self._file is not None:
            self._file.write(line + "\n")

    @property
    def digest(self) -> str:
        """SHA-256 of all lines so far, in hexadecimal."""
        return self._digest.hexdigest()

    def about(self, *words: str, limit: int = 50) -> list[str]:
        """The last lines that contain one of the words, oldest first."""
        found: deque[str] = deque(maxlen=limit)
        found.extend(line for line in self.lines if any(word in line for word in words))
        return list(found)
