"""The bounds of M2 and of M1+M2, against enumeration, torch.distributions and quadrature, in float64."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from latentia.errors import ConfigError
from latentia.maths.schedules import Linear
from latentia.models.latent_variable import LatentVariableModel
from latentia.models.stacked import StackedModel
from latentia.objectives.semi_supervised import SemiSupervised
from latentia.parts.classifiers import LabelPosterior
from latentia.parts.conditioning import LabelConditioning, LabelJoin
from latentia.parts.likelihoods import Bernoulli as BernoulliLikelihood
from latentia.parts.likelihoods import Gaussian
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import GaussianPosterior
from latentia.parts.priors import StandardNormalPrior

EVENT, CLASSES, BATCH = (1, 2, 3), 4, 7
LN_C = math.log(CLASSES)
WHOLE = {"unlabelled": 1.0}


def m2(latent: int = 2, event: tuple[int, ...] = EVENT, likelihood: Any = None) -> LatentVariableModel:
    torch.manual_seed(1)
    likelihood = likelihood or BernoulliLikelihood()
    join_x, join_z = LabelJoin(event, CLASSES, maps=False), LabelJoin((latent,), CLASSES, maps=False)
    model = LatentVariableModel(
        encoder=MLP(join_x.out_shape, [5], activation="tanh"),
        posterior=GaussianPosterior(5, (latent,)),
        prior=StandardNormalPrior((latent,)),
        decoder=MLP(join_z.out_shape, [6], likelihood.parameter_shape(event), activation="tanh"),
        likelihood=likelihood,
        event_shape=event,
        latent_shape=(latent,),
        conditioning=LabelConditioning(CLASSES, encoder=join_x, decoder=join_z),
        label_posterior=LabelPosterior(MLP(event, [5], activation="tanh"), 5, CLASSES),
    ).double()
    for parameter in model.parameters():  # far from what a fresh network gives
        parameter.data += 0.6 * torch.randn_like(parameter)
    return model


def m1(latent: int = 3) -> LatentVariableModel:
    torch.manual_seed(2)
    return LatentVariableModel(
        encoder=MLP(EVENT, [5], activation="tanh"),
        posterior=GaussianPosterior(5, (latent,)),
        prior=StandardNormalPrior((latent,)),
        decoder=MLP((latent,), [6], EVENT, activation="tanh"),
        likelihood=BernoulliLikelihood(),
        event_shape=EVENT,
        latent_shape=(latent,),
    ).double()


def data(n: int = BATCH) -> Tensor:
    return (torch.rand((n, *EVENT), generator=torch.Generator().manual_seed(3), dtype=torch.float64) > 0.5).double()


def noise_for(model: Any, n: int = BATCH) -> tuple[Tensor, ...]:
    return tuple(eps.double() for eps in model.draw_noise(n, 1, torch.Generator().manual_seed(4)))


def one_hot(y: int) -> Tensor:
    return torch.eye(CLASSES, dtype=torch.float64)[y]


def parts_of(model: Any, x: Tensor, y: int) -> Normal:
    """q(z given x, y) of one sample, by hand."""
    features = model.encoder.layers(torch.cat([x.flatten(), one_hot(y)])[None])
    loc, logvar = (model.posterior.head(features)).view(2, -1)
    return Normal(loc, (logvar / 2).exp())


def costs(model: Any, x: Tensor, y: int, eps: Tensor) -> tuple[Tensor, Tensor]:
    """-ln p(x given y, z) and KL of one sample, a scalar each."""
    q = parts_of(model, x, y)
    z = q.loc + q.scale * eps
    logits = model.decoder.layers(torch.cat([z, one_hot(y)])[None])
    log_p = Independent(Bernoulli(logits=logits.view(-1)), 1).log_prob(x.flatten())
    return -log_p, kl_divergence(q, Normal(torch.zeros_like(z), torch.ones_like(z))).sum()


def log_q_of(model: LatentVariableModel, x: Tensor) -> Tensor:
    posterior: Any = model.label_posterior
    return torch.log_softmax(posterior.head(posterior.network.layers(x.flatten()[None])), 1)[0]


def test_bounds_are_those_of_each_sample_by_enumeration() -> None:
    model, x = m2(), data()
    noise = noise_for(model)
    y = torch.tensor([-1, 2, -1, -1, 0, -1, 3])
    terms = SemiSupervised(0.3, labelled_share=0.2)(model, x, y, noise, WHOLE)
    labelled, unlabelled, classification, entropies = [], [], [], []
    eps = noise[0][0]
    for i in range(BATCH):
        log_q = log_q_of(model, x[i])
        if y[i] >= 0:
            labelled.append(torch.stack(costs(model, x[i], int(y[i]), eps[i])).sum() + LN_C)
            classification.append(-log_q[y[i]])
        else:
            bounds = torch.stack([torch.stack(costs(model, x[i], c, eps[i])).sum() + LN_C for c in range(CLASSES)])
            unlabelled.append((log_q.exp() * (bounds + log_q)).sum())
            entropies.append(-(log_q.exp() * log_q).sum())
    bound = 0.2 * torch.stack(labelled).mean() + 0.8 * torch.stack(unlabelled).mean()
    expected = bound + 0.3 * torch.stack(classification).mean()
    torch.testing.assert_close(terms.total(), expected)
    reported = {name: value.mean() for name, value in terms.reported().items()}
    torch.testing.assert_close(reported["distortion"] + reported["rate"], bound)
    torch.testing.assert_close(reported["classification"], torch.stack(classification).mean())
    torch.testing.assert_close(reported["label_entropy"], torch.stack(entropies).mean())
    assert not terms.estimated


def test_samples_without_labels_can_count_less() -> None:
    model, x = m2(), data()
    noise, y = noise_for(model), torch.tensor([-1, 2, -1, -1, 0, -1, 3])
    linear = Linear(start=0.0, end=1.0, until=0.5)
    objective = SemiSupervised(0.3, unlabelled=linear, labelled_share=0.2)
    assert [objective.coefficients_at(t)["unlabelled"] for t in (0.0, 0.25, 0.5, 1.0)] == [0.0, 0.5, 1.0, 1.0]
    assert objective.settled_at() == 0.5
    none, half, whole = (objective(model, x, y, noise, {"unlabelled": w}) for w in (0.0, 0.5, 1.0))
    known = y >= 0
    torch.testing.assert_close(half.loss, torch.where(known, whole.loss, 0.5 * whole.loss))
    assert torch.equal(none.loss, torch.where(known, whole.loss, 0.0))
    assert half.rate is not None and whole.rate is not None
    assert torch.equal(half.distortion + half.rate, whole.distortion + whole.rate)  # what is reported stays


def test_without_a_share_each_sample_counts_the_same() -> None:
    model, x = m2(), data()
    noise, y = noise_for(model), torch.tensor([-1, 2, -1, -1, 0, -1, 3])
    terms = SemiSupervised(0.0)(model, x, y, noise, WHOLE)
    alone = [
        SemiSupervised(0.0)(model, x[i : i + 1], y[i : i + 1], [eps[:, i : i + 1] for eps in noise], WHOLE).loss
        for i in range(BATCH)
    ]
    torch.testing.assert_close(terms.loss, torch.cat(alone))


@pytest.mark.parametrize("y", [None, torch.full((BATCH,), -1)])
def test_a_batch_may_have_no_labels_or_nothing_but_labels(y: Tensor | None) -> None:
    model, x = m2(), data()
    noise, objective = noise_for(model), SemiSupervised(0.5, labelled_share=0.01)
    none = objective(model, x, y, noise, WHOLE)
    assert set(none.reported()) == {"distortion", "rate", "label_entropy"}
    torch.testing.assert_close(none.loss, SemiSupervised(0.5)(model, x, None, noise, WHOLE).loss)
    labels = torch.arange(BATCH) % CLASSES
    every = objective(model, x, labels, noise, WHOLE)
    wrong = -model.classify(x).gather(1, labels[:, None])[:, 0]
    trace = model.trace(x, labels, noise)
    rate = trace.rate()
    assert rate is not None and set(every.reported()) == {"distortion", "rate", "classification"}
    torch.testing.assert_close(every.loss, trace.distortion(x) + rate + LN_C + 0.5 * wrong)


def test_the_gap_of_the_unlabelled_bound_is_the_divergence_of_the_posterior_over_class_and_latent() -> None:
    """U(x) = ln p(x) - KL(q(y, z given x) to p(y, z given x)); z on a grid, within 4 standard errors."""
    model, x = m2(latent=1), data(1)
    z = torch.linspace(-12, 12, 4801, dtype=torch.float64)
    step, draws = float(z[1] - z[0]), 4000
    log_joint, log_posterior = [], []
    model.requires_grad_(False)
    log_q = log_q_of(model, x[0])
    for c in range(CLASSES):
        likelihood = model.decode(z[:, None], torch.full((len(z),), c)).log_prob(x.expand(len(z), *EVENT))
        log_joint.append(likelihood + Normal(0.0, 1.0).log_prob(z) - LN_C)
        log_posterior.append(log_q[c] + parts_of(model, x[0], c).log_prob(z))
    joint, posterior = torch.stack(log_joint), torch.stack(log_posterior)
    evidence = joint.flatten().logsumexp(0) + math.log(step)
    gap = (posterior.exp() * (posterior - (joint - evidence))).sum() * step
    repeated = x.expand(draws, *EVENT)
    loss = SemiSupervised()(model, repeated, None, noise_for(model, draws), WHOLE).loss
    error = float(loss.std()) / math.sqrt(draws)
    assert gap > 0.05 and error < 0.05
    assert float(loss.mean()) == pytest.approx(float(gap - evidence), abs=4 * error)


def test_a_stacked_model_is_bounded_as_a_whole() -> None:
    base = m1()
    model = StackedModel(base, m2(event=(3,), likelihood=Gaussian(sigma="per-pixel")))
    x, y = data(), torch.tensor([-1, 2, -1, -1, 0, -1, 3])
    noise = noise_for(model)
    terms = SemiSupervised(0.3, labelled_share=0.2)(model, x, y, noise, WHOLE)
    q = base.encode(x)
    z1 = q.from_noise(noise[1][0])
    below = -base.decode(z1).log_prob(x) + q.log_prob(z1)  # what M1 adds
    above = SemiSupervised(0.3, labelled_share=0.2)(model.top, z1.detach(), y, noise[:1], WHOLE)
    weights = torch.where(y >= 0, 0.2 * BATCH / 3, 0.8 * BATCH / 4)
    torch.testing.assert_close(terms.loss, above.loss + weights * below)
    torch.testing.assert_close(terms.distortion, -weights * base.decode(z1).log_prob(x))
    assert terms.estimated
    terms.total().backward()
    assert all(parameter.grad is None for parameter in base.parameters())
    assert all(parameter.grad is not None for parameter in model.top.parameters())


def test_a_model_without_a_classifier_is_refused() -> None:
    model = m1()
    with pytest.raises(ConfigError, match=r"needs a classifier: use --set model.classifier.name=mlp"):
        SemiSupervised()(model, data(), None, noise_for(model), WHOLE)
