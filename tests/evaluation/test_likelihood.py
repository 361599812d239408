"""The figures of an evaluation: against a model whose evidence is known, against loops, and the same on every call."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Independent, Normal

from latentia.data.dataset import Dataset, DataSpec, Split
from latentia.data.preparation import Preparation
from latentia.data.seeds import generator
from latentia.data.settings import DataSettings
from latentia.data.sources import load
from latentia.errors import ConfigError, DataError
from latentia.evaluation import likelihood as module
from latentia.evaluation.likelihood import Evaluation, evaluate
from latentia.maths.functional import importance_weighted_bound
from latentia.models.latent_variable import LatentVariableModel
from latentia.parts.likelihoods import Bernoulli, ContinuousBernoulli, DiscretizedLogistic, Gaussian, Laplace
from latentia.parts.networks.convolutional import ConvDecoder, ConvEncoder
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import DeterministicPosterior, GaussianPosterior
from latentia.parts.priors import GaussianMixturePrior, StandardNormalPrior

EVENT, LATENT = (1, 2, 4), 3


def vae(
    likelihood: Any = None, event: Sequence[int] = EVENT, latent: int = LATENT, prior: Any = "normal"
) -> LatentVariableModel:
    torch.manual_seed(1)
    likelihood = likelihood or Bernoulli()
    priors = {"normal": StandardNormalPrior((latent,)), "mixture": GaussianMixturePrior((latent,), 4), None: None}
    posterior = DeterministicPosterior if prior is None else GaussianPosterior
    model = LatentVariableModel(
        encoder=MLP(event, [9], dropout=0.3),
        posterior=posterior(9, (latent,)),
        prior=priors[prior],
        decoder=MLP((latent,), [9], likelihood.parameter_shape(event)),
        likelihood=likelihood,
        event_shape=event,
        latent_shape=(latent,),
    )
    with torch.no_grad():
        for parameter in model.posterior.parameters():
            parameter.mul_(4)
    return model


def images(n: int, event: Sequence[int] = EVENT) -> Dataset:
    stored = torch.randint(0, 256, (n, *event), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)
    y = torch.arange(n) % 3
    spec = DataSpec(tuple(event), levels=256, classes=("a", "b", "c"))
    return Dataset("made", spec, Preparation(levels=256), {"test": Split(stored, y)}, "fingerprint")


def reals(x: np.ndarray) -> Dataset:
    spec = DataSpec(x.shape[1:], low=float(x.min()), high=float(x.max()))
    preparation = Preparation(within_unit=False)
    return Dataset("made", spec, preparation, {"test": Split(torch.from_numpy(x.astype(np.float32)))}, "fingerprint")


class Spy:
    """Records the data and the noise that a model is shown, in the order of the data."""

    def __init__(self, model: LatentVariableModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.x: list[Tensor] = []
        self.noise: list[Tensor] = []
        trace = model.trace

        def spied(x: Tensor, y: Any, noise: Sequence[Tensor], k: int) -> Any:
            self.x.append(x)
            self.noise.append(noise[0])
            return trace(x, y, noise, k)

        monkeypatch.setattr(model, "trace", spied)


# --- a model whose evidence is known ----------------------------------------------------------------------------------


class Known:
    """Probabilistic PCA as a VAE: Tipping & Bishop 1999, https://doi.org/10.1111/1467-9868.00196, equations 6 to 8.

    With W the principal axes, scaled, W^T W + sigma^2 I is diagonal, and so is the exact posterior.
    """

    D, Q, N = 6, 2, 300

    def __init__(self, wrong: bool = False) -> None:
        rng = np.random.default_rng(0)
        mixing = rng.normal(size=(self.Q, self.D))
        self.x = rng.normal(size=(self.N, self.Q)) @ mixing + 0.5 * rng.normal(size=(self.N, self.D)) + 3.0
        pca = PCA(self.Q).fit(self.x)
        self.evidence = pca.score_samples(self.x)  # ln N(x; mean, W W^T + sigma^2 I), one for each x
        assert pca.score(self.x) == pytest.approx(self.evidence.mean(), abs=1e-12)
        axes: Any = pca.components_  # (Q, D)
        variance, noise = pca.explained_variance_, float(pca.noise_variance_)
        w = axes.T * np.sqrt(variance - noise)  # (D, Q)
        decode = nn.Linear(self.Q, self.D)
        posterior = GaussianPosterior(self.D, (self.Q,))
        self.model = LatentVariableModel(
            encoder=MLP((self.D,), []),
            posterior=posterior,
            prior=StandardNormalPrior((self.Q,)),
            decoder=decode,
            likelihood=Gaussian(scale=math.sqrt(noise)),
            event_shape=(self.D,),
            latent_shape=(self.Q,),
        ).double()
        to_loc = w.T / variance[:, None]  # M^-1 W^T with M = W^T W + sigma^2 I = diag(variance)
        logvar = np.log(noise / variance)
        shift, widen = (0.3, 0.7) if wrong else (0.0, 0.0)
        with torch.no_grad():
            self.model.likelihood.spread.value.fill_(math.log(noise))  # type: ignore[union-attr]
            decode.weight.copy_(torch.from_numpy(w))
            decode.bias.copy_(torch.from_numpy(pca.mean_))
            posterior.head.weight.copy_(torch.from_numpy(np.concatenate([to_loc, np.zeros_like(to_loc)])))
            bias = np.concatenate([-to_loc @ pca.mean_ + shift, logvar + widen])
            posterior.head.bias.copy_(torch.from_numpy(bias))
        self.tensor = torch.from_numpy(self.x)

    def weights(self, k: int, seed: int = 0) -> Tensor:
        noise = self.model.draw_noise(self.N, k, torch.Generator().manual_seed(seed))
        return self.model.trace(self.tensor, noise=noise, k=k).log_weights(self.tensor).detach()


@pytest.mark.parametrize("k", [1, 7])
def test_under_the_exact_posterior_every_importance_weight_is_the_evidence(k: int) -> None:
    known = Known()
    weights = known.weights(k)
    expected = torch.from_numpy(known.evidence)
    torch.testing.assert_close(weights, expected.expand(k, -1), rtol=0, atol=1e-9)
    torch.testing.assert_close(importance_weighted_bound(weights), expected, rtol=0, atol=1e-9)


def test_under_the_exact_posterior_the_elbo_is_the_evidence() -> None:
    """The distortion is quadratic in z, so the points +-sqrt(Q) e_i give its expectation without any error."""
    known = Known()
    corners = math.sqrt(known.Q) * torch.cat([torch.eye(known.Q), -torch.eye(known.Q)]).double()  # (2 Q, Q)
    noise = corners[:, None].expand(-1, known.N, -1)
    trace = known.model.trace(known.tensor, noise=(noise,), k=2 * known.Q)
    rate = trace.rate()
    assert rate is not None
    elbo = -(trace.distortion(known.tensor) + rate)
    torch.testing.assert_close(elbo.detach(), torch.from_numpy(known.evidence), rtol=0, atol=1e-9)


def test_under_a_wrong_posterior_the_elbo_is_lower_by_its_divergence_from_the_exact_one() -> None:
    known, exact = Known(wrong=True), Known()
    corners = math.sqrt(known.Q) * torch.cat([torch.eye(known.Q), -torch.eye(known.Q)]).double()
    noise = corners[:, None].expand(-1, known.N, -1)
    trace = known.model.trace(known.tensor, noise=(noise,), k=2 * known.Q)
    q, best = trace.levels[0].posterior, exact.model.encode(known.tensor)
    gap = torch.distributions.kl_divergence(Normal(q.loc, q.scale), Normal(best.loc, best.scale)).sum(1)
    rate = trace.rate()
    assert rate is not None
    elbo = -(trace.distortion(known.tensor) + rate)
    torch.testing.assert_close(elbo.detach() + gap.detach(), torch.from_numpy(known.evidence), rtol=0, atol=1e-9)


def test_the_importance_weighted_nll_falls_to_the_negative_evidence_as_k_grows() -> None:
    known = Known(wrong=True)
    evidence = torch.from_numpy(known.evidence)
    weights = known.weights(4000)  # fresh samples for every K
    parts = {1: weights[:1], 10: weights[1:11], 100: weights[11:111], 1000: weights[111:1111]}
    gaps = {k: evidence - importance_weighted_bound(part) for k, part in parts.items()}  # (N,), >= 0 on average
    means = {k: gap.mean().item() for k, gap in gaps.items()}
    errors = {k: gap.std().item() / math.sqrt(known.N) for k, gap in gaps.items()}
    assert all(means[k] > -3 * errors[k] for k in parts)
    for few, many in [(1, 10), (10, 100), (100, 1000)]:
        assert means[few] - means[many] > -3 * math.hypot(errors[few], errors[many])
    assert means[1] > 0.5 and abs(means[1000]) < 0.01 and means[10] < means[1] / 2


def test_evaluate_finds_the_evidence_in_single_precision() -> None:
    exact, wrong = Known(), Known(wrong=True)
    data = reals(exact.x)
    evidence = exact.evidence.mean()
    found = evaluate(exact.model.float(), data, importance_samples=1)
    assert found.nll == pytest.approx(-evidence, abs=1e-4)
    assert found.nll_standard_error == pytest.approx(exact.evidence.std(ddof=1) / math.sqrt(exact.N), rel=1e-3)
    assert found.bits_per_dim == pytest.approx(-evidence / (math.log(2) * exact.D), abs=1e-4)
    nlls = [evaluate(wrong.model.float(), data, importance_samples=k).nll for k in (1, 10, 100, 1000)]
    assert all(nll is not None and nll > -evidence - 0.02 for nll in nlls)
    assert nlls == sorted(nlls, reverse=True)  # type: ignore[type-var]
    assert nlls[-1] == pytest.approx(-evidence, abs=0.02)


# --- every figure against a loop --------------------------------------------------------------------------------------


def expected_noise(model: LatentVariableModel, n: int, k: int, seed: int = 0) -> Tensor:
    """The noise that the protocol prescribes: blocks of 256 images, pieces of 10 samples. (K, N, latent)."""
    rows = []
    for block in range(-(-n // 256)):
        pieces = [
            model.draw_noise(256, 10, generator("cpu", seed, "evaluation", "noise", block, piece))[0]
            for piece in range(-(-k // 10))
        ]
        rows.append(torch.cat(pieces)[:k])
    return torch.cat(rows, 1)[:, :n]


@pytest.mark.parametrize(("n", "k"), [(6, 6), (13, 13), (12, 25), (257, 3)])  # as many images as samples, too
def test_figures_are_those_of_loops_over_images_and_samples(n: int, k: int) -> None:
    model, data = vae().eval(), images(n)
    found = evaluate(model, data, importance_samples=k, beta=4.0)
    x = data.splits["test"].loaded().float() / 255
    with torch.no_grad():
        loc, logvar = model.posterior.head(model.encoder(x)).double().chunk(2, 1)
        q, p = Normal(loc, (logvar / 2).exp()), Normal(torch.zeros_like(loc), 1.0)
        log_w, first = torch.zeros(k, n).double(), torch.zeros(n).double()
        for index, eps in enumerate(expected_noise(model, n, k).double()):
            z = loc + (logvar / 2).exp() * eps
            decoded = TorchBernoulli(logits=model.decoder(z.float()).double(), validate_args=False)
            log_x = Independent(decoded, 3).log_prob(x.double())
            log_w[index] = log_x + p.log_prob(z).sum(1) - q.log_prob(z).sum(1)
            if index == 0:
                first = -log_x
        kl = torch.distributions.kl_divergence(q, p)
        error = (model.decoder(loc.float()).sigmoid() - x).numpy()
    nll = [-math.log(sum(math.exp(w) for w in column) / k) for column in log_w.T.tolist()]
    assert found.n == n and found.importance_samples == k
    assert found.distortion == pytest.approx(first.mean().item(), rel=1e-5)
    assert found.rate == pytest.approx(kl.sum(1).mean().item(), rel=1e-5)
    assert found.elbo == pytest.approx(-(found.distortion + found.rate), rel=1e-9)  # type: ignore[operator]
    assert found.rate_per_dimension == pytest.approx(kl.mean(0).tolist(), rel=1e-5)
    assert found.nll == pytest.approx(np.mean(nll), rel=1e-5)
    assert found.nll_standard_error == pytest.approx(np.std(nll, ddof=1) / math.sqrt(n), rel=1e-3)
    assert found.bits_per_dim == pytest.approx(np.mean(nll) / (math.log(2) * 8), rel=1e-5)
    assert found.mse == pytest.approx(np.mean(error**2), rel=1e-5)
    assert found.psnr == pytest.approx(-10 * np.log10(np.mean(error**2)), rel=1e-5)
    assert found.active_units == int((loc.numpy().var(0) > 0.01).sum())
    assert found.latent_dim == LATENT and found.beta_effective == 4.0 and found.split == "test"


def test_units_are_active_if_the_variance_of_their_mean_exceeds_a_hundredth() -> None:
    x = np.random.default_rng(0).normal(size=(300, 4))
    x = (x - x.mean(0)) / x.std(0)
    model = vae(Gaussian(), (4,), 4)
    model.encoder = nn.Identity()
    model.posterior = GaussianPosterior(4, (4,))
    with torch.no_grad():
        model.posterior.head.weight.zero_()
        model.posterior.head.bias.copy_(torch.tensor([0.0, 50.0, 50.0, 0.0, 0.0, 0.0, 0.0, 3.0]))
        for unit, deviation in enumerate([1.0, 0.099, 0.101, 0.0]):
            model.posterior.head.weight[unit, unit] = deviation
    assert evaluate(model, reals(x)).active_units == 2


def test_all_figures_are_json_without_nan() -> None:
    found = evaluate(vae(), images(20), importance_samples=2, beta=1.0)
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(written) >= {
        *("split", "n", "elbo", "distortion", "rate", "nll", "importance_samples", "nll_standard_error"),
        *("bits_per_dim", "active_units", "latent_dim", "mse", "psnr", "beta_effective", "protocol"),
    }


def test_psnr_exists_only_for_data_between_0_and_1_and_errors_above_0() -> None:
    x = np.random.default_rng(0).normal(size=(10, 4))
    assert evaluate(vae(Gaussian(), (4,)), reals(x)).psnr is None
    assert evaluate(vae(Gaussian(), (4,)), reals(x - x.min() + 0.1)).psnr is None
    perfect = vae(Gaussian(), (4,))
    with torch.no_grad():
        for parameter in perfect.decoder.parameters():
            parameter.zero_()
    found = evaluate(perfect, reals(np.zeros((10, 4))))
    assert found.mse == 0 and found.psnr is None


# --- what does not exist ----------------------------------------------------------------------------------------------


def test_an_autoencoder_has_neither_a_rate_nor_what_needs_one() -> None:
    found = evaluate(vae(Gaussian(), prior=None), images(20), importance_samples=5, beta=1.0)
    nothing = ["elbo", "rate", "nll", "importance_samples", "nll_standard_error", "bits_per_dim", "beta_effective"]
    assert all(getattr(found, name) is None for name in [*nothing, "rate_per_dimension"])
    assert found.protocol["rate"] is None
    assert found.distortion > 0 and found.mse > 0 and found.psnr is not None and found.latent_dim == LATENT


def test_without_importance_samples_there_is_no_nll() -> None:
    found = evaluate(vae(), images(20))
    assert found.nll is found.importance_samples is found.nll_standard_error is found.bits_per_dim is None
    assert found.elbo is not None and found.beta_effective is None  # nobody said with which beta it was trained


def test_a_single_image_has_no_standard_error() -> None:
    found = evaluate(vae(), images(1), importance_samples=5)
    assert found.n == 1 and found.nll is not None and found.nll_standard_error is None and found.active_units == 0


def test_the_rate_to_a_mixture_is_an_estimate_and_says_so() -> None:
    model, data = vae(prior="mixture"), images(300)
    found = evaluate(model, data, importance_samples=1)
    assert found.rate_per_dimension is None and found.protocol["rate"] == "estimated from one draw"
    assert found.elbo == pytest.approx(-found.nll, rel=1e-5)  # type: ignore[operator]  # one draw, the same noise
    assert evaluate(vae(), data).protocol["rate"] == "closed form"


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(ConfigError, match="must not be negative"):
        evaluate(vae(), images(3), importance_samples=-1)
    with pytest.raises(DataError, match="no 'valid' part"):
        evaluate(vae(), images(3), "valid")


# --- the protocol -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("likelihood", "expected"),
    [
        (Bernoulli(), 4.0),
        (ContinuousBernoulli(), 4.0),
        (Gaussian(), 4.0),
        (Gaussian(scale=0.1), 0.04),  # beta sigma^2
        (Gaussian(scale=math.sqrt(0.5)), 2.0),  # squared error summed + w KL is w / 2
        (Laplace(scale=0.5), 2.0),
        (Gaussian(sigma="learned"), None),
        (Gaussian(sigma="per-pixel"), None),
        (DiscretizedLogistic(), None),
    ],
)
def test_beta_effective_is_that_of_unit_scale(likelihood: Any, expected: float | None) -> None:
    found = evaluate(vae(likelihood), images(5), beta=4.0)
    assert found.beta_effective == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("settings", "likelihood", "kind", "normalised"),
    [
        ({}, Bernoulli(), "cross-entropy", False),
        ({"binarize": "threshold"}, Bernoulli(), "mass", True),
        ({"binarize": "dynamic"}, Bernoulli(), "mass", True),
        ({"binarize": "static"}, Bernoulli(), "mass", True),
        ({}, ContinuousBernoulli(), "density", True),
        ({}, DiscretizedLogistic(), "mass", True),
        ({"dequantize": True}, Gaussian(), "density", True),
    ],
)
def test_the_protocol_says_whether_the_likelihood_is_normalised(
    settings: dict[str, Any], likelihood: Any, kind: str, normalised: bool
) -> None:
    data = load(DataSettings(**settings))
    protocol = evaluate(vae(likelihood, (1, 8, 8)), data, seed=3).protocol
    assert protocol["likelihood_normalised"] is normalised and protocol["likelihood_kind"] == kind
    assert protocol["likelihood"] == type(likelihood).__name__ and protocol["seed"] == 3
    assert protocol["binarize"] == settings.get("binarize", "none")
    assert protocol["dequantize"] is settings.get("dequantize", False)
    assert ("no normalised likelihood" in protocol["likelihood_in_words"]) is not normalised


def test_the_protocol_warns_of_a_density_on_levels() -> None:
    words = evaluate(vae(Gaussian()), images(5)).protocol["likelihood_in_words"]
    assert "discrete values" in words and "dequantise" in words


# --- the same on every call -------------------------------------------------------------------------------------------


def close(first: Evaluation, second: Evaluation, rel: float = 1e-5) -> None:
    one, two = first.to_json(), second.to_json()
    assert one.keys() == two.keys()
    for name, value in one.items():
        numeric = isinstance(value, (float, list))
        assert two[name] == (pytest.approx(value, rel=rel) if numeric else value), name


@pytest.mark.parametrize("prior", ["normal", "mixture", None])
def test_every_call_gives_the_same_numbers(prior: str | None) -> None:
    model, data = vae(prior=prior).train(), images(300)  # with dropout, which must not act
    first = evaluate(model, data, importance_samples=12)
    torch.randn(7)
    assert evaluate(model, data, importance_samples=12) == first


def test_another_seed_gives_other_noise_and_the_global_generator_is_left_alone() -> None:
    model, data = vae(), images(50)
    state = torch.get_rng_state()
    assert evaluate(model, data, seed=0).distortion != evaluate(model, data, seed=1).distortion
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("binarize", ["none", "dynamic"])
@pytest.mark.parametrize("elements", [1, 50, 1000, 2**30])
def test_numbers_do_not_depend_on_how_much_is_decoded_at_once(
    elements: int, binarize: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = vae(), images(40)
    data = Dataset(data.name, data.spec, Preparation(levels=256, binarize=binarize), data.splits, "fingerprint")
    expected = evaluate(model, data, importance_samples=12)
    monkeypatch.setattr(module, "ELEMENTS", elements)
    spy = Spy(model, monkeypatch)
    close(evaluate(model, data, importance_samples=12), expected)
    assert max(len(x) * len(noise) * 8 for x, noise in zip(spy.x, spy.noise, strict=True)) <= max(elements, 10 * 8)


@pytest.mark.parametrize("binarize", ["none", "dynamic"])
def test_the_noise_of_an_image_does_not_depend_on_those_that_follow(
    binarize: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {}
    for n in (3, 258, 300):
        data, model = images(300), vae()
        data = Dataset(
            data.name,
            data.spec,
            Preparation(levels=256, binarize=binarize),
            {"test": Split(data.splits["test"].x[:n])},
            "fingerprint",
        )
        spy = Spy(model, monkeypatch)
        evaluate(model, data)
        shown[n] = torch.cat(spy.x), torch.cat(spy.noise, 1)
    for few, many in [(3, 258), (258, 300)]:
        assert torch.equal(shown[few][0], shown[many][0][:few])
        assert torch.equal(shown[few][1], shown[many][1][:, :few])
    noise = shown[300][1]
    assert len(noise.flatten(0, 1).unique(dim=0)) == 300  # and no two images, in whatever block, share theirs


def test_fewer_importance_samples_are_the_first_of_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for k in (1, 7, 10, 25):
        model = vae()
        spy = Spy(model, monkeypatch)
        evaluate(model, images(5), importance_samples=k)
        shown[k] = torch.cat(spy.noise[1:])  # after the trace for the distortion
        assert shown[k].shape == (k, 5, LATENT)
    for k in (1, 7, 10):
        assert torch.equal(shown[k], shown[25][:k])
    assert len(shown[25].flatten(0, 1).unique(dim=0)) == 125


def test_dynamic_binarisation_is_the_same_on_every_call_and_another_for_another_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = load(DataSettings(binarize="dynamic"))
    shown = []
    for seed in (0, 0, 1):
        model = vae(event=(1, 8, 8))
        spy = Spy(model, monkeypatch)
        evaluate(model, data, seed=seed)
        shown.append(torch.cat(spy.x))
    assert torch.equal(shown[0], shown[1]) and not torch.equal(shown[0], shown[2])
    assert set(shown[0].unique().tolist()) == {0.0, 1.0}


def conv_vae() -> LatentVariableModel:
    torch.manual_seed(1)
    return LatentVariableModel(
        encoder=ConvEncoder((1, 8, 8), [4, 6]),
        posterior=GaussianPosterior(24, (LATENT,)),
        prior=StandardNormalPrior((LATENT,)),
        decoder=ConvDecoder((LATENT,), (1, 8, 8), [6, 4]),
        likelihood=Bernoulli(),
        event_shape=(1, 8, 8),
        latent_shape=(LATENT,),
    )


def test_batch_normalisation_is_neither_used_nor_updated_in_training_mode() -> None:
    model, data = conv_vae().train(), images(300, (1, 8, 8))
    model.trace(torch.rand(20, 1, 8, 8), noise=model.draw_noise(20))  # statistics unlike those at the start
    before = {name: value.clone() for name, value in model.state_dict().items()}
    in_training = evaluate(model, data, importance_samples=3)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training and all(part.training for part in model.modules())
    assert evaluate(model.eval(), data, importance_samples=3) == in_training
    assert not any(part.training for part in model.modules())


def test_every_module_returns_to_the_mode_it_was_in() -> None:
    model = conv_vae().train()
    model.encoder.eval()
    model.decoder.layers[0].eval()  # type: ignore[index, union-attr]
    before = [part.training for part in model.modules()]
    evaluate(model, images(3, (1, 8, 8)))
    assert [part.training for part in model.modules()] == before and len(set(before)) == 2


def test_gradients_autocast_and_inputs_are_left_as_they_are() -> None:
    model, data = vae(), images(20)
    stored = data.splits["test"].loaded().clone()
    expected = evaluate(model, data, importance_samples=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert evaluate(model, data, importance_samples=2) == expected
        assert torch.is_autocast_enabled("cpu")
    assert torch.is_grad_enabled() and all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(stored, data.splits["test"].loaded())
