"""M2 on M1: that it is the one composed with the other, and a bound of the whole."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from latentia.errors import ConfigError
from latentia.models.latent_variable import LatentVariableModel
from latentia.models.stacked import StackedModel
from latentia.parts.classifiers import LabelPosterior
from latentia.parts.conditioning import LabelConditioning, LabelJoin
from latentia.parts.likelihoods import Bernoulli, Gaussian
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import DeterministicPosterior, GaussianPosterior
from latentia.parts.priors import StandardNormalPrior

EVENT, CLASSES, BATCH = (1, 2, 2), 3, 5


def base_with(latent: int, posterior: type = GaussianPosterior) -> LatentVariableModel:
    return LatentVariableModel(
        encoder=MLP(EVENT, [6]),
        posterior=posterior(6, (latent,)),
        prior=StandardNormalPrior((latent,)),
        decoder=MLP((latent,), [7], EVENT),
        likelihood=Bernoulli(),
        event_shape=EVENT,
        latent_shape=(latent,),
    )


def stacked(first: int = 3, second: int = 2) -> StackedModel:
    torch.manual_seed(0)
    base, likelihood = base_with(first), Gaussian(sigma="per-pixel")
    join_x, join_z = LabelJoin((first,), CLASSES, maps=False), LabelJoin((second,), CLASSES, maps=False)
    top = LatentVariableModel(
        encoder=MLP(join_x.out_shape, [5], activation="tanh"),
        posterior=GaussianPosterior(5, (second,)),
        prior=StandardNormalPrior((second,)),
        decoder=MLP(join_z.out_shape, [5], likelihood.parameter_shape((first,)), activation="tanh"),
        likelihood=likelihood,
        event_shape=(first,),
        latent_shape=(second,),
        conditioning=LabelConditioning(CLASSES, encoder=join_x, decoder=join_z),
        label_posterior=LabelPosterior(MLP((first,), [5]), 5, CLASSES),
    )
    return StackedModel(base, top).double()


def data() -> tuple[Tensor, Tensor]:
    x = torch.rand((BATCH, *EVENT), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (x > 0.5).double(), torch.arange(BATCH) % CLASSES


def noise_for(model: StackedModel, k: int = 1, n: int = BATCH) -> list[Tensor]:
    return [eps.double() for eps in model.draw_noise(n, k, torch.Generator().manual_seed(2))]


def test_it_is_one_model_after_the_other() -> None:
    model = stacked()
    x, y = data()
    z1 = model.base.encode(x).mean
    q = model.encode(x, y)
    assert torch.equal(q.mean, model.top.encode(z1, y).mean)
    assert torch.equal(model.classify(x), model.top.classify(z1))
    decoded = model.base.decode(model.top.decode(q.mean, y).mean).mean
    assert torch.equal(model.decode(q.mean, y).mean, decoded) and torch.equal(model.reconstruct(x, y), decoded)
    source = [torch.Generator().manual_seed(3) for _ in range(2)]
    with torch.no_grad():
        model.float()
        drawn = model.base.decode(model.top.sample(4, y[:4], generator=source[0])).mean
        assert torch.equal(model.sample(4, y[:4], generator=source[1]), drawn)
    assert (model.latent_shape, model.event_shape, model.latent_dim) == ((2,), EVENT, 2)
    assert model.conditional and model.classifies and model.has_prior and not model.discrete
    assert model.likelihood is model.base.likelihood and model.prior is model.top.prior


def test_without_labels_the_likeliest_are_taken() -> None:
    model = stacked()
    x, _ = data()
    y = model.classify(x).argmax(1)
    assert torch.equal(model.encode(x).mean, model.encode(x, y).mean)
    assert torch.equal(model.reconstruct(x), model.reconstruct(x, y))
    noise = noise_for(model)
    assert torch.equal(model.trace(x, None, noise).levels[0].z, model.trace(x, y, noise).levels[0].z)


@pytest.mark.parametrize("k", [1, 3])
def test_a_trace_is_that_of_both(k: int) -> None:
    model = stacked()
    x, y = data()
    noise = noise_for(model, k)
    trace = model.trace(x, y, noise, k)
    weights = trace.log_weights(x)
    assert weights.shape == (k, BATCH) and trace.estimated
    rate = trace.rate()
    assert rate is not None
    expected_rate = torch.zeros(BATCH, dtype=torch.float64)
    for sample in range(k):
        q1 = model.base.encode(x)
        z1 = q1.loc + (q1.logvar / 2).exp() * noise[1][sample]
        q2 = model.top.encode(z1, y)
        z2 = q2.loc + (q2.logvar / 2).exp() * noise[0][sample]
        log_q1 = Normal(q1.loc, (q1.logvar / 2).exp()).log_prob(z1).sum(1)
        log_q2 = Normal(q2.loc, (q2.logvar / 2).exp()).log_prob(z2).sum(1)
        log_p = model.base.decode(z1).log_prob(x) + Normal(0.0, 1.0).log_prob(z2).sum(1)
        middle = model.top.decode(z2, y).log_prob(z1)
        torch.testing.assert_close(weights[sample], log_p + middle - log_q1 - log_q2)
        kl = 0.5 * (q2.loc.square() + q2.logvar.exp() - 1 - q2.logvar).sum(1)
        expected_rate += (log_q1 - middle + kl) / k
    torch.testing.assert_close(rate, expected_rate)


def test_importance_weights_are_unbiased() -> None:
    """The mean of p / q is p(x given y), which quadrature over both latents gives; within 4 standard errors."""
    model = stacked(1, 1)
    x, y = (value[:1] for value in data())
    grid = torch.linspace(-9, 9, 901, dtype=torch.float64)
    with torch.no_grad():
        log_p1 = model.base.decode(grid[:, None]).log_prob(x.expand(len(grid), *EVENT))  # over z1
        middle = model.top.decode(grid[:, None], y.expand(len(grid)))  # over z2
        log_middle = torch.stack([middle.log_prob(z.expand(len(grid), 1)) for z in grid])  # (z1, z2)
        step = float(grid[1] - grid[0])
        log_joint = log_p1[:, None] + log_middle + Normal(0.0, 1.0).log_prob(grid)[None]
        exact = float((log_joint.flatten().logsumexp(0) + 2 * math.log(step)).exp())
        k = 20_000
        weights = model.trace(x, y, noise_for(model, k, 1), k).log_weights(x)[:, 0].exp()
    error = float(weights.std()) / math.sqrt(k)
    assert error < 0.03 * exact
    assert float(weights.mean()) == pytest.approx(exact, abs=4 * error)


def test_the_model_beneath_is_held_fixed() -> None:
    model = stacked().train()
    assert model.top.training and not model.base.training and not model.eval().top.training
    assert not any(parameter.requires_grad for parameter in model.base.parameters())
    assert all(parameter.requires_grad for parameter in model.top.parameters())


def test_models_that_do_not_fit_are_refused() -> None:
    model = stacked()
    with pytest.raises(ConfigError, match=r"takes \(3,\), and the one beneath gives \(4,\)"):
        StackedModel(base_with(4), model.top)
    with pytest.raises(ConfigError, match=r"must be a VAE without labels"):
        StackedModel(model.top, model.top)
    with pytest.raises(ConfigError, match=r"must be a VAE without labels"):
        StackedModel(base_with(3, DeterministicPosterior), model.top)
