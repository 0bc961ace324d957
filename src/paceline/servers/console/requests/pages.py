"""The page, the login form and the files they need, all read once from the package.

Open routes of the console. A browser without a session gets the form at the page's address.
"""

from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.servers.console.requests.answers import HTML, answer, tagged
from paceline.servers.console.requests.guard import Guard
from paceline.wire.open_route import OpenRequest, OpenResponse, OpenRoute

SHIPPED: Final = {
    "console.css": "text/css",
    "live.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""Files anyone may load; the two pages are filled in first."""


def _read(name: str) -> bytes:
    return files("paceline.servers.console").joinpath("static", name).read_bytes()


class LoginForm:
    """The form, with a sentence above it where something went wrong."""

    def __init__(self) -> None:
        self._page = _read("login.html").decode()

    def show(self, message: str = "", *, status: int = 200) -> OpenResponse:
        """The form as an answer."""
        page = self._page.replace("{message}", escape(message))
        return answer(page.encode(), HTML, status=status)


class Pages:
    """Serves the page and its files."""

    def __init__(self, guard: Guard, form: LoginForm, application: str) -> None:
        self._guard = guard
        self._form = form
        self._page = _read("index.html").decode().replace("{application}", escape(application))
        self._files = {name: _read(name) for name in SHIPPED}
        self._etags = {
            name: f'"{sha256(body).hexdigest()[:16]}"' for name, body in self._files.items()
        }

    def routes(self) -> tuple[OpenRoute, ...]:
        """The open routes of this family."""
        return (
            OpenRoute(method="GET", path="/", handler=self.page),
            OpenRoute(method="GET", path="/static/{name}", handler=self.file),
        )

    async def page(self, request: OpenRequest) -> OpenResponse:
        """The live page, or the login form."""
        watcher = self._guard.watcher(request)
        if watcher is None:
            return self._form.show()
        return answer(self._page.replace("{user}", escape(watcher.name)).encode(), HTML)

    async def file(self, request: OpenRequest) -> OpenResponse:
        """A style, script or picture of the page."""
        name = request.path_values["name"]
        if name not in self._files:
            raise PacelineError("not_found", f"the console has no file '{name}'", field="name")
        return tagged(request, self._files[name], SHIPPED[name], self._etags[name])
