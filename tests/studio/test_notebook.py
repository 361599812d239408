"""The explorer and the summary in a notebook: executed, saved, and exported to HTML."""

from __future__ import annotations

import re
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

from latentia.studio.notebook import Explorer, explore


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
