"""Who may talk to the studio: this machine's own browser, with the launch token, in small bites.

Every request passes here first. A refusal is one sentence that says what to do.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import cookie_parser

from latentia.errors import LatentiaError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST = 2**23  # bytes of a request's body: a picture
RATE, BURST = 200.0, 2000.0  # requests a second, and at once
STRANGERS = 10.0, 100.0  # likewise, of all who were not let in: they cannot use up what the others have
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class TooLarge(LatentiaError):
    """A body that grows beyond what is accepted."""


class Bucket:
    """Lets so many pass a second on average, and a burst at once.

    Args:
        rate: A second.
        burst: At once.
        clock: Seconds that only grow.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._level, self._last = burst, clock()

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = self._clock()
        self._level = min(self.burst, self._level + (now - self._last) * self.rate)
        self._last = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Guard:
    """Checks the address, the origin, the launch token and the size of each request.

    Args:
        app: What is guarded.
        port: Where the server listens, on 127.0.0.1.
        token: What the launch link carries; drawn at random if not given.
    """

    def __init__(self, app: App, *, port: int, token: str | None = None) -> None:
        self.app, self.port = app, port
        self.token = token or secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.cookie = f"latentia-{port}"
        self._tickets: set[str] = set()
        self._bucket, self._strangers = Bucket(RATE, BURST), Bucket(*STRANGERS)

    @property
    def link(self) -> str:
        """The address that lets a browser in."""
        return f"http://{self.hosts[0]}/?token={self.token}"

    def ticket(self) -> str:
        """An address that lets a browser in once; for where others can see it, such as in the list of processes."""
        token = secrets.token_urlsafe(32)
        self._tickets.add(token)
        return f"http://{self.hosts[0]}/?token={token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, send, *refusal)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        elif scope["path"] == "/" and b"token=" in scope["query_string"]:
            await self._let_in(scope, headers, send)
        else:
            await self._pass(scope, headers, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """The status and the sentence of a refusal, or ``None``."""
        host, method = headers.get("host", ""), scope.get("method", "GET")
        if host not in self.hosts:
            return 403, f"the studio answers at http://{self.hosts[0]} alone: open that address"
        writes = scope["type"] == "websocket" or method not in ("GET", "HEAD")
        if writes and headers.get("origin") != f"http://{host}":
            return 403, "requests that change something must come from the studio's own page: open its launch link"
        inner = writes or scope["path"] != "/"
        if inner and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "the studio takes no requests from other sites: open its launch link"
        given = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        known = hmac.compare_digest(given.encode(), self._session.encode())
        if not (self._bucket if known else self._strangers).take():
            return 429, "too many requests at once: wait a second"
        if not known and not (scope["path"] == "/" and b"token=" in scope["query_string"]):
            return 403, "this browser has not been let in: open the link that `latentia studio` printed when it started"
        return None

    async def _let_in(self, scope: Scope, headers: dict[str, str], send: Send) -> None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        once = given in self._tickets  # of 256 random bits, which no time of a comparison gives away
        self._tickets.discard(given)
        if not once and not hmac.compare_digest(given.encode(), self.token.encode()):
            await _refuse(scope, send, 403, "the link is of another studio: open the one that was printed last")
            return
        cookie = f"{self.cookie}={self._session}; HttpOnly; SameSite=Strict; Path=/"
        await _answer(send, 303, b"", {"location": "/", "set-cookie": cookie})

    async def _pass(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        length = headers.get("content-length", "0")
        too_large = f"the request is larger than {LARGEST // 2**20} MiB: send a smaller picture, or use --input"
        if not length.isdecimal() or int(length) > LARGEST:
            await _refuse(scope, send, 413, too_large)
            return
        size = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST:
                raise TooLarge(too_large)
            return message

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {key for key, _ in message["headers"]}
                more = [(key.encode(), value.encode()) for key, value in HEADERS.items() if key.encode() not in own]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, counted, with_headers)


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
        return
    if scope["path"].startswith("/api/"):
        await _answer(send, status, json.dumps({"error": sentence}).encode(), {"content-type": "application/json"})
    else:
        await _answer(send, status, f"{sentence}\n".encode(), {"content-type": "text/plain; charset=utf-8"})


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    listed = {**HEADERS, **headers, "content-length": str(len(body))}
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in listed.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
