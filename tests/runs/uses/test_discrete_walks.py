"""Walks with discrete latents: whatever is decoded are codes, the nearest to what was asked for, and titles say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import latentia as lt
from latentia.runs.uses import arithmetic, decode, interpolate, manifold, traverse

SMALL = {
    "training.threads": 1,
    "training.device": "cpu",
    "training.batch_size": 32,
    "model.encoder.channels": [4, 8],
    "model.decoder.channels": [8, 4],
}
LEARNED = {"model.posterior.codes": 16, "model.posterior.dimension": 3}


@pytest.fixture(scope="module", params=["vq-vae", "fsq-ae"])
def run(request: pytest.FixtureRequest, labelled: dict[str, Any]) -> lt.Run:
    settings = SMALL | (LEARNED if request.param == "vq-vae" else {"model.posterior.levels": [5, 4, 3]})
    return lt.train(request.param, labelled, directory=None, steps=20, seed=0, settings=settings)


def codes_of(run: lt.Run) -> Tensor:
    """All codes, (M, D)."""
    height, width = run.model.posterior.code_shape
    indices = torch.arange(run.model.posterior.codebook_size).view(-1, 1, 1).expand(-1, height, width)
    return run.model.posterior.lookup(indices)[:, :, 0, 0]


def nearest(run: lt.Run, z: Tensor) -> Tensor:
    """The nearest code at each place, by brute force."""
    codes = codes_of(run)
    z = z.reshape(-1, *run.model.latent_shape).double()
    rows = z.movedim(1, -1)[..., None, :]  # (N, h, w, 1, D)
    return codes[(rows - codes).square().sum(-1).argmin(-1)].movedim(-1, 1)


def check_nearest(run: lt.Run, found: Tensor, z: Tensor) -> None:
    """What was found are codes, and none are nearer to z; half way between two codes either will do."""
    assert torch.equal(found, nearest(run, found))
    ours, least = ((points - z).square().sum(1) for points in (found, nearest(run, z)))
    assert torch.allclose(ours, least, atol=1e-5)


def decoded(run: lt.Run, z: Tensor) -> Tensor:
    with torch.no_grad():
        return run.model.eval().decode(z).mean


def means(run: lt.Run, labelled: dict[str, Any]) -> Tensor:
    with torch.no_grad():
        return run.model.eval().encode(torch.from_numpy(labelled["x_test"]).float() / 255).mean


def test_a_path_goes_from_code_to_code(run: lt.Run, labelled: dict[str, Any]) -> None:
    found = run.interpolate(images=(4, 17), steps=7, write=False)
    a, b = means(run, labelled)[[4, 17]]
    between = torch.stack([a + (b - a) * t for t in torch.linspace(0, 1, 7, dtype=torch.float64)])
    assert torch.equal(found.latents[[0, -1]], torch.stack([a, b]))
    check_nearest(run, found.latents, between.float())
    assert torch.allclose(found.frames, decoded(run, found.latents), atol=1e-5)


def test_a_dimension_moves_from_code_to_code(run: lt.Run) -> None:
    found = run.traverse(2, dims=[0, 5], range=(-40, 40), steps=5, write=False)
    points = found.base.float().repeat(2, 5, 1)
    points[0, :, 0], points[1, :, 5] = found.values.float()
    expected = decoded(run, nearest(run, points.flatten(0, 1))).unflatten(0, (2, 5))
    assert torch.allclose(found.frames, expected, atol=1e-5)


def test_a_plane_is_decoded_at_codes(run: lt.Run) -> None:
    found = run.manifold(size=4, range=(-1, 1), dims=(1, 3), write=False)
    assert found.latents.shape == (4, 4, *run.model.latent_shape)
    flat = found.latents.flatten(0, 1)
    assert torch.equal(flat, nearest(run, flat))
    assert torch.allclose(found.frames.flatten(0, 1), decoded(run, flat), atol=1e-5)


def test_a_point_is_decoded_at_its_nearest_codes(run: lt.Run, labelled: dict[str, Any]) -> None:
    z = torch.randn(3, *run.model.latent_shape, generator=torch.Generator().manual_seed(0))
    found = run.decode(z, write=False)
    assert torch.equal(found.latents, nearest(run, z))
    assert torch.allclose(found.x, decoded(run, found.latents), atol=1e-5)
    codes = means(run, labelled)[:5]
    assert torch.equal(run.decode(codes, write=False).latents, codes)


def test_a_sum_is_decoded_at_its_nearest_codes(run: lt.Run, labelled: dict[str, Any]) -> None:
    found = run.arithmetic("#3 + 0.5 * row - 0.5 * square", write=False)
    z = means(run, labelled).double()
    row, square = (z[torch.from_numpy(labelled["y_test"] == name)].mean(0) for name in ("row", "square"))
    points = torch.stack([z[3], row, square, z[3] + 0.5 * row - 0.5 * square]).float()
    check_nearest(run, torch.cat([found.term_latents, found.latent[None]]), points)
    assert torch.allclose(found.x, decoded(run, found.latent[None])[0], atol=1e-5)


def test_titles_say_what_was_decoded(run: lt.Run, vae: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    for module, name in (
        (interpolate, "plot_path"),
        (traverse, "plot_traversals"),
        (manifold, "plot_manifold"),
        (decode, "plot_points"),
        (arithmetic, "plot_equation"),
    ):
        monkeypatch.setattr(module, name, lambda *given, title, **options: titles.append(title))
        monkeypatch.setattr(module, "save_figure", lambda figure, path, **options: None)
    for one, said in ((run, True), (vae, False)):
        titles.clear()
        place = tmp_path / f"{said}"
        one.interpolate(images=(0, 1), out=place / "a.png")
        one.traverse(0, dims=[0], out=place / "b.png")
        one.manifold(size=2, dims=(0, 1), range=(-1, 1), out=place / "c.png")
        one.decode(torch.zeros(1, *one.model.latent_shape), out=place / "d.png")
        one.arithmetic("row - square", out=place / "e.png")
        assert len(titles) == 5 and all(("nearest codes" in title) == said for title in titles), titles
