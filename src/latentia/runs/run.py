"""A trained run as a Python object: what it is, and what it is measured by.

Owns identity, files, model and data, and evaluating, reconstructing and sampling. The other uses are methods of its two
faces, :mod:`latentia.runs.exploring` for those that look into the latent space and :mod:`latentia.runs.applying` for
those that put the model to work: a new use gets its method there.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from latentia import storage
from latentia.data.blocks import blocks
from latentia.data.dataset import Dataset, DataSpec
from latentia.data.preparation import Preparation
from latentia.data.seeds import derive_seed
from latentia.data.sources import load as load_data
from latentia.errors import ConfigError, DataError, EnvironmentFault, RunError
from latentia.evaluation.encoding import BLOCK, evaluating
from latentia.evaluation.likelihood import evaluate
from latentia.maths.schedules import value_at
from latentia.maths.spread import mean_and_deviation
from latentia.parts.priors import Prior
from latentia.recipes.build import Model
from latentia.recipes.config import Config
from latentia.runs import pictures
from latentia.runs.applying import Applying
from latentia.runs.card import render_card
from latentia.runs.directory import RunDirectory
from latentia.runs.exploring import Exploring
from latentia.runs.inputs import class_number, read_input
from latentia.runs.model_folder import load, model_card, read_description
from latentia.runs.priors import PriorFit, find_prior, fit_prior
from latentia.runs.results import Reconstruction, Samples
from latentia.runs.uses import denoise as denoising
from latentia.runs.uses.places import place
from latentia.training.events import Events
from latentia.training.execution import resolve_device

MOST = 100_000  # samples or reconstructions at once: they are kept in memory and drawn


class Run(Exploring, Applying):
    """A training, finished or not, and the uses of its model.

    Made by :func:`latentia.train`, :func:`latentia.resume` and :func:`latentia.open_run`.

    Attributes:
        config: The resolved config.
        directory: Its files; ``None`` for a run that writes nothing.
        summary: What ``latentia train --json`` prints; empty for an unfinished run.
    """

    def __init__(
        self,
        config: Config,
        *,
        directory: RunDirectory | None,
        summary: dict[str, Any],
        model: Model | None = None,
        dataset: Dataset | None = None,
        rows: list[dict[str, Any]] | None = None,
    ) -> None:
        self.config = config
        self.directory = directory
        self.summary = summary
        self._rows = rows or []
        self.fitted_priors: dict[str, Prior] = {}  # of a run that writes nothing
        if model is not None:
            self.model = model
        if dataset is not None:
            self.dataset = dataset

    @property
    def path(self) -> Path | None:
        """The run's folder, or ``None``."""
        return None if self.directory is None else self.directory.path

    @property
    def report_path(self) -> Path | None:
        """The report, where there is one."""
        if self.directory is None or not self.directory.report_file.is_file():
            return None
        return self.directory.report_file

    @cached_property
    def model(self) -> Model:
        """The trained model, in evaluation mode."""
        assert self.directory is not None
        try:
            device = resolve_device(self.config.training.device)
        except EnvironmentFault:  # trained on another machine
            device = resolve_device("auto")
        return load(self.directory.path).to(device)

    @cached_property
    def spec(self) -> DataSpec:
        """What one sample is, from the model's own folder: the data need not be at hand."""
        return self._description[0]

    @cached_property
    def preparation(self) -> Preparation:
        """How stored data become x, likewise."""
        return self._description[1]

    @cached_property
    def _description(self) -> tuple[DataSpec, Preparation]:
        if "dataset" in self.__dict__:
            return self.dataset.spec, self.dataset.preparation
        assert self.directory is not None
        _, spec, preparation = read_description(self.directory.path / "model", run=self.directory.path)
        return spec, preparation

    @cached_property
    def dataset(self) -> Dataset:
        """The data it was trained on, loaded again and checked to be the same.

        Raises:
            DataError: If they cannot be found or have changed.
        """
        assert self.directory is not None
        return reload_data(self.directory, self.config)

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The logged steps, one mapping each, as in ``metrics.jsonl``."""
        return self._rows if self.directory is None else self.directory.metrics.read()

    @property
    def state(self) -> str:
        """``finished``, ``running``, ``interrupted``, ``diverged``, ``failed``, ``created`` or ``crashed``."""
        return "finished" if self.directory is None else self.directory.state()

    @property
    def beta(self) -> float | None:
        """The factor on the rate at the end of training, or ``None`` without one."""
        objective = self.config.objective
        return value_at(objective.beta, 1.0) if objective.name == "elbo" and objective.capacity is None else None

    def evaluate(
        self, split: str = "test", *, importance_samples: int = 100, seed: int = 0, seeds: int = 1
    ) -> dict[str, Any]:
        """Measure the model on a split; see :func:`latentia.evaluation.evaluate` for what each figure is.

        An evaluation of the test part is written to ``eval.json``, the model's card and the report. All figures are
        from clean data but for those of a run with ``objective.corruption``: ``noisy_mse``, ``noisy_psnr`` and
        ``noisy_ssim`` of the data under its corruption, and ``denoised_mse`` ... of what the model makes of them.

        Args:
            split: ``train``, ``valid`` or ``test``.
            importance_samples: K of the nll; 0 leaves it out.
            seed: Of the evaluation noise.
            seeds: How often to evaluate, with ``seed``, ``seed + 1`` ...; with several, the figures are means and
                ``over_seeds`` has the seeds, and each figure's standard deviation and values.

        Returns:
            What ``latentia evaluate --json`` prints.

        Raises:
            ConfigError: If ``seeds`` or ``importance_samples`` is out of range.
            DataError: If there is no such split.
        """
        value = self.measure(split, importance_samples=importance_samples, seed=seed, seeds=seeds)
        if split == "test" and self.directory is not None:
            try:
                with self.directory.locked():
                    self._store(value)
            except (EnvironmentFault, RunError) as error:
                warnings.warn(f"the evaluation could not be stored in the run: {error}", stacklevel=2)
        return value

    def measure(
        self, split: str = "test", *, importance_samples: int = 0, seed: int = 0, seeds: int = 1
    ) -> dict[str, Any]:
        """Do what :meth:`evaluate` does, but store nothing."""
        if seeds < 1:
            raise ConfigError(f"seeds must be at least 1, not {seeds}")
        results = [
            evaluate(
                self.model,
                self.dataset,
                split,
                importance_samples=importance_samples,
                seed=seed + number,
                beta=self.beta,
            ).to_json()
            | denoising.figures(self, split, seed + number)
            for number in range(seeds)
        ]
        value = {"run": None if self.path is None else str(self.path), "preset": self.config.preset, **results[0]}
        return value if seeds == 1 else value | _over_seeds(results, seed)

    def _store(self, evaluation: dict[str, Any]) -> None:
        assert self.directory is not None
        storage.write_json(self.directory.evaluation_file, evaluation)
        card = self.directory.model / "README.md"
        if self.summary and card.is_file():
            drawn = sorted(path.name for path in self.directory.model.glob("*.png"))
            storage.write_text(card, model_card(self.summary, evaluation, drawn, conditional=self.model.conditional))
            self.write_report()

    def reconstruct(
        self,
        n: int = 16,
        *,
        split: str = "test",
        input: str | Path | None = None,
        out: str | Path | None = None,
        write: bool = True,
    ) -> Reconstruction:
        """Reconstruct images and draw originals over reconstructions.

        Args:
            n: How many, from the beginning of the split or of the file.
            split: Where from, unless ``input`` is given.
            input: A file with data of the same kind: .npy, .npz or an image, or a folder of images.
            out: Where the picture goes; ``samples/reconstructions.png`` in the run's folder if not given.
            write: Whether to draw a picture at all.

        Returns:
            Originals, reconstructions and the mean squared error of each.

        Raises:
            ConfigError: If ``n`` is smaller than 1.
            DataError: If there is no such split, or the file does not fit the model.
        """
        if not 1 <= n <= MOST:
            raise ConfigError(f"n must be between 1 and {MOST:,}, not {n}")
        x, y, source = self._inputs(n, split, input)
        with evaluating(self.model):
            pieces = [
                self.model.reconstruct(x[start : start + BLOCK], None if y is None else y[start : start + BLOCK])
                for start in range(0, len(x), BLOCK)
            ]
        reconstruction = torch.cat(pieces)
        errors = (reconstruction - x).square().flatten(1).mean(1)
        path = self._target(out, "reconstructions.png") if write else None
        if path is not None:
            labels = None if y is None else [self.spec.classes[int(label)] for label in y]
            pictures.draw_reconstructions(path, x, reconstruction, self.spec, errors, labels, source)
        return Reconstruction(x.cpu(), reconstruction.cpu(), errors.cpu(), source, path)

    def sample(
        self,
        n: int | None = None,
        *,
        classes: Sequence[str | int] | None = None,
        seed: int = 0,
        temperature: float = 1.0,
        prior: str | None = None,
        out: str | Path | None = None,
        write: bool = True,
    ) -> Samples:
        """Decode draws from a prior and draw them as a grid.

        Args:
            n: How many; of a conditional model, how many of each class. If not given, 64, or 8 of each class.
            classes: Of a conditional model, the classes to draw from, by name or by number from 0; all of them if not
                given. Each is a row of the picture.
            seed: Of the draws; the same seed gives the same samples.
            temperature: Factor on the prior's standard deviation.
            prior: Which prior: ``model`` for the model's own, ``standard-normal`` (for discrete latents ``uniform``),
                or one that :meth:`fit_prior` fitted. If not given, the model's own where it has one, otherwise the
                one that was fitted last.
            out: Where the picture goes; ``samples/samples.png`` in the run's folder if not given, or
                ``samples/samples-<prior>.png`` for another prior than the model's own. The arrays are written beside
                it as ``.npy``, in the data's own units where these were scaled.
            write: Whether to write anything at all.

        Returns:
            The means of p(x given z).

        Raises:
            ConfigError: If there is no such prior or class, or ``n`` or the temperature is out of range.
        """
        wished = self._wished(classes)
        if n is None:
            n = 64 if wished is None else 8
        total = n if wished is None else n * len(wished)
        if not 1 <= total <= MOST:
            of_all = "" if wished is None else " of all classes together"
            raise ConfigError(f"n must be between 1 and {MOST:,}{of_all}, not {total}")
        if not 0 <= temperature < float("inf"):
            raise ConfigError(f"the temperature must be a number that is at least 0, not {temperature:g}")
        name, found = find_prior(self, prior)
        if found is not None:
            self._refuse_blind_prior(name, found)
        y = None if wished is None else torch.tensor(wished).repeat_interleave(n)
        with evaluating(self.model) as device:
            source = torch.Generator(device).manual_seed(derive_seed(seed, "sample"))
            pieces = []
            for start in range(0, total, BLOCK):
                size, part = min(BLOCK, total - start), None if y is None else y[start : start + BLOCK].to(device)
                drawn = self.model.sample(size, part, generator=source, temperature=temperature, prior=found)
                pieces.append(drawn.cpu())
        x = torch.cat(pieces)
        names = None if wished is None else tuple(self.spec.classes[index] for index in wished)
        path = self._target(out, "samples.png" if found is None else f"samples-{name}.png") if write else None
        array = None
        if path is not None:
            array = path.with_suffix(".npy")
            title = self.name if found is None else f"{self.name}, prior {name}"
            if names is None:
                pictures.draw_samples(path, x, self.spec, title, seed, temperature)
            else:
                pictures.draw_class_samples(path, x, names, self.spec, title, seed, temperature)
            pictures.write_array(array, self.preparation.restore(x))
        return Samples(x, seed, temperature, name, path, array, names)

    def _refuse_blind_prior(self, name: str, found: Prior) -> None:
        if getattr(self.model.prior, "conditional", False) and not found.conditional:
            raise ConfigError(
                f"the prior '{name}' knows no classes, but this model has learned one for each: sample from that, "
                "from one that `latentia fit-prior` fits, or train it with --set model.prior.name=standard-normal"
            )

    def _wished(self, classes: Sequence[str | int] | None) -> list[int] | None:
        """The numbers of the classes that samples are wished of; ``None`` for a model that is not conditional."""
        if not self.model.conditional:
            if classes is not None:
                raise ConfigError(
                    "the model is not conditional, so that no class can be asked for: "
                    "train a preset that is, such as conditional-vae"
                )
            return None
        if classes is None:
            return list(range(len(self.spec.classes)))
        if isinstance(classes, str) or not len(classes):
            raise ConfigError("classes must be a list of names or numbers, such as ['7'], with at least one of them")
        return [class_number(value, self.spec) for value in classes]

    def fit_prior(
        self,
        name: str,
        *,
        seed: int | None = None,
        settings: Sequence[str] = (),
        events: Events | None = None,
    ) -> PriorFit:
        """Fit a prior to the latents of the training part, so that an autoencoder can sample, and a VAE better.

        The prior is kept in the run's folder ``priors/``, with a grid of samples in ``samples/``; afterwards
        ``sample(prior=name)`` draws from it, and so does ``sample()`` where the model has no prior of its own. A fit
        that was interrupted goes on when it is asked for again.

        Args:
            name: ``gmm``, a Gaussian mixture, or ``diffusion``, a small diffusion model; to a conditional model a
                mixture for each class, or a diffusion model that is told the class. For discrete latents
                ``autoregressive``, a network that predicts each code from those before it, whatever the class.
            seed: Of the latents' draws, the start and the batches; the run's own if not given.
            settings: Such as ``["components=20"]`` or ``["training.steps=2000"]``; see
                :mod:`latentia.recipes.second_stages`.
            events: Who is told about progress.

        Returns:
            The prior, and figures about it.

        Raises:
            ConfigError: If there is no such prior or setting.
            DataError: If the training data cannot be found.
            Interrupted: On SIGINT or SIGTERM.
        """
        return fit_prior(self, name, seed=seed, settings=settings, events=events)

    @property
    def name(self) -> str:
        """How the run is called in titles: its preset and its data."""
        return f"{self.config.preset or 'model'} on {Path(self.config.data.source).name}"

    def write_report(self) -> Path:
        """Write ``report.html`` from what the run's folder holds.

        Raises:
            RunError: For a run without a folder.
        """
        if self.directory is None:
            raise RunError("a run without a directory has no place for a report: train with directory='auto'")
        return pictures.write_report(self.directory, self.config, self.summary, self.spec)

    def _repr_html_(self) -> str:
        return render_card(self)

    def __repr__(self) -> str:
        test = self.summary.get("test") or {}
        figures = ", ".join(f"{key}={value:.6g}" for key, value in test.items() if value is not None)
        return f"Run({self.name}, path={self.path}, {figures or 'unfinished'})"

    def _inputs(self, n: int, split: str, input: str | Path | None) -> tuple[torch.Tensor, torch.Tensor | None, str]:
        device = next(self.model.parameters()).device
        if input is not None:
            resized = self.config.data.size is not None
            given = read_input(Path(input), self.spec, self.preparation, resized=resized)
            for note in given.notes:
                warnings.warn(note, stacklevel=3)
            if self.model.conditional and given.y is None:
                raise DataError(
                    f"the model is conditional and {given.source} has no labels that fit: give a .npz file with x and "
                    f"y, whose labels are among {', '.join(self.spec.classes[:12])}"
                )
            return given.x[:n].to(device), None if given.y is None else given.y[:n].to(device), given.source
        found = blocks(
            self.dataset.split(split), self.preparation, size=BLOCK, seed=0, purpose="evaluation", device=device
        )
        first = list(itertools.islice(found, -(-n // BLOCK)))
        y = None if first[0].y is None else torch.cat([block.y for block in first if block.y is not None])[:n]
        return torch.cat([block.x for block in first])[:n], y, f"{split} {self.spec.noun}s"

    def _target(self, out: str | Path | None, name: str) -> Path | None:
        return place(self, out, name)


def open_run(path: str | Path, *, data: Any = None) -> Run:
    """Open a run that has been trained.

    Args:
        path: The run's directory.
        data: The arrays it was trained on, if it was trained on arrays passed from Python.

    Returns:
        The run; its model and data are loaded when they are first needed.

    Raises:
        RunError: If there is no run, or of a newer Latentia.
        ConfigError: If its config is damaged.
    """
    directory = RunDirectory(Path(path))
    config = directory.read_config()
    dataset = None if data is None else reload_data(directory, config, data)
    return Run(config, directory=directory, summary=directory.status().get("summary") or {}, dataset=dataset)


def reload_data(directory: RunDirectory, config: Config, data: Any = None) -> Dataset:
    """Load the data of a run again and check that they are the same.

    Raises:
        DataError: If they cannot be found or have changed.
    """
    meta = directory.meta().get("data", {})
    if config.data.source == "arrays" and data is None:
        raise DataError(
            f"{directory.path} was trained on arrays passed from Python: pass them again, as "
            "latentia.open_run(path, data=...) or latentia.resume(path, data=...)"
        )
    data_dir = meta.get("data_dir")
    if not isinstance(data_dir, str) or not Path(data_dir).is_dir():
        data_dir = None  # moved since; there may be another in LATENTIA_DATA_DIR or the cache
    dataset = load_data(config.data, data_dir=data_dir, arrays=data)
    if meta.get("fingerprint") not in (None, dataset.fingerprint):
        raise DataError(
            f"the data of {directory.path} ({config.data.source}) have changed since it was trained: "
            "put back the former ones, or train a new run"
        )
    return dataset


def _over_seeds(results: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Means of the figures, and how far they spread over the evaluation seeds."""
    names = [key for key, value in results[0].items() if isinstance(value, float)]
    values = {name: [result[name] for result in results] for name in names}
    found = {name: mean_and_deviation(values[name]) for name in names}
    over: dict[str, Any] = {"seeds": [seed + number for number in range(len(results))]}
    over |= {name: {"standard_deviation": found[name]["standard_deviation"], "values": values[name]} for name in names}
    return {**{name: found[name]["mean"] for name in names}, "over_seeds": over}
