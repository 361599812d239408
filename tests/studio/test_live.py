"""The WebSocket: rows as they are logged, decoding where the latest wins, and pages that do not read."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.websockets import WebSocketDisconnect

import latentia as lt
from latentia.errors import RunError
from latentia.runs import pictures
from latentia.studio import live
from latentia.studio.live import Hub, Page


def answer(data: bytes) -> tuple[int, tuple[int, ...], np.ndarray]:
    seq, *shape = np.frombuffer(data, "<u4", 4).tolist()
    if shape[2] == 0:
        return seq, tuple(shape), np.frombuffer(data, "<f4", offset=16)
    return seq, tuple(shape), np.frombuffer(data, np.uint8, offset=16).reshape(shape)


def until(socket: Any, op: str) -> dict[str, Any]:
    """The next message of a kind."""
    for _ in range(50):
        message = json.loads(socket.receive_text())
        if message["op"] == op:
            return message
    raise AssertionError(f"no {op} came")


@pytest.mark.parametrize("name", ["vae", "conv-vae", "ae-32", "conditional-vae", "vq-vae", "vectors"])
def test_a_point_is_decoded_as_by_the_model(browser: Any, runs: Path, name: str) -> None:
    run = lt.open_run(runs / name)
    z = torch.linspace(-1, 1, run.model.latent_dim)
    label = 3 if name == "conditional-vae" else None
    with browser.socket() as socket:
        socket.send_text(json.dumps({"op": "decode", "seq": 7, "run": name, "z": z.tolist(), "y": label}))
        seq, _, body = answer(socket.receive_bytes())
    x = run.decode(z[None], label=label, write=False).x.double().numpy()[0]
    assert seq == 7
    if name == "vectors":
        np.testing.assert_allclose(body, x, rtol=1e-5)
    else:
        np.testing.assert_array_equal(body, np.floor(x.clip(0, 1).transpose(1, 2, 0) * 255 + 0.5))


def test_a_feature_map_of_thousands_of_latents_is_decoded(
    runs: Path, tmp_path: Path, browse: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((40, 3, 32, 32), np.float32))
    settings = {"training.threads": 1, "training.batch_size": 8, "model.posterior.dimension": 64}
    lt.train("vq-vae", tmp_path / "x.npz", directory=tmp_path / "runs" / "map", steps=1, settings=settings)
    with browse(tmp_path / "runs").socket() as socket:
        message = json.dumps({"op": "decode", "seq": 1, "run": "map", "z": [-0.123456789012345] * 4096})
        assert 2**16 < len(message) < live.LARGEST
        socket.send_text(message)
        assert answer(socket.receive_bytes())[1] == (32, 32, 3)


def test_snapshots_are_decoded_too(browser: Any) -> None:
    bodies = []
    with browser.socket() as socket:
        for step in (0, 6):
            socket.send_text(json.dumps({"op": "decode", "seq": 1, "run": "vae", "step": step, "z": [0.5] * 20}))
            bodies.append(socket.receive_bytes())
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"run": "none", "z": [0, 0]}, "no run 'none'"),
        ({"run": "../vae", "z": [0, 0]}, "no name of a run"),
        ({"run": "vae-2d", "z": [0]}, "2 finite numbers"),
        ({"run": "vae-2d", "z": [0, float("nan")]}, "2 finite numbers"),
        ({"run": "vae-2d", "z": "x"}, "a list of 2 finite numbers"),
        ({"run": "vae-2d", "z": [[0, 0]]}, "2 finite numbers"),
        ({"run": "vae-2d"}, "a list of 2 finite numbers"),
        ({"run": "vae-2d", "z": [0, 0], "step": 5}, "did not keep step 5"),
        ({"run": "vae-2d", "z": [0, 0], "step": "5"}, "step must be"),
        ({"run": "conditional-vae", "z": [0] * 20}, "say which"),
        ({"run": "conditional-vae", "z": [0] * 20, "y": 99}, "no class '99'"),
    ],
)
def test_wishes_that_cannot_be_met(browser: Any, wish: dict[str, Any], words: str) -> None:
    with browser.socket() as socket:
        socket.send_text(json.dumps({"op": "decode", "seq": 5, **wish}))
        message = until(socket, "error")
    assert message["seq"] == 5 and words in message["error"]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"op": "fly"}', '{"op": "decode"}', '{"op": "decode", "seq": -1}', "1"]
)
def test_what_is_no_message_is_answered_and_the_page_stays(browser: Any, text: str) -> None:
    with browser.socket() as socket:
        socket.send_text(text)
        assert until(socket, "error")["seq"] is None
        socket.send_text(json.dumps({"op": "decode", "seq": 1, "run": "vae-2d", "z": [0, 0]}))
        assert answer(socket.receive_bytes())[0] == 1


def test_messages_have_a_largest_size(browser: Any) -> None:
    with browser.socket() as socket:
        socket.send_text(json.dumps({"op": "unwatch", "more": "x" * live.LARGEST}))
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1009


def test_the_latest_wish_wins(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go = [], threading.Event()

    def slow(message: dict[str, Any]) -> bytes:
        asked.append(message["seq"])
        go.wait(10)
        return np.array([message["seq"], 1, 1, 1], "<u4").tobytes() + b"x"

    monkeypatch.setattr(browser.server.hub, "frame", slow)
    with browser.socket() as socket:
        for seq in range(40):
            socket.send_text(json.dumps({"op": "decode", "seq": seq}))
        deadline = time.monotonic() + 10
        page = next(iter(browser.server.hub.pages))
        while not (asked and page.wished and page.wished["seq"] == 39) and time.monotonic() < deadline:
            time.sleep(0.01)
        go.set()
        found = [answer(socket.receive_bytes())[0]]
        while found[-1] != 39:
            found.append(answer(socket.receive_bytes())[0])
    assert len(asked) <= 3 and set(found) <= set(asked)  # one on its way, and the latest of those that waited


def test_rows_come_as_they_are_logged_and_anew_after_a_cut(own: Path, browse: Callable[[Path], Any]) -> None:
    path = own / "vae" / "metrics.jsonl"
    browser = browse(own)
    with browser.socket() as socket:
        socket.send_text(json.dumps({"op": "watch", "run": "vae", "after": 2}))
        first = until(socket, "rows")
        assert first["rows"]["train"]["step"] == [4, 6] and first["state"] == "finished" and "reset" not in first
        with path.open("a") as file:
            file.write('{"step": 8, "split": "train", "loss": 1.5}\n')
        more = until(socket, "rows")
        assert more["rows"] == {"train": {"step": [8], "loss": [1.5]}} and more["step"] == 8
        path.write_text(path.read_text().splitlines()[0] + "\n")
        again = until(socket, "rows")
        assert again["reset"] and again["rows"]["train"]["step"] == [2]
        shutil.rmtree(own / "vae")
        assert "no run 'vae'" in until(socket, "error")["error"]


def test_pages_hear_of_new_runs(own: Path, browse: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", 0.02)
    browser = browse(own)
    with browser.socket() as socket:
        while browser.server.hub._seen is None:
            time.sleep(0.02)
        shutil.copytree(own / "vae", own / "another")
        until(socket, "runs")
    assert "another" in {row["id"] for row in browser.get("/api/runs")["runs"]}


class Stuck:
    """The socket of a page that takes nothing."""

    def __init__(self) -> None:
        self.begun = 0

    async def send_bytes(self, data: bytes) -> None:
        self.begun += 1
        await asyncio.sleep(60)


def test_a_page_that_does_not_read_is_left(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PATIENCE", 0.05)
    hub: Hub = browser.server.hub
    decoded: list[int] = []

    def frame(message: dict[str, Any]) -> bytes:
        decoded.append(message["seq"])
        return b"pixels"

    monkeypatch.setattr(hub, "frame", frame)

    async def talk() -> Stuck:
        socket: Any = Stuck()
        page = Page(socket)
        decoding = asyncio.create_task(hub._decode(page))
        for number in range(100):  # what comes while it does not read is not decoded, and of it the last alone is kept
            page.wished = {"seq": number}
            page.to_decode.set()
            page.fail(number, "a sentence")
            await asyncio.sleep(0.0002)
        assert len(page.errors) <= 21 and page.wished == {"seq": 99}
        await asyncio.wait_for(decoding, 10)
        return socket

    assert asyncio.run(talk()).begun == 1
    assert len(decoded) == 1


def test_too_many_pages_are_sent_away(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PAGES", 0)
    with browser.socket() as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert closed.value.code == 1013


def test_an_unexpected_fault_is_told_without_its_words(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, step: int | None) -> Any:
        raise ZeroDivisionError("secret") if name == "a" else RunError("a sentence")

    monkeypatch.setattr(browser.server.hub, "_open", broken)
    with browser.socket() as socket:
        socket.send_text(json.dumps({"op": "decode", "seq": 1, "run": "a", "z": [0]}))
        assert "secret" not in until(socket, "error")["error"]
        socket.send_text(json.dumps({"op": "decode", "seq": 2, "run": "b", "z": [0]}))
        assert until(socket, "error") == {"op": "error", "seq": 2, "error": "a sentence"}
