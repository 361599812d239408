from __future__ import annotations

import numpy as np
import pytest
import torch

from latentia.data.dataset import DataSpec
from latentia.exploration.training_movie import draw_movie, plane_of

RNG = np.random.default_rng(0)


def test_the_plane_is_that_of_the_last_frame() -> None:
    latents = RNG.normal(size=(3, 50, 4)) * np.array([5.0, 1.0, 0.1, 0.1])
    points, names = plane_of(latents)
    centred = latents[-1] - latents[-1].mean(0)
    assert np.allclose(points[-1].var(0).sum(), np.sort(np.linalg.eigvalsh(np.cov(centred.T, bias=True)))[-2:].sum())
    assert "last frame" in names[0]
    assert (plane_of(latents[..., :2])[0] == latents[..., :2]).all()


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 6, 9), (5,)])
@pytest.mark.parametrize(("d", "classes"), [(1, 0), (2, 3), (5, 15)])
def test_frames_of_one_size_that_differ(shape: tuple[int, ...], d: int, classes: int) -> None:
    latents, x = RNG.normal(size=(3, 40, d)), torch.rand(2, *shape)
    x_hats = torch.stack([x * 0, x / 2, x])
    labels = RNG.integers(0, classes, 40) if classes else None
    frames = draw_movie(latents, x, x_hats, DataSpec(shape), labels=labels, captions=["a", "b", "c"], dpi=50)
    assert frames.dtype == np.uint8
    assert frames.shape[0] == 3
    assert (frames[0] != frames[1]).any()
    same = draw_movie(latents, x, x_hats, DataSpec(shape), labels=labels, captions=["a", "b", "c"], dpi=50)
    assert (frames == same).all()


def test_nothing_is_said_and_the_scales_are_equal(caplog: pytest.LogCaptureFixture) -> None:
    latents = RNG.normal(size=(2, 60, 2)) * np.array([1.0, 0.1])
    x = torch.rand(1, 4)
    flat = draw_movie(latents, x, torch.stack([x, x]), DataSpec((4,)), captions="ab", dpi=40)
    slim = draw_movie(latents[..., ::-1], x, torch.stack([x, x]), DataSpec((4,)), captions="ab", dpi=40)
    assert flat.shape[1] < slim.shape[1] and flat.shape[2] > slim.shape[2]
    assert not caplog.records


def test_colours_stay_with_their_points() -> None:
    y = np.arange(40) % 2
    latents = np.stack([np.stack([y * 10.0 + frame, np.linspace(0, 30, 40)], 1) for frame in (0, 0)])
    frames = draw_movie(latents, torch.rand(1, 4), torch.rand(2, 1, 4), DataSpec((4,)), labels=y, captions="ab", dpi=60)
    seen = frames[0, :, : frames.shape[2] // 2].astype(int)  # where the latents are: the first class blue, then orange
    across = [np.nonzero(sign * (seen[..., 2] - seen[..., 0]) > 60)[1] for sign in (1, -1)]
    assert min(map(len, across)) > 20
    assert across[0].mean() < across[1].mean()
