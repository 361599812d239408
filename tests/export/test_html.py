"""The page to give away: one file, nothing fetched, and a decoder in the browser that agrees with PyTorch."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.export.conftest import small

import latentia as lt
from latentia.errors import ConfigError, RunError
from latentia.export import PageExport, export_page, graphs, html
from latentia.runs.uses.scene import means, scene

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def page(vae: lt.Run) -> PageExport:
    return export_page(vae)


def test_it_is_one_file_that_asks_for_nothing(page: PageExport) -> None:
    text = page.path.read_text(encoding="utf-8")
    assert page.path.name == "page.html" and page.bytes == len(text.encode()) < 8e6
    assert "default-src 'none'" in text and "unsafe-inline" not in text
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=", text)
    assert page.check.largest < 1e-5


def test_nothing_is_replaced_unasked(vae: lt.Run, page: PageExport, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--overwrite"):
        export_page(vae)
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        export_page(vae, tmp_path / "page.htm")
    assert export_page(vae, overwrite=True).path == page.path


def test_a_difference_is_refused(vae: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: graphs.Decoder, z: torch.Tensor, y: Any = None) -> torch.Tensor:
        return self.model.decode(z, y).mean + 2e-4

    monkeypatch.setattr(graphs.Decoder, "forward", wrong)
    with pytest.raises(RunError, match="mean of the decoder"):
        export_page(vae, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_the_points_are_the_models(vae: lt.Run) -> None:
    shown = scene(vae)
    z, plane = shown.arrays["z"], {name: shown.arrays[name] for name in ("positions", "origin", "basis")}
    expected = vae.embed(write=False).latents.numpy()
    np.testing.assert_allclose(z, expected, atol=1e-6)
    np.testing.assert_allclose((z - plane["origin"]) @ plane["basis"].T, plane["positions"], atol=1e-5)
    assert shown.facts["axes"][0].startswith("principal component 1") and shown.facts["total"] == 30
    assert {figure["name"] for figure in shown.facts["figures"]} >= {"ELBO", "Rate"}
    assert len(shown.arrays["sample_z"]) == 480


@pytest.mark.parametrize(
    ("preset", "walkable", "samples"),
    [("ae", True, "fit-prior"), ("vq-vae", False, "predicts"), ("conv-vae", True, None)],
)
def test_what_a_model_lacks_is_said(preset: str, walkable: bool, samples: str | None) -> None:
    facts = scene(small(preset)).facts
    assert facts["walkable"] == walkable and (facts["why"] is None) == walkable
    assert facts["samples"] is None if samples is None else samples in facts["samples"]


def test_tables_and_conditional_models_have_scenes() -> None:
    table = scene(small("vae", np.random.default_rng(0).random((80, 6)).astype(np.float32), model__latent_dim=1))
    assert table.facts["kind"] == "vector" and table.arrays["values"].shape[1] == 6 and "labels" not in table.arrays
    told = scene(small("conditional-mixture-vae"))
    assert told.facts["conditional"] and set(told.arrays["sample_y"]) == {0, 1, 2}


def test_more_classes_than_a_byte_holds_keep_their_numbers() -> None:
    y = np.arange(600) % 300
    x = np.random.default_rng(0).integers(0, 256, (600, 1, 8, 8), dtype=np.uint8)
    run = small("conditional-vae", {"x": x[:300], "y": y[:300], "x_test": x[300:], "y_test": y[300:]})
    shown = scene(run)
    assert len(shown.facts["classes"]) == 300 and shown.facts["none"] == 65535
    np.testing.assert_array_equal(shown.arrays["labels"], np.arange(300))
    found = html.references(run, shown)
    expected = means(run, torch.from_numpy(found["reference_z"]), torch.from_numpy(found["reference_y"]).long())
    assert found["reference_y"].max() > 255
    np.testing.assert_array_equal(found["reference_x"], expected.numpy())


# --- in a browser -----------------------------------------------------------------------------------------------------


def missing(sentence: str) -> None:
    """Skip, or fail where browser tests are required."""
    pytest.fail(sentence) if os.environ.get("LATENTIA_REQUIRE_BROWSER") else pytest.skip(sentence)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        missing("the page's browser tests need Chromium: apt-get install chromium")
    if importlib.util.find_spec("playwright") is None:
        missing("the page's browser tests need Playwright: pip install playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser: Any, path: Path, **context: Any) -> tuple[Any, list[str]]:
    """A page with the network off, and what it asked for or complained of."""
    tab = browser.new_context(offline=True, **context).new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(f"error: {error}"))
    tab.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-ready=yes]", timeout=120_000)
    return tab, said


def test_its_decoder_agrees_with_pytorch(browser: Any, vae: lt.Run, page: PageExport) -> None:
    tab, said = opened(browser, page.path)
    z = 2 * torch.randn(200, 4, generator=torch.Generator().manual_seed(3))
    command = "async z => Array.from(await latentia.runtime.run(Float32Array.from(z), z.length / 4, null))"
    found = tab.evaluate(command, z.flatten().tolist())
    assert np.abs(np.array(found) - means(vae, z, None).flatten().numpy()).max() < 1e-5
    assert 0 <= float(tab.inner_text("#measured")) < 1e-4
    assert said == []
    tab.context.close()


def test_dragging_decodes(browser: Any, page: PageExport) -> None:
    tab, said = opened(browser, page.path, viewport={"width": 1200, "height": 900})
    pixels = "() => document.querySelector('canvas.probe').toDataURL()"
    tab.wait_for_function("() => document.querySelector('canvas.probe').width > 1")
    before = tab.evaluate(pixels)
    box = tab.locator(".plane").bounding_box()
    tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    tab.mouse.up()
    tab.wait_for_function(f"before => ({pixels})() !== before", arg=before)
    moved = tab.evaluate(pixels)
    tab.locator(".plane").press("ArrowLeft")
    tab.wait_for_function(f"before => ({pixels})() !== before", arg=moved)
    assert said == []
    tab.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (400, "dark")])
def test_axe_finds_nothing_serious(browser: Any, page: PageExport, width: int, scheme: str) -> None:
    if not AXE.is_file():
        missing("axe-core is not installed: run npm ci in frontend/")
    tab, _ = opened(browser, page.path, viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.evaluate("async () => (await axe.run()).violations.map(one => [one.id, one.impact, one.nodes[0].html])")
    assert [one for one in found if one[1] in ("serious", "critical")] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.context.close()
