"""Posteriors: the distributions they return, their noise, and the parameter counts of assembled tutorial systems."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from latentia.errors import ConfigError
from latentia.maths.distributions import Delta, DiagonalNormal
from latentia.parts.networks.convolutional import ConvDecoder, ConvEncoder
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import DeterministicPosterior, GaussianPosterior

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


@pytest.mark.parametrize("kind", [GaussianPosterior, DeterministicPosterior])
def test_gradients_reach_every_parameter_and_inputs_stay(kind: type[GaussianPosterior]) -> None:
    posterior = kind(6, (4,))
    h = torch.randn(7, 6)
    before = h.clone()
    q = posterior(h)
    noise = posterior.draw_noise((7, 4))
    z = q.mean if noise is None else q.from_noise(noise)
    z.square().sum().backward()
    assert torch.equal(h, before)
    for name, parameter in posterior.named_parameters():
        assert parameter.grad is not None and (parameter.grad != 0).all(), name


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
