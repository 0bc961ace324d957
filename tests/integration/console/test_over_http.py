"""The console behind the real web server: cookies, redirects and 304 as a browser meets them."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.metrics import Metrics
from paceline.runtime.times import real_times
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.application import build_application
from paceline.wire.server.listen import Listener, bind
from paceline.wire.server.surface import Surface
from tests.component.console.site import PASSWORD, FakeSite, Opened, opened, target, verify

BROWSER = shutil.which("chromium")
BROWSER_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)

pytestmark = pytest.mark.integration


async def not_served(call: object, request: object) -> object:
    """The console's own operations are not part of these tests."""
    raise PacelineError("unsupported_operation", "not part of the test")


@asynccontextmanager
async def served(site: FakeSite) -> AsyncIterator[tuple[Opened, str]]:
    """A console on a loopback socket, with its address."""
    times = real_times()
    async with opened(site, times=times) as console:
        surface = Surface(
            kind="console",
            name="console-1",
            handlers=dict.fromkeys(OPERATIONS_OF["console"], not_served),
            verify=verify,
            times=times,
            metrics=Metrics("console"),
            open_routes=console.console.open_routes,
        )
        listener = Listener(build_application(surface), bind("127.0.0.1", 0), times.machine)
        async with listener:
            yield console, f"http://127.0.0.1:{listener.address[1]}"


def test_login_page_picture_and_logout() -> None:
    """A browser's way: form, 303 with a cookie, page, picture, 304, logout, 401."""

    async def main() -> None:
        async with served(FakeSite()) as (_, url), httpx.AsyncClient(base_url=url) as browser:
            assert (await browser.get("/live.json")).status_code == 401
            form = {"user": "vera", "password": PASSWORD}
            entered = await browser.post("/login", data=form)
            assert (entered.status_code, entered.headers["location"]) == (303, "/")
            page = await browser.get("/")
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "vera" in page.text
            script = await browser.get("/static/live.js")
            assert script.headers["content-type"].startswith("text/javascript")
            picture = await browser.get("/live.json")
            assert picture.json()["site"]["speed"] == 1.0
            tag = {"if-none-match": picture.headers["etag"]}
            assert (await browser.get("/live.json", headers=tag)).status_code in (200, 304)
            assert (await browser.post("/logout")).status_code == 303
            assert not browser.cookies
            assert (await browser.get("/live.json")).status_code == 401

    asyncio.run(main())


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """The one-time link leads to the page; its script writes the figures, and nothing is refused or fails.

    A name that looks like markup stays text.
    """
    site = FakeSite(targets=[target("<img src=x>", permits=42, abandonment_percent=5.0)])

    async def main() -> tuple[str, str]:
        async with served(site) as (console, url):
            link = url + console.console.entry_path("admin")
            command = [str(BROWSER), *BROWSER_FLAGS, f"--user-data-dir={tmp_path}"]
            process = await asyncio.create_subprocess_exec(
                *command,
                "--timeout=30000",
                "--virtual-time-budget=3000",
                "--dump-dom",
                link,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            out, log = await asyncio.wait_for(process.communicate(), 60)
            return out.decode(), log.decode()

    document, log = asyncio.run(main())
    assert '<span id="link" class="dot good">live</span>' in document
    assert re.search('class="number permits"[^>]*>42<', document)
    assert "&lt;img src=x&gt;" in document
    assert "5.0 % above 3 %" in document
    assert "pacing-cluster" in document
    assert "CONSOLE" not in log, log
