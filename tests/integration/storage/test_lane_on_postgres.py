"""The write lane on PostgreSQL whose connection is cut in the middle of a commit."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.lane import Lane
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url
from tests.lane_owner import FENCE, Words, make_tables, stored_words

__all__ = ["postgres_server", "postgres_url"]
pytestmark = pytest.mark.integration

TIMES = real_times()
MARK = b"marked"


class Cutter:
    """A Unix socket before the server's that cuts the connection which writes the marked word.

    A batch is one statement. "before" swallows it and leaves the server's side open, as a broken
    network does; "after" lets it through, waits for its answer and swallows that.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._streams: list[asyncio.StreamWriter] = []
        self._waiting: list[asyncio.Task[None]] = []
        self._marks = 0
        self.cut = ""
        self.count = 0

    async def start(self, folder: Path) -> str:
        """Listen; URL of the same database through here."""
        self._server = await asyncio.start_unix_server(self._serve, folder / ".s.PGSQL.5432")
        parts = urlsplit(self._url)
        return f"postgresql://{parts.path}?host={quote(str(folder))}&user=paceline"

    async def stop(self) -> None:
        self._server.close()
        for stream in self._streams:
            stream.close()
        await asyncio.gather(*self._waiting)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        path = parse_qs(urlsplit(self._url).query)["host"][0]
        server, to_server = await asyncio.open_unix_connection(f"{path}/.s.PGSQL.5432")
        self._streams += [to_client, to_server]
        answers = asyncio.create_task(self._forward(server, to_client))
        self._waiting.append(answers)
        while data := await client.read(65536):
            self._marks += MARK in data
            if self.cut and self._marks == 2:  # the first asks whether the word is there
                how, self.cut = self.cut, ""
                self.count += 1
                answers.cancel()
                await asyncio.wait([answers])
                self._waiting.remove(answers)
                if how == "after":
                    to_server.write(data)
                    await server.read(1)
                to_client.transport.abort()
                return
            to_server.write(data)
        to_server.close()

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()


@pytest.mark.parametrize("cut", ["", "before", "after"])
def test_a_cut_commit_is_resolved_by_reading(postgres_url: str, tmp_path: Path, cut: str) -> None:
    """Whether the commit got through or not, every word is stored once and every caller answered."""

    async def main() -> None:
        direct = open_database(from_url(postgres_url), times=TIMES)
        await make_tables(direct)
        cutter = Cutter(postgres_url)
        database = open_database(from_url(await cutter.start(tmp_path)), times=TIMES)
        owner = Words()
        lane: Lane[str, int] = Lane(database, owner, FENCE, TIMES, on_stale=lambda _: None)
        running = asyncio.create_task(lane.run())
        assert await asyncio.gather(*map(lane.submit, "ab")) == [1, 2]
        cutter.cut = cut
        answers = asyncio.gather(*map(lane.submit, ("c", MARK.decode(), "e")))
        assert await answers == [3, 4, 5]
        assert cutter.count == (1 if cut else 0)
        assert await asyncio.gather(*map(lane.submit, "f")) == [6]
        assert await stored_words(direct) == ["a", "b", "c", MARK.decode(), "e", "f"]
        assert len(owner.attempts) == (4 if cut == "before" else 3)
        lane.close()
        await running
        await database.close()
        await direct.close()
        await cutter.stop()

    asyncio.run(main())
