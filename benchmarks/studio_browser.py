"""How fast the studio's pages answer, measured in the browser itself: headless Chromium, without a GPU.

- ``walk``: the time from a move of the pointer in the latent plane to the end of the ``putImageData`` of what was
  decoded there, of 500 moves, for a VAE of MNIST's size and for a convolutional decoder of 64 x 64 x 3. The clock is
  the browser's: the time stamp of the event (``pointermove`` or ``pointerrawupdate``) at one end, and
  ``performance.now()`` at the other. Moves that were overtaken while a decode was on its way are never sent, and not
  counted.
- ``pan``: how often a second 100,000 points are drawn while the plane is dragged.
- ``open``: the time from opening the address of a run with 10,000 logged steps to its first drawn curve.

    LATENTIA_DATA_DIR=... python benchmarks/studio_browser.py [--moves 500] [--data mnist] [--threads 2] [--out FILE]

Prints the figures and writes ``results/studio_browser.json``. Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright
from rivals import THREADS, circumstances

import latentia as lt
import studio

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POINTS = 100_000
WATCH_WALK = """() => {
  window.walked = [];
  let moved = 0, sent = 0;
  for (const kind of ['pointermove', 'pointerrawupdate'])
    addEventListener(kind, (event) => { moved = Math.max(moved, event.timeStamp); }, true);
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) { sent = moved; return send.call(this, text); };
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...all) {
    put.apply(this, all);
    if (this.canvas.classList.contains('probe') && sent) { window.walked.push(performance.now() - sent); sent = 0; }
  };
}"""
WATCH_PAN = """() => {
  window.drawn = [];
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...all) {
    put.apply(this, all);
    if (this.canvas.parentElement?.classList.contains('plane')) window.drawn.push(performance.now());
  };
}"""
WATCH_OPEN = """
  new MutationObserver((_, observer) => {
    if (!document.querySelector('.curves canvas')) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { window.opened = performance.now(); }));
  }).observe(document, { childList: true, subtree: true });
"""


def spread(values: list[float]) -> dict[str, float]:
    """The median, the 95th hundredth and the worst of some milliseconds."""
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95)]
    return {"median_ms": at[0], "p95_ms": at[1], "worst_ms": ordered[-1]}


def show(page: Any, base: str, path: str, ready: str) -> dict[str, float]:
    """Open a place anew, wait until it is there; where its plane lies."""
    page.goto("about:blank")
    page.goto(f"{base}/#/{path}")
    page.wait_for_selector(ready)
    page.wait_for_timeout(1500)
    return page.locator(ready).bounding_box()


def walk(page: Any, base: str, run: str, moves: int) -> dict[str, Any]:
    """The milliseconds from the pointer to the pixels."""
    box = show(page, base, f"run/{run}/latent?plane=pca", ".plane")
    page.evaluate(WATCH_WALK)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    for k in range(moves + 20):
        angle = 2 * math.pi * k / 90
        page.mouse.move(middle[0] + 150 * math.cos(angle), middle[1] + 150 * math.sin(1.3 * angle))
    page.wait_for_timeout(300)
    page.mouse.up()
    found = page.evaluate("window.walked")[20:]  # the first ones load the model
    return {"run": run, "moves": moves, "shown": len(found), **spread(found)}


def pan(page: Any, base: str, seconds: float = 5.0) -> dict[str, Any]:
    """How often a second all points are drawn while they are dragged."""
    box = show(page, base, f"run/many/latent?plane=raw&n={POINTS}&tool=pan", ".plane")
    words = page.locator(".plane").get_attribute("aria-label")
    assert f"{POINTS:,}" in words, words
    page.evaluate(WATCH_PAN)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    end, k = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        k += 1
        page.mouse.move(middle[0] + 120 * math.cos(k / 12), middle[1] + 80 * math.sin(k / 9))
    page.mouse.up()
    drawn = page.evaluate("window.drawn")
    gaps = [later - earlier for earlier, later in itertools.pairwise(drawn)]
    rate = 1000 * (len(drawn) - 1) / (drawn[-1] - drawn[0])
    canvas = page.evaluate("(({width, height}) => [width, height])(document.querySelector('.plane canvas'))")
    return {
        "points": POINTS,
        "canvas": canvas,
        "frames": len(drawn),
        "frames_per_second": rate,
        "between": spread(gaps),
    }


def open_long(page: Any, base: str, folder: Path, steps: int = 10_000) -> dict[str, Any]:
    """The seconds until the curves of a long run are drawn."""
    studio.log_at_length(folder / "small", steps)
    found = []
    for _ in range(5):
        page.goto("about:blank")
        page.goto(f"{base}/#/run/small/training")
        page.wait_for_selector(".curves canvas")
        page.wait_for_timeout(500)
        found.append(page.evaluate("window.opened") / 1000)
    return {"steps": steps, "first_s": found[0], "median_s": sorted(found)[2], "best_s": min(found)}


def prepare(folder: Path, data: str) -> None:
    """Runs whose sizes are those that count, ``many`` with as many points; what they learned does not."""
    studio.prepare(folder, data)
    many = np.random.default_rng(0).integers(0, 256, (POINTS + 64, 1, 8, 8), dtype=np.uint8)
    np.savez(folder / "many.npz", x=many[:64], x_test=many[64:])
    lt.train("vae-2d", folder / "many.npz", directory=folder / "many", steps=2, settings={"data.size": None})


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--moves", type=int, default=500)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/studio_browser.json"))
    arguments = parser.parse_args()
    for name in THREADS:
        os.environ[name] = str(arguments.threads)
    words = f"--moves {arguments.moves} --data {arguments.data} --threads {arguments.threads}"
    result = circumstances(f"python benchmarks/studio_browser.py {words}", arguments.threads)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, arguments.data)
        with studio.studio(folder) as served, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=arguments.chromium, args=FLAGS)
            result["browser"] = f"Chromium {browser.version}, headless, no GPU"
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.add_init_script(WATCH_OPEN)
            page.goto(served.link)
            result["walk"] = [walk(page, served.base, run, arguments.moves) for run in ("small", "large")]
            result["pan"] = pan(page, served.base)
            result["open"] = open_long(page, served.base, folder)
            browser.close()
    print(json.dumps(result, indent=2))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
