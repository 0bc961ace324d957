"""Tokens that are renewed before they expire, and servers found by their application's name."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import ConfigurationServerClient
from paceline.sdk.directory import Directory
from paceline.sdk.login import application_token, password_token
from paceline.units.quantities import Millis
from paceline.wire.call import Call
from paceline.wire.operations.configuration import (
    ApplicationStatus,
    Login,
    StatusList,
    StatusPage,
    Token,
    TokenRequest,
)
from tests.fakes.served import Served

LIFE_S = 900


class _Issuer:
    """Issues numbered tokens to whoever knows the secret, and lists applications in pages of one."""

    def __init__(self, *applications: ApplicationStatus) -> None:
        self.times: Times = virtual_times(Millis(1_800_000_000_000))
        self.issued = 0
        self.asked = 0
        self.applications = applications
        self.served = Served(
            "configuration",
            {
                "session.login": self.login,
                "token.issue": self.issue,
                "application.status": self.status,
            },
            self.times,
        )

    async def login(self, _call: Call, request: Login) -> Token:
        return self._give(request.user, request.password)

    async def issue(self, _call: Call, request: TokenRequest) -> Token:
        assert request.grant_type == "client_credentials"
        return self._give(request.client_id or "", request.client_secret or "")

    async def status(self, _call: Call, request: StatusList) -> StatusPage:
        self.asked += 1
        place = int(request.continuation or 0)
        is_last = place + 1 >= len(self.applications)
        return StatusPage(
            items=self.applications[place : place + 1],
            continuation=None if is_last else str(place + 1),
            complete=is_last,
        )

    def _give(self, name: str, secret: str) -> Token:
        if secret != "right":
            raise PacelineError("unauthenticated", "there is nobody with this name and password")
        self.issued += 1
        return Token(token=f"{name}-{self.issued}", expires_in_s=LIFE_S)


def test_a_token_is_kept_until_half_of_its_life_is_over() -> None:
    """Callers share one token; it is replaced well before it expires; person and application alike."""

    async def work() -> None:
        issuer = _Issuer()
        link, secret = issuer.served.link, Secret("right")
        person = password_token(link, times=issuer.times, user="ann", password=secret)
        server = application_token(link, times=issuer.times, application="stat", secret=secret)
        assert await person() == await person() == "ann-1"
        assert await server() == "stat-2"
        await issuer.times.machine.sleep(LIFE_S / 2 - 1)
        assert await person() == "ann-1"
        await issuer.times.machine.sleep(2)
        assert await person() == "ann-3"
        await issuer.served.close()

    run_virtual(work())


def test_a_wrong_password_is_told_and_not_waited_for() -> None:
    """The server's refusal comes through, and the next call asks again."""

    async def work() -> None:
        issuer = _Issuer()
        wrong = Secret("wrong")
        token = password_token(issuer.served.link, times=issuer.times, user="ann", password=wrong)
        for _ in range(2):
            with pytest.raises(PacelineError) as refused:
                await token()
            assert refused.value.name == "unauthenticated"
        assert issuer.times.machine.monotonic() < 1.0
        await issuer.served.close()

    run_virtual(work())


def _application(name: str, status: str, **urls: str) -> ApplicationStatus:
    return ApplicationStatus(
        application=name, application_type="router", status=status, mode="primary", urls=urls
    )


def test_servers_are_found_by_name() -> None:
    """All pages are read, a running server's address is given, everything else is refused by name."""

    async def work() -> None:
        issuer = _Issuer(
            _application("a", "started", default="http://a:1", admin="http://a:2"),
            _application("b", "stopped", default="http://b:1"),
            _application("c", "unavailable", default="http://c:1"),
        )
        connection = await issuer.served.connect("test")
        directory = Directory(ConfigurationServerClient(connection), issuer.times)
        assert await directory.url_of("a") == "http://a:1"
        assert await directory.url_of("a", "admin") == "http://a:2"
        assert await directory.url_of("c") == "http://c:1"
        for name, error in (("b", "owner_unavailable"), ("d", "not_found")):
            with pytest.raises(PacelineError, match=f"'{name}'") as refused:
                await directory.url_of(name)
            assert refused.value.name == error
        await issuer.served.close()

    run_virtual(work())


def test_an_address_is_asked_for_anew_after_a_moment() -> None:
    """Many connections at once share a question; a server that moved is found a moment later."""

    async def work() -> None:
        issuer = _Issuer(_application("a", "started", default="http://a:1"))
        connection = await issuer.served.connect("test")
        directory = Directory(ConfigurationServerClient(connection), issuer.times)
        for _ in range(5):
            await directory.url_of("a")
        assert issuer.asked == 1
        issuer.applications = (_application("a", "started", default="http://a:9"),)
        await issuer.times.machine.sleep(1.0)
        assert await directory.url_of("a") == "http://a:9"
        await issuer.served.close()

    run_virtual(work())
