"""Small runs of every kind, trained once, and a browser that was let in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from latentia.exploration.bundle import unpack
from latentia.runs import pictures, train
from latentia.studio.app import Server, create_app

PORT = 8123
BASE = f"http://127.0.0.1:{PORT}"
KEEPING = {"training.checkpoint_every": 2, "training.keep_checkpoints": 9}
PRESETS = ("vae", "conv-vae", "ae-32", "vae-2d", "conditional-vae", "vq-vae", "m2", "conv-vae-4x4x4")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind, which no test changes."""
    folder = tmp_path_factory.mktemp("studio") / "runs"
    folder.mkdir()
    vectors = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    np.savez(folder.parent / "vectors.npz", x=vectors[:90], x_test=vectors[90:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_run", lambda run, evaluation: None)
        for preset in PRESETS:
            settings: dict[str, Any] = {"data.validation": 0.1, "training.threads": 1, "training.log_every": 2}
            if preset in ("vae", "vae-2d"):
                settings |= KEEPING
            train(preset, "digits", directory=folder / preset, steps=6, settings=settings)
        vae = {"model.likelihood.name": "gaussian", "training.threads": 1}
        train("vae", folder.parent / "vectors.npz", directory=folder / "vectors", steps=6, settings=vae)
    return folder


@pytest.fixture
def own(runs: Path, tmp_path: Path) -> Path:
    """A copy of one of them, to be harmed."""
    folder = tmp_path / "runs"
    shutil.copytree(runs / "vae", folder / "vae")
    return folder


class Browser:
    """A client that was let in by the launch link, and reads bundles."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder)
        self.guard = create_app(self.server, port=PORT, token="the-token")
        self.client = TestClient(self.guard, base_url=BASE, follow_redirects=False, headers={"origin": BASE})

    def __enter__(self) -> Browser:
        self.client.__enter__()
        assert self.client.get("/?token=the-token").status_code == 303
        return self

    def __exit__(self, *error: Any) -> None:
        self.client.__exit__(*error)

    def get(self, path: str, status: int = 200) -> Any:
        """The JSON of an answer."""
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 202) -> Any:
        """The JSON of an answer to JSON."""
        answer = self.client.post(path, json=body or {})
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    def bundle(self, path: str, body: Any = None, **sent: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The facts and arrays of an answer."""
        posted: dict[str, Any] = {"content": json.dumps(body)} if body is not None else sent
        answer = self.client.post(path, **posted) if posted else self.client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["content-type"] == "application/octet-stream"
        return unpack(answer.content)

    def socket(self) -> Any:
        """A WebSocket of a page."""
        return self.client.websocket_connect(f"ws://127.0.0.1:{PORT}/ws")


@pytest.fixture(scope="session")
def browser(runs: Path) -> Iterator[Browser]:
    """A browser on the shared runs."""
    with Browser(runs) as found:
        yield found


@pytest.fixture
def browse() -> Iterator[Callable[[Path], Browser]]:
    """Open a browser on a folder."""
    opened: list[Browser] = []

    def start(folder: Path) -> Browser:
        opened.append(Browser(folder).__enter__())
        return opened[-1]

    yield start
    for one in opened:
        one.__exit__(None, None, None)
