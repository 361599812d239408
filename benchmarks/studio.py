"""What the studio costs, and how fast it answers; without a browser, whose own part Playwright measures.

- ``beside``: alternating pairs of trainings by eager steps, alone and with the studio and one page that watches the
  run, which asks for what the front end asks for while a run is live: the log's new rows, the list and the run after
  each change, and the reconstructions of its latest checkpoint. The trainings' own images a second are compared.
- ``decode``: the time from sending a point over the WebSocket to having its pixels, one at a time, for a VAE of MNIST's
  size and for a convolutional decoder of 64 x 64 x 3, neither trained for more than a few steps.
- ``open``: the time of the request for the log of a run with 10,000 logged steps, the first and the best of five.

    LATENTIA_DATA_DIR=... python benchmarks/studio.py [--pairs 5] [--steps 6900] [--data mnist] [--points 500]
                                                      [--threads 2] [--out FILE]

Prints the figures and writes ``results/studio.json``. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import numpy as np
from rivals import THREADS, circumstances
from websockets.sync.client import connect

import latentia as lt

PRESET, LARGE = "vae", "conv-vae"


class Page:
    """A page of the studio as far as requests go."""

    def __init__(self, link: str) -> None:
        self.link, self.base = link, link.partition("/?")[0]
        jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.opener.open(link.partition("#")[0]).read()
        self.cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        with self.opener.open(self.base + path, timeout=60) as answer:
            return answer.read()

    def socket(self) -> Any:
        """A WebSocket."""
        place = self.base.replace("http", "ws") + "/ws"
        origin: Any = self.base
        return connect(place, origin=origin, additional_headers={"cookie": self.cookie})

    def watch(self, run: str, until: threading.Event) -> int:
        """Watch a run as the front end does, and count the rows that came."""
        rows = 0
        with self.socket() as socket:
            socket.send(json.dumps({"op": "watch", "run": run, "after": 0}))
            while not until.is_set():
                try:
                    message = json.loads(socket.recv(timeout=0.2))
                except TimeoutError:
                    continue
                if message["op"] == "rows":
                    rows += sum(len(columns["step"]) for columns in message["rows"].values())
                elif message["op"] == "runs":
                    self.get("/api/runs")
                    if json.loads(self.get(f"/api/runs/{run}"))["views"]["latent"]["ok"]:
                        self.get(f"/api/runs/{run}/reconstructions?n=8")
                else:
                    socket.send(json.dumps({"op": "watch", "run": run, "after": 0}))
                    time.sleep(0.2)
        return rows


@contextmanager
def studio(folder: Path) -> Iterator[Page]:
    """The studio as a process of its own, and a page of it."""
    command = [sys.executable, "-m", "latentia", "studio", str(folder), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Page(next(line for line in process.stdout if line.startswith("http://")).strip())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def train(folder: Path, name: str, data: str, steps: int) -> float:
    """Train in a process of its own; its images a second."""
    command = [sys.executable, "-m", "latentia", "train", PRESET, "--data", data, "--steps", str(steps), "--json"]
    command += ["--set", "training.compile=off"]  # nothing but steps, however many
    done = subprocess.run([*command, "--out", str(folder / name)], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["images_per_second"])


def beside(folder: Path, pairs: int, data: str, steps: int) -> dict[str, Any]:
    """Alternating pairs of trainings, alone and watched."""
    alone, watched, rows = [], [], []
    for pair in range(pairs):
        alone.append(train(folder, f"alone-{pair}", data, steps))
        with studio(folder) as page:
            ended, counted = threading.Event(), []
            name = f"watched-{pair}"
            watching = threading.Thread(target=lambda p=page, n=name, e=ended, c=counted: c.append(p.watch(n, e)))
            watching.start()
            watched.append(train(folder, name, data, steps))
            ended.set()
            watching.join()
            rows += counted
    medians = [statistics.median(values) for values in (alone, watched)]
    return {
        "preset": PRESET,
        "data": data,
        "steps": steps,
        "images_per_second_alone": alone,
        "images_per_second_watched": watched,
        "rows_seen": rows,
        "medians": medians,
        "watched_over_alone": medians[1] / medians[0],
    }


def decode(page: Page, run: str, dim: int, points: int) -> dict[str, Any]:
    """The milliseconds from sending a point to having its pixels."""
    z = np.random.default_rng(0).normal(size=(points + 20, dim)).round(4).tolist()
    found = []
    with page.socket() as socket:
        for seq, point in enumerate(z):
            began = time.perf_counter()
            socket.send(json.dumps({"op": "decode", "seq": seq, "run": run, "z": point}))
            body = socket.recv(timeout=60)
            assert isinstance(body, bytes) and int.from_bytes(body[:4], "little") == seq
            found.append((time.perf_counter() - began) * 1000)
    later = sorted(found[20:])  # the first ones load the model
    return {
        "run": run,
        "bytes": len(body) - 16,
        "points": points,
        "first_ms": found[0],
        "median_ms": statistics.median(later),
        "p95_ms": later[int(0.95 * len(later))],
        "worst_ms": later[-1],
    }


def prepare(folder: Path, data: str) -> None:
    """Two runs whose sizes are those that count, ``small`` and ``large``; what they learned does not."""
    images = np.random.default_rng(0).integers(0, 256, (64, 3, 64, 64), dtype=np.uint8)
    np.savez(folder / "colour.npz", x=images[:48], x_test=images[48:])
    lt.train(PRESET, data, directory=folder / "small", steps=20)
    lt.train(LARGE, folder / "colour.npz", directory=folder / "large", steps=2)


def log_at_length(run: Path, steps: int) -> None:
    """Let a run have logged so many steps."""
    path = run / "metrics.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    with path.open("w") as file:
        file.writelines(json.dumps({**row, "step": step}) + "\n" for step in range(1, steps + 1))


def open_log(page: Page, folder: Path, steps: int = 10_000) -> dict[str, Any]:
    """The seconds until the log of a long run is here."""
    log_at_length(folder / "small", steps)
    found = []
    for _ in range(5):
        began = time.perf_counter()
        rows = json.loads(page.get("/api/runs/small/metrics"))["rows"]
        found.append(time.perf_counter() - began)
        assert len(rows["train"]["step"]) == steps
    return {"steps": steps, "first_s": found[0], "best_s": min(found)}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6900)
    parser.add_argument("--points", type=int, default=500)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/studio.json"))
    arguments = parser.parse_args()
    for name in THREADS:
        os.environ[name] = str(arguments.threads)
    words = [f"--{name} {getattr(arguments, name)}" for name in ("pairs", "steps", "points", "data", "threads")]
    result = circumstances(f"python benchmarks/studio.py {' '.join(words)}", arguments.threads)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, arguments.data)
        with studio(folder) as page:
            dims = {run: json.loads(page.get(f"/api/runs/{run}"))["latent"]["dim"] for run in ("small", "large")}
            result["decode"] = [decode(page, run, dim, arguments.points) for run, dim in dims.items()]
            result["open"] = open_log(page, folder)
        if arguments.pairs:
            result["beside"] = beside(folder, arguments.pairs, arguments.data, arguments.steps)
    print(json.dumps(result, indent=2))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
