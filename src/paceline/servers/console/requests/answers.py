"""How every answer to a browser looks: headers that keep the page to itself, and the session cookie.

Called by the other requests. Nothing from elsewhere is loaded, no page is framed, no key in an
address goes on as a referrer.
"""

from typing import Final

from paceline.wire.open_route import OpenRequest, OpenResponse

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SAFETY: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
HTML: Final = "text/html"
"""The web server adds the charset of text types."""

JSON: Final = "application/json"


def answer(
    body: bytes,
    content_type: str = HTML,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> OpenResponse:
    """An answer that is not kept by anyone unless its headers say so."""
    return OpenResponse(
        body=body,
        status=status,
        content_type=content_type,
        headers={**_SAFETY, "cache-control": "no-store", **(headers or {})},
    )


def to_page(cookie: str) -> OpenResponse:
    """Sends the browser to the page with a new or an ended session."""
    return answer(b"", status=303, headers={"location": "/", "set-cookie": cookie})


def tagged(request: OpenRequest, body: bytes, content_type: str, etag: str) -> OpenResponse:
    """An answer the browser asks for again and again: 304 while the tag is the one it has."""
    headers = {"etag": etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return answer(b"", content_type, status=304, headers=headers)
    return answer(body, content_type, headers=headers)


def cookie_name(request: OpenRequest) -> str:
    """Of this port's console: browsers share cookies between all ports of a host."""
    port = request.headers.get("host", "").rpartition(":")[2]
    return f"paceline_console_{port}" if port.isdecimal() else "paceline_console"


def session_key(request: OpenRequest) -> str:
    """What the browser's cookie holds, empty without one."""
    return request.cookies.get(cookie_name(request), "")


def session_cookie(request: OpenRequest, key: str, *, max_age_s: int, is_secure: bool) -> str:
    """The cookie of a session; with an age of 0 it ends."""
    secure = "; Secure" if is_secure else ""
    return (
        f"{cookie_name(request)}={key}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict"
        + secure
    )
