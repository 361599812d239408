"""The autoencoder's objective: squared error with its constant, and penalties against torch's own Jacobian."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from scipy.special import rel_entr
from torch import Tensor

from latentia.data.corruption import Corruption, GaussianCorruption, MaskingCorruption, SaltAndPepperCorruption
from latentia.errors import ConfigError
from latentia.models.latent_variable import LatentVariableModel
from latentia.objectives.autoencoder import AutoencoderObjective
from latentia.parts.likelihoods import Gaussian
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import DeterministicPosterior

BATCH, EVENT, LATENT = 5, (2, 3), 4


def autoencoder(norm: str = "none", activation: str = "identity") -> LatentVariableModel:
    torch.manual_seed(1)
    return LatentVariableModel(
        encoder=MLP(EVENT, [7], activation="tanh", norm=norm),
        posterior=DeterministicPosterior(7, (LATENT,), activation),
        prior=None,
        decoder=MLP((LATENT,), [7], EVENT, activation="tanh"),
        likelihood=Gaussian(),
        event_shape=EVENT,
        latent_shape=(LATENT,),
    ).double()


def data() -> Tensor:
    return torch.rand((BATCH, *EVENT), generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def call(objective: AutoencoderObjective, model: Any, x: Tensor | None = None) -> Any:
    return objective(model, data() if x is None else x, None, (), objective.coefficients_at(0.5))


def code_of(model: LatentVariableModel, x: Tensor) -> Tensor:
    return model.posterior.head(model.encoder(x))


def test_the_distortion_is_half_the_squared_error_and_its_constant() -> None:
    model, x = autoencoder(), data()
    terms = call(AutoencoderObjective(), model)
    error = (model.decoder(code_of(model, x)) - x).square().flatten(1).sum(1)
    torch.testing.assert_close(terms.distortion, error / 2 + 6 / 2 * math.log(2 * math.pi))
    torch.testing.assert_close(terms.loss, terms.distortion)
    assert terms.rate is None and terms.batch is None and not terms.extras and not terms.estimated


def test_l1_and_l2_are_summed_over_the_latent_dimensions() -> None:
    model, x = autoencoder(), data()
    terms = call(AutoencoderObjective(l1=0.3, l2=0.7), model)
    code = code_of(model, x).tolist()
    l1 = torch.tensor([sum(abs(z) for z in row) for row in code], dtype=torch.float64)
    l2 = torch.tensor([sum(z * z for z in row) for row in code], dtype=torch.float64)
    torch.testing.assert_close(terms.extras["l1"], l1)
    torch.testing.assert_close(terms.extras["l2"], l2)
    torch.testing.assert_close(terms.loss, terms.distortion + 0.3 * l1 + 0.7 * l2)


def jacobian_norms(model: LatentVariableModel, x: Tensor) -> Tensor:
    """The squared Frobenius norm of each image's Jacobian, one image at a time."""
    norms = []
    for image in x:
        jacobian = torch.autograd.functional.jacobian(lambda v: code_of(model, v[None])[0], image, create_graph=True)
        assert isinstance(jacobian, Tensor) and jacobian.shape == (LATENT, *EVENT)
        norms.append(jacobian.square().sum())
    return torch.stack(norms)


@pytest.mark.parametrize("graph", [True, False], ids=["with gradients", "under no_grad"])
def test_the_contractive_penalty_is_the_squared_norm_of_the_jacobian(graph: bool) -> None:
    model = autoencoder()
    with torch.set_grad_enabled(graph):
        terms = call(AutoencoderObjective(contractive=0.1), model)
    assert terms.total().requires_grad is graph
    expected = jacobian_norms(model, data())
    torch.testing.assert_close(terms.extras["contractive"].detach(), expected.detach())
    torch.testing.assert_close(terms.loss, terms.distortion + 0.1 * terms.extras["contractive"])


def test_the_contractive_penalty_has_the_gradient_of_torchs_jacobian() -> None:
    model = autoencoder()
    weights = [*model.encoder.parameters(), *model.posterior.parameters()]
    penalty = call(AutoencoderObjective(contractive=1.0), model).extras["contractive"].sum()
    found = torch.autograd.grad(penalty, weights, allow_unused=True, materialize_grads=True)
    expected = torch.autograd.grad(
        jacobian_norms(model, data()).sum(), weights, allow_unused=True, materialize_grads=True
    )
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert all(gradient.any() for gradient in found[:-1])  # the bias of the head does not change the Jacobian


@pytest.mark.parametrize("graph", [True, False])
def test_the_contractive_penalty_leaves_inputs_as_they_are(graph: bool) -> None:
    x = data()
    with torch.set_grad_enabled(graph):
        call(AutoencoderObjective(contractive=0.1), autoencoder(), x)
    assert torch.equal(x, data()) and not x.requires_grad and x.grad is None


def test_the_penalty_does_not_change_the_other_terms() -> None:
    model = autoencoder()
    plain, with_penalty = (call(AutoencoderObjective(contractive=factor), model) for factor in (0.0, 1.0))
    torch.testing.assert_close(plain.distortion, with_penalty.distortion)
    weights = list(model.parameters())
    for ours, theirs in zip(
        torch.autograd.grad(plain.distortion.sum(), weights),
        torch.autograd.grad(with_penalty.distortion.sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_in_evaluation_mode_batch_normalisation_keeps_images_apart() -> None:
    model = autoencoder("batch").eval()
    with torch.no_grad():
        terms = call(AutoencoderObjective(contractive=1.0), model)
    torch.testing.assert_close(terms.extras["contractive"], jacobian_norms(model, data()).detach())


def test_nothing_is_scheduled() -> None:
    objective = AutoencoderObjective(l1=1.0)
    assert objective.coefficients_at(0.2) == {} and objective.settled_at() == 0.0 and objective.k == 1


# --- sparsity of activations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.05, 0.5, 0.9])
def test_the_kl_sparsity_is_that_of_the_lecture_notes(rho: float) -> None:
    model = autoencoder(activation="sigmoid")
    terms = call(AutoencoderObjective(kl_sparsity=0.7, rho=rho), model)
    mean = code_of(model, data()).sigmoid().mean(0).detach().numpy()
    expected = (rel_entr(rho, mean) + rel_entr(1 - rho, 1 - mean)).sum()
    assert terms.extras["kl_sparsity"].tolist() == pytest.approx([expected] * BATCH, rel=1e-12)
    assert terms.batch.item() == pytest.approx(0.7 * expected, rel=1e-12)
    torch.testing.assert_close(terms.loss, terms.distortion)
    assert terms.total().item() == pytest.approx(terms.distortion.mean().item() + 0.7 * expected, rel=1e-12)


def test_the_kl_sparsity_vanishes_where_every_mean_activation_is_rho() -> None:
    model = autoencoder(activation="sigmoid")
    with torch.no_grad():
        model.posterior.head.weight.zero_()
        model.posterior.head.bias.fill_(math.log(0.2 / 0.8))
    assert call(AutoencoderObjective(kl_sparsity=1.0, rho=0.2), model).batch.item() == pytest.approx(0, abs=1e-14)


def test_the_kl_sparsity_stays_finite_where_latents_are_saturated() -> None:
    model = autoencoder(activation="sigmoid").float()
    with torch.no_grad():
        model.posterior.head.bias.copy_(torch.tensor([-300.0, 300.0, 0.0, 0.0]))
    terms = call(AutoencoderObjective(kl_sparsity=1.0), model, data().float())
    terms.total().backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert terms.total().isfinite() and gradients and all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_the_kl_sparsity_refuses_latents_outside_the_unit_interval(activation: str) -> None:
    with pytest.raises(ConfigError, match=r"--set model\.posterior\.activation=sigmoid.*--set objective\.l1"):
        call(AutoencoderObjective(kl_sparsity=1.0), autoencoder(activation=activation))


# --- denoising --------------------------------------------------------------------------------------------------------

CORRUPTIONS = [GaussianCorruption(0.5, (0.0, 1.0)), MaskingCorruption(0.4), SaltAndPepperCorruption(0.4)]


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_the_model_sees_corrupted_data_and_is_compared_with_clean_ones(corruption: Corruption) -> None:
    model, x = autoencoder(), data()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        terms = call(AutoencoderObjective(l1=0.3, corruption=corruption), model)
    noise = corruption.draw_noise(x.shape, torch.Generator().manual_seed(7))
    code = code_of(model, corruption(x, noise))
    error = (model.decoder(code) - x).square().flatten(1).sum(1)
    torch.testing.assert_close(terms.distortion, error / 2 + 6 / 2 * math.log(2 * math.pi))
    torch.testing.assert_close(terms.extras["l1"], code.abs().sum(1))
    assert torch.equal(x, data())


@pytest.mark.parametrize("graph", [True, False])
def test_the_contractive_penalty_is_taken_at_the_corrupted_data(graph: bool) -> None:
    model, x, corruption = autoencoder(), data(), GaussianCorruption(0.5)
    with torch.random.fork_rng(devices=[]), torch.set_grad_enabled(graph):
        torch.manual_seed(7)
        terms = call(AutoencoderObjective(contractive=1.0, corruption=corruption), model)
    noise = corruption.draw_noise(x.shape, torch.Generator().manual_seed(7))
    expected = jacobian_norms(model, corruption(x, noise)).detach()
    torch.testing.assert_close(terms.extras["contractive"].detach(), expected)
