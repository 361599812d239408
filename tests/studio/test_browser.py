"""The studio in a real browser: Chromium, a real server, real runs.

Skipped, saying so, where Chromium, Playwright or axe-core are absent, unless LATENTIA_REQUIRE_BROWSER is set.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from latentia.runs import pictures, train

REQUIRED = bool(os.environ.get("LATENTIA_REQUIRE_BROWSER"))
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWS = ("training", "latent", "traversals", "paths", "samples", "try", "anomalies", "health")
MARKUP = "<b>bold<i>"
PATIENCE = 120.0  # seconds; a machine under load is no failure

if not REQUIRED:
    pytest.importorskip("playwright", reason="the studio's browser tests need Playwright: pip install playwright")


def chromium_path() -> str:
    """Where Chromium is; without it the tests are skipped, or fail where they are required."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        sentence = "the studio's browser tests need Chromium: apt-get install chromium"
        pytest.fail(sentence) if REQUIRED else pytest.skip(sentence)
    return found


@dataclass
class Studio:
    """A page that was let in, and what it did that it should not."""

    page: Any
    base: str
    folder: Path
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str, ready: str = "main h1") -> None:
        """Open a place as a link does, anew, and wait until it shows something."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.base}/#/{path}")
        self.page.wait_for_selector(ready, timeout=1000 * PATIENCE)

    def run(self, name: str, view: str, query: str = "", ready: str = "main h1") -> None:
        self.go(f"run/{quote(name, safe='')}/{view}{query}", ready)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until something holds; its value."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = holds()
            if found:
                return found
            self.page.wait_for_timeout(40)
        raise AssertionError(f"never happened: {what}")

    def settled(self) -> None:
        """Wait until nothing is being loaded any more."""
        self.until(lambda: "…" not in self.page.inner_text("main").replace("Add a run …", ""), "everything is loaded")

    def pixels(self, selector: str) -> str:
        """What a canvas shows."""
        return self.page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")

    def hash(self) -> str:
        return urlsplit(self.page.url).fragment


def small_runs(folder: Path) -> None:
    """Runs of a few steps: with and without a prior, of two and of twenty dimensions, on pictures and on vectors."""
    vectors = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    np.savez(folder.parent / "vectors.npz", x=vectors[:90], x_test=vectors[90:])
    settings: dict[str, Any] = {"training.threads": 1, "training.log_every": 2}
    kept = settings | {"training.checkpoint_every": 2, "training.keep_checkpoints": 9}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_run", lambda run, evaluation: None)
        train("vae", "digits", directory=folder / "vae", steps=6, settings=kept)
        train("vae-2d", "digits", directory=folder / "vae-2d", steps=6, settings=settings)
        train("ae-32", "digits", directory=folder / "ae-32", steps=6, settings=settings)
        gaussian = settings | {"model.likelihood.name": "gaussian"}
        train("vae", folder.parent / "vectors.npz", directory=folder / "vectors", steps=6, settings=gaussian)
    shutil.copytree(folder / "vae", folder / MARKUP)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A server on small runs, and a page in it."""
    executable = chromium_path()
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("browser") / "runs"
    small_runs(folder)
    command = [sys.executable, "-m", "latentia", "studio", str(folder), "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        link = next(
            found[0] for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line))
        )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
            page.set_default_timeout(1000 * PATIENCE)
            there = Studio(page, link.split("/?")[0], folder)
            host = urlsplit(link).netloc
            page.on("request", lambda one: _note(there.foreign, one.url, host))
            page.on("websocket", lambda one: _note(there.foreign, one.url, host))
            page.on("console", lambda one: there.complaints.append(one.text) if one.type == "error" else None)
            page.on("pageerror", lambda one: there.complaints.append(str(one)))
            page.goto(link)
            yield there
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
        assert server.stdout is not None
        server.stdout.close()


def _note(foreign: list[str], url: str, host: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("blob", "data", "about") and parts.netloc != host:
        foreign.append(url)


@pytest.fixture(autouse=True)
def _quiet(studio: Studio) -> Iterator[None]:
    """No test leaves a complaint in the console, or asks another host for anything."""
    yield
    complaints, studio.complaints = studio.complaints, []
    assert complaints == []
    assert studio.foreign == []


def test_training_is_started_watched_and_played_back(studio: Studio) -> None:
    page = studio.page
    studio.go("train")
    page.get_by_label("Name of the run").fill("from-the-page")
    epochs = page.get_by_label("epochs", exact=True).first
    epochs.fill("40")
    epochs.press("Tab")
    page.get_by_role("button", name="Start training").click()
    studio.until(lambda: page.locator("h1").inner_text() == "from-the-page", "the run's page opens")
    page.wait_for_selector(".sheet")
    page.wait_for_selector(".curves canvas")
    first = studio.pixels(".sheet")
    studio.until(lambda: studio.pixels(".sheet") != first, "the reconstructions move")
    curve = studio.pixels(".curves canvas")
    ended = page.locator(".state-finished")
    studio.until(lambda: studio.pixels(".curves canvas") != curve or ended.count(), "the curves move")
    slider = page.get_by_role("slider", name="Step")
    studio.until(lambda: int(slider.get_attribute("max") or 0) >= 4, "some snapshots are there")
    last = studio.pixels(".sheet")
    slider.focus()
    page.keyboard.press("Home")
    studio.until(lambda: studio.pixels(".sheet") != last, "the first snapshot is shown")
    assert "step=0" in studio.hash()
    first = studio.pixels(".sheet")
    page.wait_for_timeout(1500)
    assert "step=0" in studio.hash()  # it does not jump, though the training goes on
    assert studio.pixels(".sheet") == first
    page.keyboard.press(" ")
    studio.until(lambda: "step=0" not in studio.hash(), "space plays")


def test_dragging_hovering_and_the_keyboard_walk_the_latent_space(studio: Studio) -> None:
    page = studio.page
    studio.run("vae-2d", "latent", ready=".plane")
    studio.until(lambda: page.locator("canvas.probe").evaluate("canvas => canvas.width") > 1, "the probe is decoded")
    box = page.locator(".plane").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = studio.pixels("canvas.probe")
    page.mouse.move(*middle)
    page.mouse.down()
    seen = {before}
    for i in range(12):
        page.mouse.move(middle[0] - 22 * i, middle[1] + 9 * i)
        page.wait_for_timeout(30)
        seen.add(studio.pixels("canvas.probe"))
    page.mouse.up()
    assert len(seen) > 3
    last = studio.pixels("canvas.probe")
    page.locator(".plane").focus()
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")
    studio.until(lambda: studio.pixels("canvas.probe") != last, "the arrow keys move z")

    def hovered() -> bool:
        for dx in range(-240, 241, 12):
            page.mouse.move(middle[0] + dx, middle[1] + dx / 3)
            page.wait_for_timeout(40)
            if page.locator(".point-card .trio").count():
                return True
        return False

    studio.until(hovered, "a point under the pointer is shown")
    words = page.locator(".point-card").inner_text()
    assert "Squared error" in words and "±" in words and "Nearest in the latent space" in words
    assert page.locator(".neighbours canvas").count() == 8


def test_dimensions_change_by_key_and_a_link_restores_the_view(studio: Studio) -> None:
    page = studio.page
    studio.run("vae", "latent", "?plane=raw&x=3&y=5&tool=lasso&hide=1", ready=".plane")
    assert "z3 and z5" in page.locator(".plane").get_attribute("aria-label")
    page.locator(".plane").focus()
    page.keyboard.press("]")
    studio.until(
        lambda: "z4 and z5" in (page.locator(".plane").get_attribute("aria-label") or ""), "] changes the dimension"
    )
    page.locator(".plane").focus()
    page.keyboard.press("+")
    studio.until(lambda: "window=" in studio.hash(), "the window is in the link")
    link = page.url
    studio.go("")
    page.goto(link)
    page.wait_for_selector(".plane")
    studio.until(
        lambda: "z4 and z5" in (page.locator(".plane").get_attribute("aria-label") or ""), "the plane is restored"
    )
    assert page.get_by_role("button", name="Lasso").get_attribute("aria-pressed") == "true"
    assert page.locator(".legend [aria-pressed=false]").count() == 1
    assert page.url == link


def test_a_cohort_is_lassoed_and_exported(studio: Studio) -> None:
    page = studio.page
    studio.run("vae-2d", "latent", "?tool=lasso", ready=".plane")
    box = page.locator(".plane").bounding_box()
    corners = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)]
    places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    page.wait_for_selector(".cohort figure canvas")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export as CSV").click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert lines[0] == "id,label,squared_error,z0,z1"
    title = page.locator(".cohort h2").inner_text()
    assert title == f"Cohort of {len(lines) - 1}" and len(lines) > 10


def test_a_path_is_walked_and_saved(studio: Studio) -> None:
    page = studio.page
    studio.run("vae", "paths", "?a=0&b=3", ready=".path-stage .large")
    first = studio.pixels(".path-stage .large")
    page.locator("body").press(" ")
    studio.until(lambda: studio.pixels(".path-stage .large") != first, "space plays the path")
    page.locator("body").press(" ")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as GIF").click()
    assert Path(waiting.value.path()).read_bytes()[:4] == b"GIF8"


def test_a_drawing_is_reconstructed_and_noise_is_taken_off(studio: Studio) -> None:
    page = studio.page
    studio.run("vae", "try", ready=".easel")
    box = page.locator(".easel").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.2 * box["height"], steps=8)
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_selector(".answer .posterior")
    assert "ELBO" in page.locator(".answer").inner_text()
    before = studio.pixels(".answer-pictures canvas")
    page.locator(".easel").focus()
    for key in ["ArrowDown", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowDown", " "]:
        page.keyboard.press(key)
    studio.until(lambda: studio.pixels(".answer-pictures canvas") != before, "the keyboard draws")
    page.get_by_role("button", name="Denoise").click()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"], steps=4)
    page.mouse.up()
    studio.until(lambda: "cleaned" in page.locator(".answer").inner_text(), "the noisy picture is cleaned")


def test_traversals_follow_the_keyboard(studio: Studio) -> None:
    page = studio.page
    studio.run("vae", "traversals", ready=".dim")
    studio.until(lambda: page.locator("canvas.probe").evaluate("canvas => canvas.width") > 1, "the start is decoded")
    before = studio.pixels("canvas.probe")
    first = page.locator(".dim.selected").get_attribute("id")
    page.locator("body").press("]")
    studio.until(lambda: page.locator(".dim.selected").get_attribute("id") != first, "] changes the dimension")
    for _ in range(6):
        page.locator("body").press("Shift+ArrowRight")
    studio.until(lambda: studio.pixels("canvas.probe") != before, "the arrow keys move z")


def test_runs_are_compared(studio: Studio) -> None:
    page = studio.page
    studio.go("", ready="table.runs")
    for name in ("vae", "ae-32"):
        page.get_by_label(f"Compare {name}", exact=True).check()
    page.get_by_role("button", name="Compare 2").click()
    page.wait_for_selector(".compare-pictures canvas")
    assert "Settings that differ" in page.inner_text("main")
    page.get_by_label("Add a run").select_option("vectors")
    studio.until(lambda: "different shapes" in page.inner_text("main"), "the third run is there")
    assert "compare between all runs" not in page.inner_text("main")  # as was true of the first two


def test_views_that_do_not_apply_say_why(studio: Studio) -> None:
    studio.run("ae-32", "samples", ready=".refusal")
    assert "no prior" in studio.page.inner_text(".refusal")
    assert "latentia fit-prior" in studio.page.inner_text(".refusal")
    assert studio.page.get_by_role("button", name="Fit a Gaussian mixture").count() == 1


def test_markup_in_a_name_is_text(studio: Studio) -> None:
    studio.run(MARKUP, "training")
    assert studio.page.locator("h1").inner_text() == MARKUP
    assert studio.page.locator("main b, main i").count() == 0
    studio.go("", ready="table.runs")
    assert studio.page.get_by_role("link", name=MARKUP, exact=True).count() == 1


def test_figures_of_two_runs_fit_into_a_narrow_window(studio: Studio) -> None:
    page = studio.page
    page.set_viewport_size({"width": 400, "height": 900})
    try:
        studio.go("compare?run=vae&run=ae-32", ready="table.compared")
        for table in page.locator("table.compared").all():
            assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("width", [400, 1440])
def test_nothing_is_wider_than_the_window(studio: Studio, width: int) -> None:
    page = studio.page
    page.set_viewport_size({"width": width, "height": 900})
    try:
        for path in ["", "train", "compare?run=vae&run=ae-32", *(f"run/vae/{view}" for view in VIEWS)]:
            studio.go(path)
            studio.settled()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


def test_axe_finds_nothing_serious_in_any_view(studio: Studio) -> None:
    if not AXE.is_file():
        sentence = "axe-core is not there: run `npm ci` in frontend/"
        pytest.fail(sentence) if REQUIRED else pytest.skip(sentence)
    page, script, found = studio.page, AXE.read_text(), []
    places = [
        "",
        "train",
        "compare?run=vae&run=ae-32",
        "run/vae-2d/latent?pick=3",
        "run/ae-32/samples",
        "run/vectors/try",
    ]
    for path in [*places, *(f"run/vae/{view}" for view in VIEWS)]:
        studio.go(path)
        studio.settled()
        page.evaluate(script)
        for scheme, rules in (("light", ""), ("dark", ", runOnly: ['color-contrast']")):  # only colours change
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(60)
            for one in page.evaluate(f"axe.run(document, {{resultTypes: ['violations']{rules}}})")["violations"]:
                if one["impact"] in ("serious", "critical"):
                    nodes = [f"{node['target']}: {node['failureSummary'][:200]}" for node in one["nodes"][:3]]
                    found.append(f"{path} ({scheme}): {one['id']} {nodes}")
    page.emulate_media(color_scheme="light")
    assert found == []
