"""Who gets in and how: password, one-time link, rights, cookies, time."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Person
from paceline.runtime.virtual_loop import run_virtual
from tests.component.console.site import PASSWORD, Opened, opened, people


async def is_inside(browser: Opened) -> bool:
    """Whether the browser gets the live page, and the picture with it."""
    page = await browser.ask("GET", "/")
    shows_page = b"/static/live.js" in page.body
    try:
        await browser.ask("GET", "/live.json")
    except PacelineError as error:
        assert error.name == "unauthenticated"
        assert not shows_page
        return False
    assert shows_page
    return True


def test_a_person_logs_in_and_out() -> None:
    """Without a session there is the form and no figure; a password opens the page, logout closes it."""

    async def main() -> None:
        async with opened() as browser:
            assert not await is_inside(browser)
            answer = await browser.log_in()
            assert (answer.status, answer.headers["location"]) == (303, "/")
            assert await is_inside(browser)
            key = dict(browser.cookies)
            await browser.ask("POST", "/logout")
            assert not await is_inside(browser)
            browser.cookies = key
            assert not await is_inside(browser), "the session itself must be over"

    run_virtual(main())


def test_the_cookie_is_opaque_and_kept_from_scripts_and_other_sites() -> None:
    """HttpOnly, SameSite=Strict, of this port only, Secure when told so; no token and no name inside."""

    async def main() -> None:
        async with opened(options={"secure-cookie": "true"}) as browser:
            cookie = (await browser.log_in()).headers["set-cookie"]
            name, _, rest = cookie.partition("=")
            value, *attributes = rest.split("; ")
            assert name == "paceline_console_8080"
            assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(attributes)
            assert "vera" not in value
            assert len(value) >= 32

    run_virtual(main())


@pytest.mark.parametrize(
    ("user", "password", "status", "says"),
    [
        ("vera", "wrong", 401, "user or password is wrong"),
        ("", "x", 400, "Give a user name"),
        ("otto", PASSWORD, 403, "supervisor, operator"),
    ],
)
def test_who_may_not_watch_gets_the_form_and_the_reason(
    user: str, password: str, status: int, says: str
) -> None:
    """A wrong password, an empty form, and an agent, whose group may not read the whole site."""

    async def main() -> None:
        async with opened() as browser:
            answer = await browser.log_in(user, password)
            assert answer.status == status
            assert says.encode() in answer.body
            assert "set-cookie" not in answer.headers
            assert not await is_inside(browser)

    run_virtual(main())


def test_a_name_never_becomes_markup() -> None:
    """The page shows who is logged in: a person's name is text, whatever it holds."""

    async def main() -> None:
        async with opened() as browser:
            builder = people()
            builder.add("persons", "<b>eve", Person(access_groups=("auditor",)))
            browser.configuration.change(builder.build())
            await browser.ask("GET", browser.console.entry_path("<b>eve"))
            page = (await browser.ask("GET", "/")).body
            assert b"&lt;b&gt;eve" in page
            assert b"<b>eve" not in page

    run_virtual(main())


def test_a_disabled_person_is_out_at_once() -> None:
    """Rights are those of the configuration now, not of the login."""

    async def main() -> None:
        async with opened() as browser:
            await browser.log_in()
            assert await is_inside(browser)
            builder = people()
            builder.replace(1, state="disabled")
            browser.configuration.change(builder.build())
            assert not await is_inside(browser)

    run_virtual(main())


def test_a_session_ends_by_time() -> None:
    """After console.session-timeout the browser has to log in again."""

    async def main() -> None:
        async with opened(options={"session-timeout": "1min"}) as browser:
            await browser.log_in()
            await browser.times.machine.sleep(55)
            assert await is_inside(browser)
            await browser.times.machine.sleep(10)
            assert not await is_inside(browser)

    run_virtual(main())


def test_a_link_works_once() -> None:
    """The one-time link opens a session; used again it opens none."""

    async def main() -> None:
        async with opened() as browser:
            link = browser.console.entry_path("admin")
            assert b"url=/" in (await browser.ask("GET", link)).body
            assert await is_inside(browser)
            browser.cookies.clear()
            again = await browser.ask("GET", link)
            assert again.status == 403
            assert not await is_inside(browser)

    run_virtual(main())


def test_a_link_grows_old() -> None:
    """After console.link-timeout it is worth nothing."""

    async def main() -> None:
        async with opened(options={"link-timeout": "10s"}) as browser:
            link = browser.console.entry_path("admin")
            await browser.times.machine.sleep(11)
            assert (await browser.ask("GET", link)).status == 403

    run_virtual(main())


def test_no_link_for_who_may_not_watch() -> None:
    """The error names the person and the groups that may."""

    async def main() -> None:
        async with opened() as browser:
            for user in ("otto", "nobody"):
                with pytest.raises(PacelineError, match=user) as refused:
                    browser.console.entry_path(user)
                assert refused.value.name == "not_allowed"

    run_virtual(main())


def test_a_form_from_another_site_is_refused() -> None:
    """Another site's page can neither log its visitor in nor out."""

    async def main() -> None:
        async with opened() as browser:
            await browser.log_in()
            for address in ("/login", "/logout"):
                with pytest.raises(PacelineError, match="another site"):
                    await browser.ask("POST", address, headers={"sec-fetch-site": "cross-site"})
            assert await is_inside(browser)

    run_virtual(main())


def test_login_without_the_configuration_server() -> None:
    """It is said that nobody can log in now; who is in stays in."""

    async def main() -> None:
        async with opened() as browser:
            await browser.log_in()
            await browser.served["configuration"].close()
            await browser.times.machine.sleep(1)
            kept = dict(browser.cookies)
            answer = await browser.log_in()
            assert answer.status == 503
            assert b"Nobody can log in now" in answer.body
            browser.cookies = kept
            assert await is_inside(browser)

    run_virtual(main())


def test_pages_load_nothing_from_elsewhere() -> None:
    """Every answer carries a policy that lets only this console's own files in, and no page is framed."""

    async def main() -> None:
        async with opened() as browser:
            await browser.log_in()
            for address in ("/", "/live.json", "/static/live.js", "/static/console.css"):
                answer = await browser.ask("GET", address)
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "frame-ancestors 'none'" in policy
                assert answer.headers["referrer-policy"] == "no-referrer"
            page = (await browser.ask("GET", "/")).body
            assert b"http://" not in page
            assert b"https://" not in page

    run_virtual(main())


def test_files_are_asked_again_with_their_tag() -> None:
    """A browser that has the file gets 304; a name that is none of the files is not found."""

    async def main() -> None:
        async with opened() as browser:
            first = await browser.ask("GET", "/static/live.js")
            tag = first.headers["etag"]
            again = await browser.ask("GET", "/static/live.js", headers={"if-none-match": tag})
            assert (again.status, again.body) == (304, b"")
            with pytest.raises(PacelineError, match="no file"):
                await browser.ask("GET", "/static/index.html")

    run_virtual(main())
