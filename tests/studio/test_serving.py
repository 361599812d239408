"""A real server with real sockets: the link, 50 pages, jobs that outlive it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from latentia.errors import EnvironmentFault, RunError
from latentia.studio import serving
from latentia.studio.live import LARGEST
from latentia.studio.serving import Prepared, prepare
from latentia.studio.work import Work


def client_of(link: str) -> httpx2.Client:
    """A client that was let in by a link."""
    base = link.partition("/?")[0]
    client = httpx2.Client(base_url=base, headers={"origin": base}, timeout=60)
    assert client.get(link.partition("#")[0]).status_code == 303
    return client


def page_of(client: httpx2.Client) -> Any:
    """A WebSocket with the client's cookie."""
    base = str(client.base_url).rstrip("/")
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return connect(base.replace("http", "ws") + "/ws", origin=base, additional_headers={"cookie": cookie})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def served(runs: Path) -> Iterator[Prepared]:
    """A server in a thread."""
    prepared = prepare(runs)
    thread = threading.Thread(target=prepared.run, daemon=True)
    thread.start()
    yield prepared
    prepared.server.should_exit = True
    thread.join(20)


def test_it_listens_on_this_machine_alone(served: Prepared) -> None:
    host, port = served.listening.getsockname()
    assert host == "127.0.0.1" and served.link.startswith(f"http://127.0.0.1:{port}/?token=")
    with closing(client_of(served.link)) as client:
        assert client.get("/api/runs").json()["runs"]


def test_fifty_pages_drag_at_once(served: Prepared) -> None:
    with closing(client_of(served.link)) as client:
        stack = ExitStack()
        pages = [stack.enter_context(page_of(client)) for _ in range(50)]
        for number, page in enumerate(pages):
            page.send(json.dumps({"op": "watch", "run": "vae", "after": 0}))
            page.send(json.dumps({"op": "decode", "seq": number, "run": "vae-2d", "z": [0.0, 1.0]}))
        for number, page in enumerate(pages):
            frames = [page.recv(timeout=60) for _ in range(2)]
            (body,) = [frame for frame in frames if isinstance(frame, bytes)]
            assert int.from_bytes(body[:4], "little") == number
        assert client.get("/api/runs").status_code == 200
        stack.close()


def test_large_frames_and_foreign_pages_are_refused(served: Prepared) -> None:
    with closing(client_of(served.link)) as client:
        with page_of(client) as page:
            page.send("x" * (LARGEST + 1))
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(timeout=20)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
        base = str(client.base_url).rstrip("/")
        for headers in ({"origin": "http://evil.example"}, {"origin": base}):
            with pytest.raises(InvalidStatus) as refused, connect(base.replace("http", "ws") + "/ws", **headers):  # type: ignore[arg-type]
                pass
            assert refused.value.response.status_code == 403


def test_a_page_that_never_reads_harms_nobody(served: Prepared) -> None:
    with closing(client_of(served.link)) as client, page_of(client) as stuck, page_of(client) as page:
        for number in range(500):
            stuck.send(json.dumps({"op": "decode", "seq": number, "run": "vae-2d", "z": [0.0, 1.0]}))
        page.send(json.dumps({"op": "decode", "seq": 3, "run": "vae-2d", "z": [0.0, 1.0]}))
        assert page.recv(timeout=30)[:4] == b"\3\0\0\0"


def test_a_run_is_shown_first(runs: Path) -> None:
    prepared = prepare(runs / "vae")
    prepared.listening.close()
    assert prepared.link.endswith("#/run/vae")


def test_what_cannot_be_served(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no folder"):
        prepare(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file"):
        prepare(tmp_path / "file")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EnvironmentFault, match="leave --port out"):
            prepare(runs, port=taken.getsockname()[1])


def test_a_missing_package_is_named(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(EnvironmentFault, match=re.escape("pip install 'latentia[studio]'")):
        prepare(runs)


def test_what_is_still_computed_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    for busy, raised in ((True, True), (True, False), (False, True)):
        prepared = prepare(tmp_path)
        prepared.listening.close()
        stopped = Mock(side_effect=KeyboardInterrupt if raised else None)
        monkeypatch.setattr(prepared.server, "run", stopped)
        given = replace(prepared, busy=lambda busy=busy: busy)
        monkeypatch.setattr(serving, "prepare", lambda *_, given=given, **__: given)
        monkeypatch.setattr(serving.webbrowser, "open", lambda link: said.append(link))
        left = Mock()
        with pytest.raises(KeyboardInterrupt) if raised else nullcontext():
            serving.serve(tmp_path, leave=left)
        assert left.called == busy
        assert said[-1] != prepared.link  # which a browser's command line would show to everybody
        assert prepared.server.config.ws_max_size == LARGEST


def test_threads_say_that_they_compute() -> None:
    async def check() -> tuple[bool, bool]:
        work, go_on = Work(), threading.Event()
        done = asyncio.ensure_future(work.do("think", go_on.wait))
        while not work.busy:
            await asyncio.sleep(0.01)
        go_on.set()
        await done
        return work.busy, done.result()

    assert asyncio.run(check()) == (False, True)


def waited(what: Any, seconds: float = 150.0) -> Any:
    """What a function returns as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
    return found


@contextmanager
def command(folder: Path) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """``latentia studio`` as a process, and a client that its link let in."""
    process = subprocess.Popen(
        [sys.executable, "-m", "latentia", "studio", str(folder), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        link = next(line for line in process.stdout if line.startswith("http://"))
        with closing(client_of(link.strip())) as client:
            yield process, client
    finally:
        process.kill()
        process.stdout.close()
        process.wait(20)


def test_jobs_outlive_the_server(tmp_path: Path) -> None:
    """A training goes on when its server is killed, and a second server stops and resumes it."""
    folder = tmp_path / "runs"
    folder.mkdir()
    status = folder / "mine" / "status.json"
    settings = {"training.steps": 200_000, "training.compile": "off", "training.threads": 1, "training.log_every": 20}
    order = {"preset": "vae", "data": "digits", "settings": settings, "name": "mine", "snapshots": 500}
    with command(folder) as (server, client):
        assert client.post("/api/jobs", json=order).json() == {"id": "mine"}
        states = {row["id"]: row["state"] for row in client.get("/api/runs").json()["runs"]}
        assert states["mine"] in ("starting", "created", "running")
        assert client.post("/api/jobs", json=order).status_code == 409  # the name is taken
        waited(lambda: client.get("/api/runs").json()["runs"][0]["state"] == "running")
        waited(lambda: client.get("/api/runs/mine/metrics").json()["rows"])
        waited(lambda: client.get("/api/runs/mine").json()["views"]["latent"]["ok"])
        assert client.get("/api/runs/mine/latents?n=5").status_code == 200
        assert "training vae" in client.get("/api/jobs/mine/log").json()["text"]
        os.kill(server.pid, signal.SIGKILL)
        server.wait(20)
    before = step_in(status)
    waited(lambda: step_in(status) > before)
    with command(folder) as (server, client):
        assert client.post("/api/jobs/mine/resume", json={}).status_code == 409  # it goes on
        assert client.post("/api/jobs/mine/stop").status_code == 202
        waited(lambda: state_in(status) == "interrupted")
        waited(lambda: client.post("/api/jobs/mine/stop").status_code == 409)
        assert client.post("/api/jobs/mine/resume", json={}).status_code == 202
        waited(lambda: state_in(status) == "running")
        assert client.post("/api/jobs/mine/stop").status_code == 202
        waited(lambda: state_in(status) == "interrupted")
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0


def step_in(status: Path) -> int:
    """How far a run has come."""
    return int(json.loads(status.read_text())["step"])


def state_in(status: Path) -> str:
    """How a run stands."""
    return str(json.loads(status.read_text())["state"])
