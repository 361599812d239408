"""Walks with a model that needs labels: the nearer end's, the image's, or the one asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import latentia as lt
from latentia.errors import ConfigError
from latentia.runs import pictures
from latentia.runs.uses import traverse


@pytest.fixture(scope="module")
def run(labelled: dict[str, Any]) -> lt.Run:
    settings = {"training.threads": 1, "model.latent_dim": 2}
    return lt.train("conditional-vae", labelled, directory=None, steps=20, settings=settings)


def test_a_path_changes_its_label_half_way(run: lt.Run, labelled: dict[str, Any]) -> None:
    found = run.interpolate("row", "square", steps=4, write=False)
    y = torch.tensor([run.spec.classes.index(name) for name in ("row", "row", "square", "square")])
    with torch.no_grad():
        expected = run.model.decode(found.latents, y).mean
    assert torch.allclose(found.frames, expected, atol=1e-5)
    x = run.preparation(run.dataset.split("test").x[list(found.indices)])
    with torch.no_grad():
        assert torch.equal(found.frames[[0, -1]], run.model.eval().reconstruct(x, y[[0, -1]]))


def test_a_traversal_keeps_its_images_label(run: lt.Run, labelled: dict[str, Any]) -> None:
    found = run.traverse(1, dims=[0], range=(-1, 1), steps=3, write=False)
    z = found.base.float()[None].clone()
    z[0, 0] = 1.0
    y = torch.tensor([run.spec.classes.index(labelled["y_test"][1])])
    with torch.no_grad():
        assert torch.allclose(found.frames[0, -1], run.model.decode(z, y).mean[0], atol=1e-5)


def test_titles_name_the_class(
    run: lt.Run, labelled: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    titles: list[str] = []
    monkeypatch.setattr(traverse, "plot_traversals", lambda *_, title, **__: titles.append(title))
    monkeypatch.setattr(pictures.plots, "plot_class_samples", lambda *_, title: titles.append(title))
    monkeypatch.setattr(traverse, "save_figure", lambda *_: None)
    monkeypatch.setattr(pictures.plots, "save_figure", lambda *_: None)
    out = tmp_path / "a.png"
    assert run.traverse(1, out=out).to_json()["class"] == labelled["y_test"][1]
    run.traverse(None, label="square", out=out)
    run.sample(5, classes=["row"], out=out)
    run.sample(1, classes=["row", "square"], out=out)
    assert f"from #1 of test images, all as class {labelled['y_test'][1]}" in titles[0]
    assert "from the middle of the latent space, all as class square" in titles[1]
    assert titles[2].startswith("5 samples of class row by") and titles[3].startswith("1 sample of each class by")


def test_points_and_planes_need_a_class(run: lt.Run) -> None:
    for use in (run.manifold, lambda **options: run.decode([0, 0], **options), lambda **o: run.traverse(None, **o)):
        with pytest.raises(ConfigError, match="--class"):
            use(write=False)
        use(label="square", write=False)
        with pytest.raises(ConfigError, match="no class 'circle'"):
            use(label="circle", write=False)
    with torch.no_grad():
        expected = run.model.decode(torch.zeros(1, 2), torch.tensor([run.spec.classes.index("row")])).mean
    assert torch.allclose(run.decode([0, 0], label="row", write=False).x, expected, atol=1e-6)


def test_a_sum_takes_the_first_label_or_the_one_asked_for(run: lt.Run) -> None:
    for label, name in ((None, "row"), ("square", "square")):
        found = run.arithmetic("row - column", label=label, write=False)
        y = torch.tensor([run.spec.classes.index(name)])
        with torch.no_grad():
            assert torch.allclose(found.x, run.model.decode(found.latent[None], y).mean[0], atol=1e-5)
