"""Who is let in, and what is refused with which words."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from latentia.studio import guard as guarding
from latentia.studio.guard import Bucket, Guard

BASE = "http://127.0.0.1:8123"


@pytest.fixture
def stranger(browser: Any) -> TestClient:
    """A client without a cookie."""
    return TestClient(browser.guard, base_url=BASE, follow_redirects=False)


def test_the_link_lets_in_and_the_cookie_is_closed_to_scripts_and_other_sites(stranger: TestClient) -> None:
    answer = stranger.get("/?token=the-token")
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("latentia-8123=") and "the-token" not in cookie
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert stranger.get("/api/runs").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/?token=wrong", "/?token=", "/api/runs", "/assets/main.js", "/api/runs/vae/latents"]
)
def test_without_the_token_nothing_is_told(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 403
    assert "open the" in answer.text and "latentia-8123" not in answer.headers.get("set-cookie", "")


def test_a_wrong_cookie_is_none(stranger: TestClient) -> None:
    for value in ("latentia-8123=the-token", "latentia-8123=", 'latentia-8123="a;b', "latentia=the-token"):
        assert stranger.get("/api/runs", headers={"cookie": value}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost:8124", "evil.example:8123", ""]
)
def test_foreign_hosts_are_refused(browser: Any, host: str) -> None:
    answer = browser.client.get("/api/runs", headers={"host": host})
    assert answer.status_code == 403 and f"{BASE} alone" in answer.json()["error"]


def test_localhost_is_as_good(stranger: TestClient) -> None:
    answer = stranger.get("/?token=the-token", headers={"host": "localhost:8123"})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:8123", "http://127.0.0.1:8124"]
)
def test_writes_from_elsewhere_are_refused(browser: Any, stranger: TestClient, origin: str | None) -> None:
    stranger.get("/?token=the-token")
    headers = {} if origin is None else {"origin": origin}
    for path in ("/api/jobs", "/api/runs/vae/path", "/api/jobs/vae/stop"):
        answer = stranger.post(path, json={}, headers=headers)
        assert answer.status_code == 403 and "own page" in answer.json()["error"]
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("ws://127.0.0.1:8123/ws", headers=headers):
        pass


def test_requests_that_a_browser_marks_as_foreign_are_refused(browser: Any) -> None:
    answer = browser.client.get("/api/runs", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert browser.client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200  # a link was followed
    assert browser.client.get("/api/runs", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_a_websocket_needs_the_cookie(stranger: TestClient) -> None:
    headers = {"origin": BASE}
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("ws://127.0.0.1:8123/ws", headers=headers):
        pass


@pytest.mark.parametrize("path", ["/", "/api/runs", "/nothing", "/api/nothing", "/api/runs/none/latents"])
def test_every_answer_has_the_headers(browser: Any, stranger: TestClient, path: str) -> None:
    for client in (browser.client, stranger):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_large_bodies_are_refused(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "LARGEST", 1000)
    for content in (b"x" * 1001, (b"x" * 600 for _ in range(2))):  # with a length, and in pieces without one
        answer = browser.client.post("/api/runs/vae/encode", content=content, headers={"content-type": "image/png"})
        assert answer.status_code == 413 and "smaller" in answer.json()["error"]


def test_too_many_requests_are_refused(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser.guard, "_bucket", Bucket(rate=0.0, burst=2))
    answers = [browser.client.get("/api/nothing").status_code for _ in range(4)]
    assert answers == [404, 404, 429, 429]


def test_strangers_do_not_use_up_what_others_have(
    browser: Any, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser.guard, "_strangers", Bucket(rate=0.0, burst=2))
    assert [stranger.get("/api/runs").status_code for _ in range(4)] == [403, 403, 429, 429]
    assert browser.client.get("/api/runs").status_code == 200


def test_cookies_of_others_do_not_hide_ours(browser: Any) -> None:
    cookie = "; ".join(f"{key}={value}" for key, value in browser.client.cookies.items())
    for odd in ("a b@c=[1,{2}]", "=", 'x="unfinished', "ü=1"):
        assert status_of(browser.guard, f"{odd}; {cookie}", "/api/runs/vae/metrics")[0] == 200


def test_a_ticket_lets_in_once(browser: Any, stranger: TestClient) -> None:
    link = browser.guard.ticket().removeprefix(BASE)
    assert "the-token" not in link
    assert [stranger.get(link).status_code for _ in range(2)] == [303, 403]


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(rate=2.0, burst=3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_tokens_differ() -> None:
    first, second = (Guard(_nothing, port=1) for _ in range(2))
    assert first.token != second.token and len(first.token) > 40
    assert first.link == f"http://127.0.0.1:1/?token={first.token}"


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0)


OUTSIDE = ["..", "../vae", "vae/../vae", "..%2Fvae", "%2e%2e%2fvae", "%2Fetc", "vae%00", "..%5Cvae", "./vae"]


def status_of(guard: Guard, cookie: str, path: str, query: str = "") -> tuple[int, str]:
    """The answer to a path that no client has put in order."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8123"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(guard({**scope, "http_version": "1.1", "root_path": "", "scheme": "http"}, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_stay_in_the_folder(browser: Any, name: str) -> None:
    cookie = "; ".join(f"{key}={value}" for key, value in browser.client.cookies.items())
    assert status_of(browser.guard, cookie, "/api/runs/vae/metrics")[0] == 200
    for path, query in (
        (f"/api/runs/{unquote(name)}/metrics", ""),
        (f"/api/runs/{name}/metrics", ""),
        ("/api/compare", f"run={name}&run=vae"),
        ("/api/compare/images", f"run={name}&run=vae"),
    ):
        status, text = status_of(browser.guard, cookie, path, query)
        assert status in (403, 404) and "error" in text, (path, text)


def test_links_out_of_the_folder_are_not_followed(own: Path, runs: Path, browse: Callable[[Path], Any]) -> None:
    (own / "link").symlink_to(runs / "vae", target_is_directory=True)
    (own / "inner").mkdir()
    (own / "inner" / "config.toml").symlink_to(runs / "vae" / "config.toml")
    shutil.copytree(runs / "vae", own / "deep")
    model = own / "deep" / "model" / "config.json"
    model.unlink()
    model.symlink_to(runs / "vae" / "model" / "config.json")
    (own / "alias").symlink_to(own / "vae", target_is_directory=True)
    browser = browse(own)
    for name in ("link", "inner", "deep"):
        answer = browser.get(f"/api/runs/{name}", 403)
        assert "out of" in answer["error"]
    assert {row["id"] for row in browser.get("/api/runs")["runs"]} == {"vae", "deep", "alias"}


def test_only_built_files_are_served(browser: Any) -> None:
    for path in ("/../app.py", "/%2e%2e/app.py", "/app.py", "/assets/../../app.py", "/static/index.html"):
        assert browser.client.get(path).status_code == 404
