"""The explorer and the summary in a notebook: executed, saved, and exported to HTML."""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.errors import EnvironmentFault
from latentia.exploration.bundle import unpack

pytest.importorskip("anywidget", reason="the explorer needs the extra notebook")

from latentia.studio.notebook import BUILT, Explorer, explore


@pytest.fixture(scope="module")
def run() -> lt.Run:
    settings = {"training.threads": 1, "training.device": "cpu", "model.latent_dim": 3}
    return lt.train("conditional-vae", directory=None, steps=20, settings=settings)


@pytest.fixture(scope="module")
def explorer(run: lt.Run) -> Explorer:
    return explore(run)


class Sent:
    """Stands for the widget, and keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.messages.append((content, buffers or []))


def test_the_kernel_decodes(run: lt.Run, explorer: Explorer) -> None:
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    sent = Sent()
    explorer._answer(sent, {"seq": 7, "n": 4, "y": [0, 1, 2, 9]}, [z.numpy().tobytes()])
    ((content, (buffer,)),) = sent.messages
    with torch.no_grad():
        expected = run.model.decode(z, torch.tensor([0, 1, 2, 9])).mean
    assert content == {"seq": 7}
    np.testing.assert_allclose(np.frombuffer(buffer, "<f4"), expected.flatten().numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "size"), [({"n": 1, "y": 0}, 2), ({"n": 0, "y": 0}, 0), ({"n": 1, "y": 99}, 3), ({"y": 0}, 3)]
)
def test_what_cannot_be_decoded_is_said(explorer: Explorer, content: dict[str, Any], size: int) -> None:
    sent = Sent()
    explorer._answer(sent, {"seq": 1, **content}, [np.zeros(size, "<f4").tobytes()])
    ((answer, buffers),) = sent.messages
    assert answer["seq"] == 1 and "cannot decode" in answer["error"] and buffers == []


def test_the_widget_begins_with_the_scene(explorer: Explorer) -> None:
    facts, arrays = unpack(explorer.widget.scene)
    assert facts["conditional"] and facts["static"] == explorer.name
    assert arrays["z"].shape == (359, 3) and arrays["pixels"].shape == (359, 8, 8, 1)


def test_a_missing_package_is_named(run: lt.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(EnvironmentFault, match=r"pip install 'latentia\[notebook\]'"):
        explore(run)


def test_a_notebook_shows_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient", reason="needs the package nbclient")
    nbconvert = pytest.importorskip("nbconvert", reason="needs the package nbconvert")
    pytest.importorskip("ipykernel", reason="needs the package ipykernel")
    import nbformat

    monkeypatch.setenv("PYTHONPATH", str(Path(lt.__file__).parents[1]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    train = 'import latentia as lt\nrun = lt.train("vae", directory=None, steps=5, settings={"training.threads": 1})'
    cells = [nbformat.v4.new_code_cell(source) for source in (train, "run", "lt.explore(run)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    summary = notebook.cells[1].outputs[0]["data"]["text/html"]
    assert "ELBO" in summary and summary.count("data:image/png") == 1
    kinds = [set(output["data"]) for output in notebook.cells[2].outputs]
    assert "text/html" in kinds[0] and "application/vnd.jupyter.widget-view+json" in kinds[1]
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert 'class="latentia-static"' in page and "application/vnd.jupyter.widget-view+json" in page
    for ours in (summary, notebook.cells[2].outputs[0]["data"]["text/html"]):
        assert not re.search(r"""(?:src|href)=["'](?!data:)|<script|<link""", ours)


HARNESS = """
async ({ source, scene, size }) => {
  const bytes = Uint8Array.from(atob(scene), letter => letter.charCodeAt(0));
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const listeners = [];
  globalThis.asked = [];
  const model = {
    get: () => new DataView(bytes.buffer), on: (_, listener) => listeners.push(listener), off: () => {},
    send: (content, _, [z]) => {
      globalThis.asked.push([content.n, content.y, z.length]);
      const values = new Float32Array(content.n * size).map((_, i) => (i % size) / size);
      setTimeout(() => listeners.forEach(tell => tell({ seq: content.seq }, [new DataView(values.buffer)])));
    },
  };
  module.default.render({ model, el: document.getElementById("cell") });
}
"""


def test_the_front_end_asks_the_kernel(explorer: Explorer, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        sentence = "the widget's browser test needs Chromium and Playwright: apt-get install chromium"
        pytest.fail(sentence) if os.environ.get("LATENTIA_REQUIRE_BROWSER") else pytest.skip(sentence)
    from playwright.sync_api import sync_playwright

    page = tmp_path / "cell.html"
    static = f'<figure class="latentia-static" data-explorer="{explorer.name}">picture</figure>'
    page.write_text(f"<!doctype html><title>cell</title>{static}<div id='cell'></div>")
    given = {
        "source": BUILT.read_text(encoding="utf-8"),
        "scene": base64.b64encode(explorer.widget.scene).decode(),
        "size": 64,
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_context(offline=True).new_page()
        said: list[str] = []
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(page.as_uri())
        tab.evaluate(HARNESS, given)
        tab.locator(".plane").wait_for(timeout=120_000)
        assert tab.locator(".latentia-static").is_hidden()
        tab.wait_for_function("() => asked.length >= 5")
        before = tab.evaluate("asked.length")
        tab.locator(".plane").press("ArrowLeft")
        tab.wait_for_function("before => asked.length > before", arg=before)
        assert tab.evaluate("asked.at(-1)") == [1, 0, 3] and said == []
        browser.close()
