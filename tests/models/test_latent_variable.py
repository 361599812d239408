"""The model: how its parts work together, against loops over the samples and against torch.distributions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Categorical as TorchCategorical
from torch.distributions import Independent, MixtureSameFamily, Normal, kl_divergence

from latentia.errors import ConfigError
from latentia.models.latent_variable import LatentVariableModel
from latentia.parts.conditioning import LabelConditioning, LabelJoin
from latentia.parts.likelihoods import Bernoulli, Gaussian
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import DeterministicPosterior, GaussianPosterior
from latentia.parts.priors import ConditionalNormalPrior, GaussianMixturePrior, StandardNormalPrior

EVENT, LATENT, BATCH, SAMPLES = (2, 3, 2), 4, 5, 3  # all different, so that no two axes can be exchanged unseen


def model_with(
    prior: str | None = "normal", posterior: str = "gaussian", likelihood: Any = None
) -> LatentVariableModel:
    torch.manual_seed(1)
    likelihood = likelihood or Bernoulli()
    kinds: dict[str, Any] = {"gaussian": GaussianPosterior, "deterministic": DeterministicPosterior}
    priors = {
        "normal": lambda: StandardNormalPrior((LATENT,)),
        "mixture": lambda: GaussianMixturePrior((LATENT,), 6),
        None: lambda: None,
    }
    model = LatentVariableModel(
        encoder=MLP(EVENT, [7]),
        posterior=kinds[posterior](7, (LATENT,)),
        prior=priors[prior](),
        decoder=MLP((LATENT,), [9], likelihood.parameter_shape(EVENT)),
        likelihood=likelihood,
        event_shape=EVENT,
        latent_shape=(LATENT,),
    )
    return model.double()


def data(batch: int = BATCH) -> Tensor:
    return torch.rand((batch, *EVENT), generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def noise_for(k: int, batch: int = BATCH) -> Tensor:
    return torch.randn((k, batch, LATENT), generator=torch.Generator().manual_seed(3), dtype=torch.float64)


# --- the trace --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, SAMPLES, BATCH])
@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(sigma="per-pixel")], ids=["bernoulli", "gaussian"])
@pytest.mark.parametrize("prior", ["normal", "mixture"])
def test_k_samples_equal_a_loop_over_single_samples(prior: str, likelihood: Any, k: int) -> None:
    model, x, noise = model_with(prior, likelihood=likelihood), data(), noise_for(k)
    trace = model.trace(x, noise=(noise,), k=k)
    assert trace.levels[0].z.shape == (k * BATCH, LATENT)
    assert trace.log_likelihood(x).shape == trace.log_weights(x).shape == (k, BATCH)
    for index in range(k):
        alone = model.trace(x, noise=(noise[index : index + 1],), k=1)
        rows = slice(index * BATCH, (index + 1) * BATCH)  # sample-major
        torch.testing.assert_close(trace.levels[0].z[rows], alone.levels[0].z)
        torch.testing.assert_close(trace.levels[0].log_q[rows], alone.levels[0].log_q)
        torch.testing.assert_close(trace.levels[0].log_p[rows], alone.levels[0].log_p)
        torch.testing.assert_close(trace.log_likelihood(x)[index], alone.log_likelihood(x)[0])
        torch.testing.assert_close(trace.log_weights(x)[index], alone.log_weights(x)[0])


@pytest.mark.parametrize("k", [1, SAMPLES])
def test_densities_and_kl_are_those_of_torch(k: int) -> None:
    model, x, noise = model_with(), data(), noise_for(k)
    trace = model.trace(x, noise=(noise,), k=k)
    level = trace.levels[0]
    h = model.encoder(x)
    loc, logvar = model.posterior.head(h).chunk(2, 1)
    q, p = Normal(loc, (0.5 * logvar).exp()), Normal(torch.zeros_like(loc), 1.0)
    z = loc + (0.5 * logvar).exp() * noise  # (K, B, latent)
    torch.testing.assert_close(level.z, z.reshape(-1, LATENT))
    torch.testing.assert_close(level.log_q, q.log_prob(z).sum(-1).reshape(-1))
    torch.testing.assert_close(level.log_p, p.log_prob(z).sum(-1).reshape(-1))
    torch.testing.assert_close(level.kl, kl_divergence(q, p))
    torch.testing.assert_close(trace.rate(), kl_divergence(q, p).sum(1))
    logits = torch.stack([model.decoder(z[i]) for i in range(k)])
    expected = Independent(TorchBernoulli(logits=logits, validate_args=False), 3).log_prob(x)
    torch.testing.assert_close(trace.log_likelihood(x), expected)
    torch.testing.assert_close(trace.distortion(x), -expected.mean(0))
    assert not trace.estimated and trace.has_prior


def test_the_mixture_prior_has_the_density_of_torch_and_an_estimated_rate() -> None:
    model, x, noise = model_with("mixture"), data(), noise_for(SAMPLES)
    trace = model.trace(x, noise=(noise,), k=SAMPLES)
    level = trace.levels[0]
    components = Independent(Normal(model.prior.loc, (0.5 * model.prior.logvar).exp()), 1)
    mixture = MixtureSameFamily(TorchCategorical(logits=model.prior.logits), components)
    torch.testing.assert_close(level.log_p, mixture.log_prob(level.z))
    assert level.kl is None and trace.estimated
    difference = (level.log_q - mixture.log_prob(level.z)).view(SAMPLES, BATCH)
    torch.testing.assert_close(trace.rate(), difference.mean(0))


def test_an_estimated_rate_averages_to_the_closed_form() -> None:
    """A mixture of one standard normal is the standard normal, whose KL is known."""
    model = model_with("mixture")
    model.prior = GaussianMixturePrior((LATENT,), 1).double()
    with torch.no_grad():
        model.prior.loc.zero_()
        model.prior.logvar.zero_()
    x, k = data(), 20_000
    trace = model.trace(x, noise=(noise_for(k),), k=k)
    level = trace.levels[0]
    draws = (level.log_q - level.log_p).view(k, BATCH)
    exact = kl_divergence(Normal(level.posterior.loc, level.posterior.scale), Normal(0.0, 1.0)).sum(1)
    error = draws.std(0) / math.sqrt(k)
    rate = trace.rate()
    assert rate is not None and ((rate - exact).abs() < 4 * error).all()


def test_the_draw_is_reparameterised() -> None:
    model, x, noise = model_with(), data(), noise_for(1)
    level = model.trace(x, noise=(noise,)).levels[0]
    level.posterior.loc.retain_grad()
    level.z.sum().backward()
    torch.testing.assert_close(level.posterior.loc.grad, torch.ones(BATCH, LATENT, dtype=torch.float64))
    gradient = model.posterior.head.weight.grad
    assert gradient is not None and (gradient != 0).any(1).all()  # the log-variance's rows too


@pytest.mark.parametrize("shape", [(SAMPLES, BATCH + 1, LATENT), (BATCH, LATENT), (1, BATCH, LATENT)])
def test_noise_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"needs one noise tensor of shape \(3, 5, 4\)"):
        model_with().trace(data(), noise=(torch.zeros(shape).double(),), k=SAMPLES)


def test_missing_noise_is_refused_instead_of_made_up() -> None:
    with pytest.raises(ConfigError, match="not nothing: use draw_noise"):
        model_with().trace(data())


def test_noise_is_determined_by_the_generator() -> None:
    model = model_with()
    first, second = (model.draw_noise(BATCH, SAMPLES, torch.Generator().manual_seed(4)) for _ in range(2))
    assert len(first) == 1 and first[0].shape == (SAMPLES, BATCH, LATENT)
    assert torch.equal(first[0], second[0])
    state = torch.get_rng_state()
    model.draw_noise(BATCH, 1, torch.Generator().manual_seed(4))
    assert torch.equal(state, torch.get_rng_state())


def test_a_model_in_double_precision_takes_noise_in_single_precision() -> None:
    model, x = model_with(), data()
    trace = model.trace(x, noise=model.draw_noise(BATCH, SAMPLES, torch.Generator().manual_seed(5)), k=SAMPLES)
    assert {t.dtype for t in (trace.levels[0].z, trace.log_weights(x), trace.rate())} == {torch.float64}  # type: ignore[union-attr]


# --- a conditional model ----------------------------------------------------------------------------------------------


def conditional_model(prior: str = "conditional") -> LatentVariableModel:
    torch.manual_seed(1)
    encoder, decoder = LabelJoin(EVENT, 6, maps=False), LabelJoin((LATENT,), 6, maps=False)
    model = LatentVariableModel(
        encoder=MLP(encoder.out_shape, [7]),
        posterior=GaussianPosterior(7, (LATENT,)),
        prior=ConditionalNormalPrior((LATENT,), 6) if prior == "conditional" else StandardNormalPrior((LATENT,)),
        decoder=MLP(decoder.out_shape, [9], EVENT),
        likelihood=Bernoulli(),
        event_shape=EVENT,
        latent_shape=(LATENT,),
        conditioning=LabelConditioning(6, encoder=encoder, decoder=decoder),
    )
    for name, parameter in model.prior.named_parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(len(name)))
    return model.double()


@pytest.mark.parametrize("prior", ["conditional", "normal"])
@pytest.mark.parametrize("k", [1, SAMPLES, BATCH])
def test_a_conditional_trace_is_that_of_each_class_by_itself(prior: str, k: int) -> None:
    """Against the networks called one sample at a time with a label written out, and torch.distributions."""
    model, x, noise, y = conditional_model(prior), data(), noise_for(k), torch.tensor([5, 0, 3, 3, 1])
    trace = model.trace(x, y, (noise,), k)
    level, rate = trace.levels[0], trace.rate()
    assert rate is not None
    for b in range(BATCH):
        label = torch.eye(6, dtype=torch.float64)[y[b]]
        h = model.encoder(torch.cat([x[b].flatten(), label])[None])
        loc, logvar = model.posterior.head(h).view(2, LATENT)
        q = Normal(loc, (logvar / 2).exp())
        p = Normal(torch.zeros(LATENT).double(), 1.0)
        if prior == "conditional":
            p = Normal(model.prior.loc[y[b]], (model.prior.logvar[y[b]] / 2).exp())
        torch.testing.assert_close(rate[b], kl_divergence(q, p).sum())
        for index in range(k):
            z = loc + (logvar / 2).exp() * noise[index, b]
            row = index * BATCH + b
            torch.testing.assert_close(level.z[row], z)
            torch.testing.assert_close(level.log_q[row], q.log_prob(z).sum())
            torch.testing.assert_close(level.log_p[row], p.log_prob(z).sum())
            logits = model.decoder(torch.cat([z, label])[None])[0]
            expected = TorchBernoulli(logits=logits, validate_args=False).log_prob(x[b]).sum()
            torch.testing.assert_close(trace.log_likelihood(x)[index, b], expected)


def test_a_conditional_model_refuses_missing_and_wrong_labels() -> None:
    model, x, z = conditional_model().eval(), data(), noise_for(1)[0]  # in training the range is not looked at
    for call in (
        lambda y: model.encode(x, y),
        lambda y: model.decode(z, y),
        lambda y: model.reconstruct(x, y),
        lambda y: model.sample(BATCH, y),
        lambda y: model.trace(x, y, (noise_for(1),)),
    ):
        with pytest.raises(ConfigError, match="the model is conditional: give y as well, 5 labels from 0 to 5"):
            call(None)
        with pytest.raises(ConfigError, match=r"labels must be whole numbers from 0 to 5.*6 occurs"):
            call(torch.tensor([0, 6, 1, 1, 1]))
        with pytest.raises(ConfigError, match="one label for each of 5 samples"):
            call(torch.tensor([0, 1]))


def test_samples_of_a_class_come_from_its_prior_and_decoder() -> None:
    model, y = conditional_model(), torch.tensor([4, 2, 2])
    sample = model.sample(3, y, generator=torch.Generator().manual_seed(6), temperature=0.5)
    noise = torch.randn(3, LATENT, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    z = model.prior.loc[y] + 0.5 * (model.prior.logvar[y] / 2).exp() * noise
    torch.testing.assert_close(sample, model.decode(z, y).mean)


# --- a plain autoencoder ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, SAMPLES])
def test_a_deterministic_posterior_needs_no_noise(k: int) -> None:
    model, x = model_with(None, "deterministic"), data()
    assert model.draw_noise(BATCH, k) == ()
    trace = model.trace(x, k=k)
    code = model.posterior.head(model.encoder(x))
    torch.testing.assert_close(trace.levels[0].z, code.repeat(k, 1))
    assert trace.log_likelihood(x).shape == (k, BATCH)
    assert (trace.levels[0].log_q == 0).all()
    torch.testing.assert_close(trace.distortion(x), -model.decode(code).log_prob(x))


@pytest.mark.parametrize("posterior", ["gaussian", "deterministic"])
def test_without_a_prior_there_is_no_rate_and_no_sample(posterior: str) -> None:
    model, x = model_with(None, posterior), data()
    assert not model.has_prior
    trace = model.trace(x, noise=model.draw_noise(BATCH))
    assert trace.rate() is None and not trace.has_prior and not trace.estimated
    with pytest.raises(AttributeError, match="without a prior"):
        _ = trace.levels[0].log_p
    with pytest.raises(AttributeError, match="without a prior"):
        trace.log_weights(x)
    with pytest.raises(ConfigError, match=r"no prior.*fit-prior.*such as vae"):
        model.sample(3)


# --- encode, decode, reconstruct, sample ------------------------------------------------------------------------------


def test_encode_and_decode_return_distributions_over_the_batch() -> None:
    model, x = model_with(), data()
    q = model.encode(x)
    assert q.batch_shape == (BATCH,) and q.event_shape == (LATENT,)
    p = model.decode(q.sample())
    assert p.batch_shape == (BATCH,) and p.event_shape == EVENT
    assert p.log_prob(x).shape == (BATCH,) and p.mean.shape == (BATCH, *EVENT)
    assert model.latent_dim == LATENT


def test_a_reconstruction_is_the_decoded_mean_and_the_same_on_every_call() -> None:
    model, x = model_with(), data()
    state = torch.get_rng_state()
    first, second = model.reconstruct(x), model.reconstruct(x)
    assert torch.equal(first, second) and torch.equal(state, torch.get_rng_state())
    loc = model.posterior.head(model.encoder(x))[:, :LATENT]
    torch.testing.assert_close(first, model.decoder(loc).sigmoid())


def test_samples_are_decoded_draws_from_the_prior() -> None:
    model = model_with()
    sample = model.sample(6, generator=torch.Generator().manual_seed(6), temperature=0.5)
    z = 0.5 * torch.randn(6, LATENT, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    torch.testing.assert_close(sample, model.decoder(z).sigmoid())


def test_temperature_0_decodes_the_mean_of_the_prior() -> None:
    model = model_with()
    sample = model.sample(6, temperature=0.0)
    torch.testing.assert_close(sample, model.decoder(torch.zeros(6, LATENT).double()).sigmoid())


def test_temperature_0_decodes_means_of_components_of_a_mixture() -> None:
    model = model_with("mixture")
    sample = model.sample(20, generator=torch.Generator().manual_seed(7), temperature=0.0)
    means = model.decoder(model.prior.loc).sigmoid()
    distance = (sample[:, None] - means[None]).abs().flatten(2).amax(2)  # (20, M)
    assert (distance.amin(1) < 1e-12).all() and len(set(distance.argmin(1).tolist())) > 1


@pytest.mark.parametrize("shape", [EVENT, (BATCH, 3, 2, 2), (BATCH, 12), (BATCH, 2, 3), (BATCH, 1, 2, 3, 2)])
def test_data_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    model = model_with()
    for use in (model.encode, model.reconstruct, model.trace):
        with pytest.raises(ConfigError, match=r"built for x of shape \(B, 2, 3, 2\)"):
            use(torch.zeros(shape).double())


@pytest.mark.parametrize("shape", [(LATENT,), (BATCH, LATENT + 1), (2, BATCH, LATENT), (BATCH, LATENT, 1)])
def test_latents_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"latents have shape \(B, 4\)"):
        model_with().decode(torch.zeros(shape).double())


@pytest.mark.parametrize("x", [data().numpy(), [[1.0]]], ids=["numpy", "list"])
def test_what_is_no_tensor_is_refused(x: Any) -> None:
    model = model_with()
    way = r"from_numpy\(x\)\.float\(\)" if hasattr(x, "dtype") else r"as_tensor\(x\)\.float\(\)"
    for use in (model.encode, model.reconstruct, model.trace):
        with pytest.raises(ConfigError, match=rf"x must be a tensor, not a {type(x).__name__}: give torch\.{way}"):
            use(x)
    with pytest.raises(ConfigError, match=r"z must be a tensor.*\(z\)\.float"):
        model.decode(x)


def test_a_negative_number_of_samples_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be negative, as -1 is"):
        model_with().sample(-1)


@pytest.mark.parametrize("k", [1, SAMPLES])
@pytest.mark.parametrize("prior", ["normal", "mixture"])
def test_inputs_are_not_mutated(prior: str, k: int) -> None:
    model, x, noise = model_with(prior), data(), noise_for(k)
    x_before, noise_before, z = x.clone(), noise.clone(), noise[0].clone()
    trace = model.trace(x, noise=(noise,), k=k)
    for use in (trace.log_weights, trace.distortion, model.reconstruct, model.encode):
        use(x)
    model.decode(z)
    assert torch.equal(x, x_before) and torch.equal(noise, noise_before) and torch.equal(z, noise[0])
    assert not x.requires_grad


def test_a_latent_may_have_any_shape() -> None:
    model = LatentVariableModel(
        encoder=MLP(EVENT, [7]),
        posterior=GaussianPosterior(7, (2, 3, 1)),
        prior=StandardNormalPrior((2, 3, 1)),
        decoder=MLP((2, 3, 1), [9], EVENT),
        likelihood=Bernoulli(),
        event_shape=EVENT,
        latent_shape=(2, 3, 1),
    ).double()
    x = data()
    trace = model.trace(x, noise=model.draw_noise(BATCH, SAMPLES), k=SAMPLES)
    assert model.latent_dim == 6 and trace.levels[0].z.shape == (SAMPLES * BATCH, 2, 3, 1)
    rate = trace.rate()
    assert rate is not None and rate.shape == (BATCH,) and trace.log_weights(x).shape == (SAMPLES, BATCH)
    assert model.sample(4).shape == (4, *EVENT)


def test_any_module_of_fitting_shape_can_be_a_network() -> None:
    model = LatentVariableModel(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(12, 3), nn.Tanh()),
        posterior=GaussianPosterior(3, (2,)),
        prior=StandardNormalPrior((2,)),
        decoder=nn.Sequential(nn.Linear(2, 12), nn.Unflatten(1, EVENT)),
        likelihood=Bernoulli(),
        event_shape=list(EVENT),
        latent_shape=[2],
    )
    assert model.reconstruct(data().float()).shape == (BATCH, *EVENT)
