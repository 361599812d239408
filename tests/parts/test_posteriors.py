"""Posteriors: the distributions they return, their noise, and the parameter counts of assembled tutorial systems."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from latentia.errors import ConfigError
from latentia.maths.distributions import Delta, DiagonalNormal
from latentia.maths.functional import gaussian_kl
from latentia.parts.networks.convolutional import ConvDecoder, ConvEncoder
from latentia.parts.networks.mlp import MLP
from latentia.parts.networks.stacks import ConvStackEncoder, TransposedStackDecoder
from latentia.parts.posteriors import (
    DeterministicPosterior,
    FeatureMapPosterior,
    GaussianMapPosterior,
    GaussianPosterior,
    RectifiedPosterior,
)

IMAGE = (1, 28, 28)


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


# --- known architectures: the counts follow from the tutorials' tables of layers --------------------------------------


def test_the_vae_of_one_hidden_layer_has_652_824_parameters() -> None:
    encoder = MLP(IMAGE, [400])
    assert parameters(encoder, GaussianPosterior(encoder.out_features, (20,)), MLP((20,), [400], IMAGE)) == 652_824


@pytest.mark.parametrize(("latents", "count"), [(20, 549_688), (10, 541_988)])
def test_the_vae_of_two_hidden_layers(latents: int, count: int) -> None:
    encoder = MLP(IMAGE, [256, 256])
    posterior = GaussianPosterior(encoder.out_features, (latents,))
    assert parameters(encoder, posterior, MLP((latents,), [256, 256], IMAGE)) == count


def test_the_autoencoder_has_489_136_parameters() -> None:
    encoder = MLP(IMAGE, [256, 128, 64])
    posterior = DeterministicPosterior(encoder.out_features, (32,))
    assert parameters(encoder, posterior, MLP((32,), [64, 128, 256], IMAGE)) == 489_136


def test_the_denoising_autoencoder_has_484_944_parameters() -> None:
    encoder = MLP(IMAGE, [256, 128], dropout=[0.2, 0.0])
    posterior = DeterministicPosterior(encoder.out_features, (64,))
    assert parameters(encoder, posterior, MLP((64,), [128, 256], IMAGE, dropout=[0.0, 0.2])) == 484_944


def test_the_convolutional_autoencoder_has_442_433_parameters() -> None:
    encoder = ConvEncoder(IMAGE, [32, 64])
    posterior = DeterministicPosterior(encoder.out_features, (64,))
    assert parameters(encoder, posterior, ConvDecoder((64,), IMAGE, [64, 32])) == 442_433


def test_the_convolutional_vae_has_384_577_parameters() -> None:
    encoder = ConvEncoder(IMAGE, [32, 64, 128], activation="leaky-relu")
    posterior = GaussianPosterior(encoder.out_features, (32,))
    assert parameters(encoder, posterior, ConvDecoder((32,), IMAGE, [128, 64, 32], activation="leaky-relu")) == 384_577


DOWN = [{"channels": 8, "kernel": 5}, {"channels": 16}, {"channels": 4}]
UP = [{"channels": 16, "padding": 0}, {"channels": 8}, {"kernel": 2}]


def test_the_autoencoder_with_a_latent_cube_has_3_793_parameters_and_its_vae_4_089() -> None:
    encoder = ConvStackEncoder((1, 32, 32), DOWN)
    decoder = TransposedStackDecoder(encoder.out_shape, (1, 32, 32), UP)
    assert encoder.out_shape == (4, 4, 4)
    assert parameters(encoder, FeatureMapPosterior(64, encoder.out_shape), decoder) == 3_793
    assert parameters(encoder, GaussianMapPosterior(64, encoder.out_shape), decoder) == 4_089


def test_the_vae_of_a_plane_has_284_292_parameters() -> None:
    encoder = MLP((1, 32, 32), [128, 64, 32], activate_last=False)
    decoder = MLP((2,), [32, 64, 128], (1, 32, 32))
    assert parameters(encoder, GaussianPosterior(32, (2,)), decoder) == 284_292
    assert parameters(encoder, DeterministicPosterior(32, (2,)), decoder) == 284_226


@pytest.mark.parametrize("kind", [GaussianPosterior, RectifiedPosterior])
def test_the_vae_of_ten_latents_has_437_540_parameters(kind: type[GaussianPosterior]) -> None:
    assert parameters(MLP(IMAGE, [256, 64]), kind(64, (10,)), MLP((10,), [64, 256], IMAGE)) == 437_540


# --- the distributions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent_shape", [(1,), (5,), (4, 2, 3)])
def test_gaussian_is_two_linear_maps_of_the_features(latent_shape: tuple[int, ...]) -> None:
    posterior = GaussianPosterior(6, latent_shape).double()
    h = torch.randn(7, 6, dtype=torch.float64)
    q = posterior(h)
    size = torch.Size(latent_shape)
    loc, logvar = (h @ posterior.head.weight.T + posterior.head.bias).split(size.numel(), 1)
    assert isinstance(q, DiagonalNormal)
    assert q.batch_shape == (7,) and q.event_shape == size
    torch.testing.assert_close(q.loc, loc.reshape(7, *latent_shape))
    torch.testing.assert_close(q.logvar, logvar.reshape(7, *latent_shape))
    noise = torch.randn(7, *latent_shape, dtype=torch.float64)
    torch.testing.assert_close(q.from_noise(noise), q.loc + (q.logvar / 2).exp() * noise)
    assert not posterior.deterministic


def test_the_log_variance_is_clamped() -> None:
    posterior = GaussianPosterior(2, (3,), logvar_bounds=(-4.0, 1.5))
    q = posterior(torch.randn(50, 2) * 1e6)
    assert q.logvar.min() == -4.0 and q.logvar.max() == 1.5
    assert posterior(torch.zeros(1, 2)).logvar.abs().max() < 1


def test_the_default_bounds_keep_everything_finite() -> None:
    q = GaussianPosterior(2, (3,))(torch.randn(50, 2) * 1e9)
    assert q.scale.isfinite().all() and (q.scale > 0).all()


def test_bounds_must_increase() -> None:
    with pytest.raises(ConfigError, match="larger upper"):
        GaussianPosterior(2, (3,), logvar_bounds=(1.0, 1.0))


def test_deterministic_is_a_point() -> None:
    posterior = DeterministicPosterior(6, (4, 2)).double()
    h = torch.randn(7, 6, dtype=torch.float64)
    q = posterior(h)
    assert isinstance(q, Delta) and posterior.deterministic
    assert q.batch_shape == (7,) and q.event_shape == (4, 2)
    torch.testing.assert_close(q.mean, (h @ posterior.head.weight.T + posterior.head.bias).reshape(7, 4, 2))
    assert posterior.draw_noise((3, 7, 4, 2)) is None


def test_a_gaussian_map_is_two_convolutions_of_the_features() -> None:
    posterior = GaussianMapPosterior(60, (3, 4, 5), kernel=3).double()
    h = torch.randn(7, 60, dtype=torch.float64)
    q = posterior(h)
    maps = torch.nn.functional.pad(h.view(7, 3, 4, 5), (1, 1, 1, 1))
    found = torch.zeros(7, 6, 4, 5, dtype=torch.float64)
    for i in range(4):
        for j in range(5):
            found[:, :, i, j] = torch.einsum("bcij,ocij->bo", maps[:, :, i : i + 3, j : j + 3], posterior.head.weight)
    assert posterior.head.bias is not None
    found += posterior.head.bias[:, None, None]
    assert q.batch_shape == (7,) and q.event_shape == (3, 4, 5) == posterior.latent_shape
    torch.testing.assert_close(q.loc, found[:, :3])
    torch.testing.assert_close(q.logvar, found[:, 3:])
    assert posterior.spatial and not posterior.deterministic
    wild = GaussianMapPosterior(60, (3, 4, 5), logvar_bounds=(-4.0, 1.5))(torch.randn(7, 60) * 1e6)
    assert wild.logvar.min() == -4.0 and wild.logvar.max() == 1.5


def test_a_feature_map_is_the_features_themselves() -> None:
    posterior = FeatureMapPosterior(60, (3, 4, 5))
    h = torch.randn(7, 60)
    q = posterior(h)
    assert isinstance(q, Delta) and posterior.deterministic and posterior.spatial
    assert torch.equal(q.mean.flatten(1), h) and q.event_shape == (3, 4, 5)
    assert list(posterior.parameters()) == [] and posterior.draw_noise((7, 3, 4, 5)) is None


@pytest.mark.parametrize("kind", [GaussianMapPosterior, FeatureMapPosterior])
@pytest.mark.parametrize("shape", [(60,), (3, 4, 4), (3, 20)])
def test_posteriors_over_maps_refuse_what_is_none(kind: type[GaussianMapPosterior], shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"encoder's 60 features.*out_shape"):
        kind(60, shape)


def test_the_rectified_posterior_has_neither_negative_means_nor_deviations() -> None:
    torch.manual_seed(0)
    posterior = RectifiedPosterior(6, (4,)).double()
    h = torch.randn(50, 6, dtype=torch.float64)
    q = posterior(h)
    loc, scale = torch.relu(h @ posterior.head.weight.T + posterior.head.bias).split(4, 1)
    torch.testing.assert_close(q.loc, loc)
    torch.testing.assert_close(q.variance, scale**2 + 1e-8)
    assert (q.loc == 0).any() and (scale == 0).any() and q.logvar.isfinite().all()
    # the tutorial's own rate, with 1e-8 inside the logarithm
    rate = 0.5 * (loc**2 + scale**2 - torch.log(1e-8 + scale**2) - 1)
    torch.testing.assert_close(gaussian_kl(q.loc, q.logvar), rate, atol=1e-8, rtol=0)


def test_a_unit_whose_deviation_is_zero_receives_no_gradient() -> None:
    posterior = RectifiedPosterior(2, (1,))
    with torch.no_grad():
        posterior.head.bias[1] = -1e3
    q = posterior(torch.randn(20, 2))
    gaussian_kl(q.loc, q.logvar).sum().backward()
    assert posterior.head.weight.grad is not None and not posterior.head.weight.grad[1].any()


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (GaussianPosterior, (4,)),
        (DeterministicPosterior, (4,)),
        (GaussianMapPosterior, (3, 2, 1)),
        (RectifiedPosterior, (4,)),
    ],
)
def test_gradients_reach_every_parameter_and_inputs_stay(kind: type[GaussianPosterior], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    posterior = kind(6, shape)
    h = torch.randn(7, 6)
    before = h.clone()
    q = posterior(h)
    noise = posterior.draw_noise((7, *shape))
    z = q.mean if noise is None else q.from_noise(noise)
    z.square().sum().backward()
    assert torch.equal(h, before)
    for name, parameter in posterior.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_noise_is_standard_normal_and_repeats_with_its_generator() -> None:
    posterior = GaussianPosterior(6, (4,))
    first = posterior.draw_noise((3, 2000, 4), torch.Generator().manual_seed(1), "cpu")
    again = posterior.draw_noise([3, 2000, 4], torch.Generator().manual_seed(1))
    assert torch.equal(first, again) and first.dtype == torch.float32
    assert first.mean().abs() < 4 / 24000**0.5 and (first.var() - 1).abs() < 4 * (2 / 24000) ** 0.5


def test_noise_leaves_the_global_generator_alone() -> None:
    posterior = GaussianPosterior(1, (1,))
    state = torch.get_rng_state()
    posterior.draw_noise((5,), torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("identity", lambda a: a), ("relu", lambda a: a.clamp_min(0)), ("sigmoid", torch.special.expit)],
)
def test_latents_of_an_autoencoder_can_have_an_activation(activation: str, expected: Any) -> None:
    posterior = DeterministicPosterior(7, (2, 2), activation)
    h = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(posterior(h).mean, expected(posterior.head(h)).view(5, 2, 2))


def test_an_unknown_activation_of_latents_is_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'sigmoid'"):
        DeterministicPosterior(7, (2,), "sigmoids")
