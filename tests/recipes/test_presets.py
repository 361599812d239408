"""One contract for every preset: sizes, gradients, saving, determinism, and golden losses.

The golden losses are recorded in ``golden_losses.json``. After a change that is meant to change them, record them anew
with ``python tests/recipes/test_presets.py`` and say why in the commit.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from latentia.data.dataset import DataSpec
from latentia.errors import ConfigError
from latentia.models.latent_variable import LatentVariableModel
from latentia.objectives.settings import ElboSettings
from latentia.objectives.terms import LossTerms
from latentia.recipes.build import Model, build_model, build_objective
from latentia.recipes.presets import PRESETS, find_preset
from latentia.recipes.tutorials import TUTORIALS
from latentia.training.checkpoint import from_bytes, restore_model, to_bytes

GOLDEN = Path(__file__).parent / "golden_losses.json"
IMAGES = [(1, 28, 28), (3, 32, 32), (1, 8, 8), (1, 1, 1), (2, 5, 7)]
VECTORS = [(5,), (1,)]
STACKED = [(1, 32, 32), (3, 32, 32), (1, 8, 8), (2, 16, 40)]  # which the listed convolutions lead down and up again
BATCH = 16
CLASSES = tuple("0123456789")


def takes_vectors(name: str) -> bool:
    return PRESETS[name].config().model.encoder.name in ("mlp", "residual-mlp")


def shapes_for(name: str) -> list[tuple[int, ...]]:
    if PRESETS[name].config().model.encoder.name == "conv-stack":
        return STACKED
    if name in TUTORIALS:  # the networks of the general ones, with other numbers
        return [(1, 28, 28), (3, 32, 32), *(VECTORS[:1] if takes_vectors(name) else [])]
    return [*IMAGES, *(VECTORS if takes_vectors(name) else [])]


def first_names() -> list[str]:
    """Each system once: without its other names."""
    names: dict[int, str] = {}
    for name, preset in PRESETS.items():
        names.setdefault(id(preset.settings), name)
    return list(names.values())


DISTINCT = first_names()
SYSTEMS = [(name, shape) for name in DISTINCT for shape in shapes_for(name)]
every_system = pytest.mark.parametrize(
    ("name", "shape"), SYSTEMS, ids=[f"{name}-{'x'.join(map(str, shape))}" for name, shape in SYSTEMS]
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def built(name: str, shape: tuple[int, ...], seed: int = 0) -> Model:
    spec = DataSpec(shape, levels=256, classes=CLASSES if is_conditional(name) else ())
    return build_model(PRESETS[name].config().model, spec, seed=seed)


def is_conditional(name: str) -> bool:
    return PRESETS[name].config().model.condition is not None


def labels_for(model: Model, n: int = BATCH) -> Tensor | None:
    return torch.arange(n) % len(CLASSES) if model.conditional else None


def data(shape: tuple[int, ...]) -> Tensor:
    levels = torch.randint(0, 256, (BATCH, *shape), generator=torch.Generator().manual_seed(1))
    return levels / 255


def noise_of(model: Model, k: int = 1, seed: int = 2) -> tuple[Tensor, ...]:
    return model.draw_noise(BATCH, k, torch.Generator().manual_seed(seed))


def loss_of(name: str, model: Model, x: Tensor, seed: int = 2) -> LossTerms:
    objective = build_objective(PRESETS[name].config().objective)
    with torch.random.fork_rng(devices=[]):  # dropout and corruption draw from the default generator
        torch.manual_seed(seed)
        noise, coefficients = noise_of(model, objective.k, seed), objective.coefficients_at(0.0)
        y = labels_for(model)
        if model.classifies:  # it learns from samples without labels, too
            y = torch.where(torch.arange(BATCH) % 4 == 0, torch.arange(BATCH) % len(CLASSES), -1)
        return objective(model, x, y, noise, coefficients)


# --- what they are ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "side", "count"),
    [
        ("vae vae-400-20", 28, 652_824),
        ("vae-256-64-10 vae-256-64-10-faithful", 28, 437_540),
        ("ae-2d", 32, 284_226),
        ("vae-2d vae-2d-w100", 32, 284_292),
        ("conv-ae-4x4x4", 32, 3_793),
        ("conv-vae-4x4x4", 32, 4_089),
        ("ae ae-32", 28, 489_136),
        ("conv-ae conv-ae-64", 28, 442_433),
        ("denoising-ae denoising-ae-64", 28, 484_944),
        ("vae-256-256-20", 28, 549_688),
        ("conv-vae conv-vae-32", 28, 384_577),
        ("beta-vae beta4-vae-10", 28, 541_988),
        ("conditional-vae conditional-vae-20", 28, 554_808),
    ],
)
def test_presets_have_the_number_of_parameters_of_their_sources(names: str, side: int, count: int) -> None:
    for name in names.split():
        assert sum(parameter.numel() for parameter in built(name, (1, side, side)).parameters()) == count
        assert PRESETS[name].config().data.size == ([32, 32] if side == 32 else None)


@pytest.mark.parametrize(
    ("names", "epochs", "steps", "batch_size", "lr"),
    [
        ("vae vae-400-20", 15, None, 128, 1e-3),
        ("vae-256-64-10 vae-256-64-10-faithful", 50, None, 32, 1e-3),
        ("ae-2d vae-2d vae-2d-w100", None, 25_000, 64, 5e-4),
        ("conv-ae-4x4x4 conv-vae-4x4x4", None, 30_000, 64, 5e-4),
        ("ae ae-32 conv-ae conv-ae-64 beta-vae beta4-vae-10", 20, None, 128, 1e-3),
        ("vae-256-256-20 conv-vae conv-vae-32", 30, None, 128, 1e-3),
    ],
)
def test_presets_are_trained_as_their_sources_are(
    names: str, epochs: float | None, steps: int | None, batch_size: int, lr: float
) -> None:
    for name in names.split():
        config = PRESETS[name].config()
        training = config.training
        assert (training.epochs, training.steps, training.batch_size) == (epochs, steps, batch_size)
        assert (training.optimizer.name, training.optimizer.lr, config.data.validation) == ("adam", lr, 0.0)


@pytest.mark.parametrize(
    ("name", "beta_effective"),
    [
        ("vae-400-20", 1.0),
        ("vae-256-64-10", 0.5),
        ("vae-256-64-10-faithful", 0.5),
        ("vae-2d", 0.5),
        ("vae-2d-w100", 50.0),
        ("conv-vae-4x4x4", 0.4),
        ("beta4-vae-10", 4.0),
    ],
)
def test_presets_weigh_the_rate_as_their_sources_do(name: str, beta_effective: float) -> None:
    objective = PRESETS[name].config().objective
    assert isinstance(objective, ElboSettings) and isinstance(objective.beta, float)
    assert built(name, (1, 32, 32)).likelihood.beta_effective(objective.beta) == beta_effective  # type: ignore[operator]


def test_the_loss_is_half_of_squared_error_plus_w_kl() -> None:
    model, x = built("conv-vae-4x4x4", (1, 32, 32)), data((1, 32, 32))
    noise = noise_of(model)
    trace = model.trace(x, noise=noise)
    (level,) = trace.levels
    assert isinstance(model, LatentVariableModel)
    squared = (torch.sigmoid(model.decoder(level.z)) - x).square().flatten(1).sum(1)
    loc, logvar = level.posterior.loc.flatten(1), level.posterior.logvar.flatten(1)
    kl = -0.5 * (1 + logvar - loc.square() - logvar.exp()).sum(1)
    terms = build_objective(PRESETS["conv-vae-4x4x4"].config().objective)(model, x, None, noise, {"beta": 0.4})
    constant = 0.5 * 1024 * math.log(2 * math.pi)
    torch.testing.assert_close(2 * (terms.loss - constant), squared + 0.8 * kl, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize(("name", "weight"), [("vae-2d", "+ KL"), ("vae-2d-w100", "+ 100 KL")])
def test_presets_tell_their_beta_from_the_weight_of_their_source(name: str, weight: str) -> None:
    preset = PRESETS[name]
    objective = preset.config().objective
    assert isinstance(objective, ElboSettings)
    assert f"squared error {weight} (beta {objective.beta:g})" in preset.description
    assert f"beta = {objective.beta:g} is the same loss, halved" in preset.notes[0]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_say_what_they_are(name: str) -> None:
    preset = PRESETS[name]
    config = preset.config()
    assert preset.name == config.preset == name and preset.description.endswith(".") and "http" in preset.source
    assert preset.family == ("vae" if config.model.prior is not None else "autoencoder")
    without = "quantized" if "quantizer" in config.model.posterior.name else "autoencoder"
    bound = "elbo" if config.model.classifier is None else "semi-supervised"
    assert config.objective.name == (bound if config.model.prior is not None else without)
    assert find_preset(name) is preset


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("conv-vea", "Did you mean 'conv-vae'?"),
        ("VAE", "Did you mean 'vae'?"),
        ("xyz", "There are: "),
        ("", "There are: ae, conv-ae"),
    ],
)
def test_a_misspelt_preset_is_refused_with_what_there_is(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_preset(name)
    assert f"there is no preset '{name}'" in str(caught.value) and hint in str(caught.value)


# --- the contract -----------------------------------------------------------------------------------------------------


@every_system
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    model, x = built(name, shape), data(shape)
    latent_dim = PRESETS[name].config().model.latent_dim
    latent = model.latent_shape if latent_dim is None else (latent_dim,)
    y = labels_for(model)
    trace = model.trace(x, y, noise=noise_of(model, 3), k=3)
    assert trace.levels[0].z.shape == (3 * BATCH, *latent) and model.latent_shape == latent
    assert trace.log_likelihood(x).shape == (3, BATCH) and trace.distortion(x).shape == (BATCH,)
    assert model.encode(x, y).mean.shape == (BATCH, *latent)
    assert model.reconstruct(x, y).shape == model.decode(torch.zeros(BATCH, *latent), y).mean.shape == x.shape
    assert ((model.reconstruct(x, y) >= 0) & (model.reconstruct(x, y) <= 1)).all()
    if model.has_prior:
        assert model.sample(3, labels_for(model, 3)).shape == (3, *shape)
        assert trace.log_weights(x).shape == (3, BATCH)


@every_system
def test_gradients_reach_every_parameter(name: str, shape: tuple[int, ...]) -> None:
    model = built(name, shape).train()
    terms = loss_of(name, model, data(shape))
    assert terms.loss.shape == (BATCH,) and terms.loss.isfinite().all()
    terms.total().backward()
    cancelled = biases_before_normalisation(model)
    for key, parameter in model.named_parameters():
        if not parameter.requires_grad:  # of a model beneath, which is held fixed
            assert key.startswith("base.") and parameter.grad is None
            continue
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert key in cancelled or parameter.grad.any(), key


def biases_before_normalisation(model: nn.Module) -> set[str]:
    """Biases that batch normalisation subtracts again: their gradient is 0 but for rounding."""
    names = set()
    for path, part in model.named_modules():
        if isinstance(part, nn.Sequential):
            children = list(part.named_children())
            for (key, _), (_, following) in itertools.pairwise(children):
                if isinstance(following, nn.BatchNorm2d):
                    names.add(f"{path}.{key}.bias")
    return names


@every_system
def test_weights_survive_saving(name: str, shape: tuple[int, ...]) -> None:
    model, other, x = built(name, shape).train(), built(name, shape, seed=9), data(shape)
    loss_of(name, model, x)  # batch normalisation's statistics differ from those at the start
    written = to_bytes(model.state_dict())
    restore_model(other, from_bytes(written, Path("model.safetensors")), "model.safetensors")
    expected, found = model.state_dict(), other.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) and expected[key].dtype == found[key].dtype for key in expected)
    y = labels_for(model)
    assert torch.equal(model.eval().reconstruct(x, y), other.eval().reconstruct(x, y))


@every_system
def test_a_seed_determines_the_weights_and_nothing_else(name: str, shape: tuple[int, ...]) -> None:
    state = torch.get_rng_state()
    first, again, other = (built(name, shape, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    weights = [key for key in first if key.endswith("weight") and first[key].dim() > 1]
    assert weights and all(not torch.equal(first[key], other[key]) for key in weights)


@every_system
@pytest.mark.parametrize("training", [True, False])
def test_a_trace_is_determined_by_its_noise(name: str, shape: tuple[int, ...], training: bool) -> None:
    model, x = built(name, shape).train(training), data(shape)
    # copies, for a codebook learns in the forward pass
    first, again, other = (loss_of(name, copy.deepcopy(model), x, seed).loss for seed in (2, 2, 3))
    assert torch.equal(first, again)
    corrupted = PRESETS[name].config().objective.corruption is not None
    assert torch.equal(first, other) is (not model.has_prior and not corrupted)


@every_system
def test_inputs_are_not_mutated(name: str, shape: tuple[int, ...]) -> None:
    model, x = built(name, shape), data(shape)
    noise = noise_of(model)
    before = [x.clone(), *(eps.clone() for eps in noise)]
    objective = build_objective(PRESETS[name].config().objective)
    objective(model, x, labels_for(model), noise, objective.coefficients_at(0.0)).total().backward()
    model.reconstruct(x, labels_for(model))
    assert all(torch.equal(a, b) for a, b in zip(before, [x, *noise], strict=True)) and x.grad is None


@pytest.mark.parametrize("name", [name for name in DISTINCT if not takes_vectors(name)])
@pytest.mark.parametrize("shape", [*VECTORS, (4, 4)])
def test_convolutional_presets_refuse_vectors_and_name_the_remedy(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ConfigError, match=r"needs images.*--set model\.encoder\.name=(residual-)?mlp --set model\.decoder\.name="
    ):
        built(name, shape)


# --- golden losses ----------------------------------------------------------------------------------------------------


def trained_losses(name: str) -> list[float]:
    """The loss before each of three steps and after the last, on the CPU, in fp32 and with one thread."""
    config = PRESETS[name].config()
    model, x = built(name, (1, 8, 8)).train(), data((1, 8, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=config.training.optimizer.lr)
    losses = []
    for step in range(4):
        total = loss_of(name, model, x, seed=step).total()
        losses.append(total.item())
        if step < 3:
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
    return losses


@pytest.mark.parametrize("name", DISTINCT)
def test_golden_losses(name: str) -> None:
    recorded: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    losses = trained_losses(name)
    assert losses == pytest.approx(recorded[name], rel=1e-4)
    objective = PRESETS[name].config().objective.name
    begun = 1 if objective == "quantized" else 0  # codes are placed at the first features
    assert len(set(losses)) == 4
    assert losses[3] < losses[begun] or objective == "semi-supervised"  # whose first steps leave most samples out


if __name__ == "__main__":
    torch.set_num_threads(1)
    recorded = {name: [round(loss, 6) for loss in trained_losses(name)] for name in DISTINCT}
    GOLDEN.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
