"""A trained run as a Python object: its model, its data, and what can be done with them."""

from __future__ import annotations

import html
import itertools
import statistics
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from latentia import storage
from latentia.data.blocks import blocks
from latentia.data.corruption import Corruption
from latentia.data.dataset import Dataset, DataSpec
from latentia.data.preparation import Preparation
from latentia.data.seeds import derive_seed
from latentia.data.sources import load as load_data
from latentia.errors import ConfigError, DataError, EnvironmentFault, RunError
from latentia.evaluation.encoding import BLOCK, evaluating
from latentia.evaluation.likelihood import evaluate
from latentia.maths.schedules import value_at
from latentia.models.latent_variable import LatentVariableModel
from latentia.parts.priors import Prior
from latentia.recipes.config import Config
from latentia.runs import pictures
from latentia.runs.directory import RunDirectory
from latentia.runs.inputs import class_number, read_input
from latentia.runs.model_folder import load, model_card, read_description
from latentia.runs.priors import PriorFit, find_prior, fit_prior
from latentia.runs.results import Reconstruction, Samples
from latentia.runs.uses import anomaly as anomalies
from latentia.runs.uses import arithmetic as arithmetics
from latentia.runs.uses import classify as classification
from latentia.runs.uses import decode as decoding
from latentia.runs.uses import denoise as denoising
from latentia.runs.uses import embed as embedding
from latentia.runs.uses import interpolate as interpolation
from latentia.runs.uses import manifold as manifolds
from latentia.runs.uses import movie as filming
from latentia.runs.uses import traverse as traversal
from latentia.runs.uses.doctor import Diagnosis, examine
from latentia.runs.uses.places import place
from latentia.training.events import Events
from latentia.training.execution import resolve_device

if TYPE_CHECKING:
    from latentia.runs.uses.generation import Generated

MOST = 100_000  # samples or reconstructions at once: they are kept in memory and drawn


class Run:
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
        model: LatentVariableModel | None = None,
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
    def model(self) -> LatentVariableModel:
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

    def doctor(self) -> Diagnosis:
        """Look for what is wrong with the run, finished or not.

        Knows posterior collapse, inactive latents, a latent space that is too small or so large that samples are
        learned by heart, a likelihood that does not fit the data, unscaled inputs, over-fitting, dead codes, a warm-up
        as long as the run, and training that has not converged or goes astray.

        Returns:
            The findings, each in plain words with its evidence and the settings to change; none for a healthy run.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("vae", directory=None, epochs=20, settings=["objective.beta=50.0"])
            >>> [finding.name for finding in run.doctor().findings]
            ['posterior-collapse']
        """
        return examine(self)

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
            self._refuse_blind_prior(name)
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

    def _refuse_blind_prior(self, name: str) -> None:
        if getattr(self.model.prior, "conditional", False):
            raise ConfigError(
                f"the prior '{name}' knows no classes, but this model has learned one for each: sample from that, "
                "or train it with --set model.prior.name=standard-normal"
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
            name: ``gmm``, a Gaussian mixture, or ``diffusion``, a small diffusion model; for discrete latents
                ``autoregressive``, a network that predicts each code from those before it.
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
        self._refuse_blind_prior(name)
        return fit_prior(self, name, seed=seed, settings=settings, events=events)

    def denoise(
        self,
        n: int = 8,
        *,
        corruption: str | Corruption | None = None,
        sigma: float | None = None,
        probability: float | None = None,
        split: str = "test",
        input: str | Path | None = None,
        seed: int = 0,
        out: str | Path | None = None,
        write: bool = True,
    ) -> denoising.Denoising:
        """Put noise on data, take it off with the model, and draw originals, noisy and denoised ones.

        The whole split is scored by mse, PSNR and SSIM against the clean data, the first ``n`` are drawn. Noise is a
        function of the seed and of a sample's place in the split, so that the same call gives the same picture. Any
        model that reconstructs can be used; one that was trained with ``objective.corruption`` does it well.

        Args:
            n: How many to draw and to return, from the beginning of the split or of the file.
            corruption: ``gaussian``, ``masking`` or ``salt-and-pepper``, or a corruption such as
                :class:`latentia.data.GaussianCorruption`. What is not given is as in the run's training, or else
                Gaussian noise of sigma 0.5, clamped to [0, 1] where the data lie there.
            sigma: Standard deviation of Gaussian noise, in the units of x.
            probability: That a value is masked, salt or pepper, in (0, 1].
            split: Where from, unless ``input`` is given.
            input: A file with data that are noisy already; nobody knows the clean ones then, and nothing is scored.
            seed: Of the noise.
            out: Where the picture goes; ``samples/denoised.png`` in the run's folder if not given.
            write: Whether to draw a picture at all.

        Returns:
            Clean, noisy and denoised data, and the scores.

        Raises:
            ConfigError: If a number is out of range or belongs to another corruption, or noise is asked for on
                noisy data.
            DataError: If there is no such split, or the file does not fit the model.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("denoising-ae", steps=2, directory=None)
            >>> found = run.denoise(sigma=0.3)
            >>> found.denoised.shape, found.count
            (torch.Size([8, 1, 8, 8]), 359)
        """
        return denoising.denoise(
            self,
            n,
            corruption=corruption,
            sigma=sigma,
            probability=probability,
            split=split,
            input=input,
            seed=seed,
            out=out,
            write=write,
        )

    def interpolate(
        self,
        start: str | int | None = None,
        end: str | int | None = None,
        *,
        images: Sequence[int] | None = None,
        steps: int = 10,
        path: str = "linear",
        split: str = "test",
        input: str | Path | Sequence[str | Path] | None = None,
        out: str | Path | None = None,
        write: bool = True,
    ) -> interpolation.Interpolation:
        """Walk through the latents from one sample to another, and decode every step.

        The ends are the posterior means of two samples, and their frames equal the samples' reconstructions. A class
        is stood for by its most typical sample: the one nearest to the class's mean in the latent space, so that the
        ends are real data. A conditional model decodes each step with the label of the nearer end.

        Args:
            start: A class to begin with, such as ``"3"``; with ``end``.
            end: A class to end with.
            images: The numbers of two samples instead, from 0; the first two if nothing is given.
            steps: How many points, the ends among them.
            path: ``linear``, or ``spherical`` along the great circle (:func:`latentia.exploration.paths.slerp`).
            split: Where from, unless ``input`` is given.
            input: A file with data of the same kind, or two, of which the first sample counts.
            out: Where the strip goes; ``samples/interpolation.png`` in the run's folder if not given. Of images there
                is a GIF beside it.
            write: Whether to write anything at all.

        Returns:
            The frames, the latents, the two samples, and where they were drawn.

        Raises:
            ConfigError: If an argument is out of range, or there is no such class or number.
            DataError: If there is no such split, a file does not fit the model, or there is no spherical path.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("vae", steps=2, directory=None)
            >>> run.interpolate("3", "8", steps=7).frames.shape
            torch.Size([7, 1, 8, 8])
        """
        return interpolation.interpolate(
            self, start, end, images=images, steps=steps, path=path, split=split, input=input, out=out, write=write
        )

    def traverse(
        self,
        image: int | None = 0,
        *,
        dims: Sequence[int] | None = None,
        range: tuple[float, float] = (-3.0, 3.0),
        steps: int = 9,
        label: str | int | None = None,
        split: str = "test",
        input: str | Path | None = None,
        out: str | Path | None = None,
        write: bool = True,
    ) -> traversal.Traversal:
        """Move each latent dimension over a range while the others stay, and decode every step.

        The dimensions come in the order of their rate, the KL from the posterior to the prior, and those that carry
        next to nothing are marked; where a rate has no closed form, or there is no prior, the spread of the posterior
        means stands in for it. Both are measured on the first 2,000 samples.

        Args:
            image: The number of the sample at whose posterior mean the others stay, from 0; ``None`` for the middle of
                the latent space (the mean of a standard normal prior, else of the data's latents).
            dims: Which dimensions of the flattened latent, in this order; if not given, the 20 (of vectors 6) that
                rank highest.
            range: From where to where: values of z under a standard normal prior, else standard deviations of the
                data's latents from their mean.
            steps: How many values.
            label: For a conditional model and no image, the class to decode.
            split: Where from, unless ``input`` is given.
            input: A file with data of the same kind.
            out: Where the picture goes; ``samples/traversal.png`` in the run's folder if not given.
            write: Whether to draw a picture at all.

        Returns:
            The frames, one row per dimension, with rates, spreads and values.

        Raises:
            ConfigError: If an argument is out of range.
            DataError: If there is no such split, or the file does not fit the model.
        """
        return traversal.traverse(
            self,
            image=image,
            dims=dims,
            range=range,
            steps=steps,
            label=label,
            split=split,
            input=input,
            out=out,
            write=write,
        )

    def manifold(
        self,
        *,
        size: int = 25,
        range: tuple[float, float] | None = None,
        dims: Sequence[int] | None = None,
        label: str | int | None = None,
        split: str = "test",
        input: str | Path | None = None,
        out: str | Path | None = None,
        write: bool = True,
    ) -> manifolds.Manifold:
        """Decode the points of a plane of the latent space, in rows and columns.

        With two latent dimensions that is the whole space: at the quantiles of a standard normal prior (Kingma &
        Welling 2014, https://arxiv.org/abs/1312.6114, appendix A), or equally spaced over a range. With more it is the
        plane of two chosen dimensions, or through the first two principal components of the data's latents.

        Args:
            size: Points along each side.
            range: From where to where on both axes, in units of z (along principal components, from the latents'
                mean). If not given: normal quantiles where the prior is a standard normal and the axes are dimensions,
                else where the middle 98 % of the data's latents lie.
            dims: Two dimensions of the flattened latent to span the plane; the others stay in the middle.
            label: For a conditional model, the class to decode.
            split: Whose latents give principal components and ranges, unless ``input`` is given.
            input: A file with data of the same kind.
            out: Where the picture goes; ``samples/manifold.png`` in the run's folder if not given.
            write: Whether to draw a picture at all.

        Returns:
            The frames, (size, size, *event), the top row first, and the coordinates.

        Raises:
            ConfigError: If an argument is out of range, or the model has one latent dimension only.
            DataError: If there is no such split, or the file does not fit the model.
        """
        return manifolds.manifold(
            self, size=size, range=range, dims=dims, label=label, split=split, input=input, out=out, write=write
        )

    def decode(
        self, points: Any, *, label: str | int | None = None, out: str | Path | None = None, write: bool = True
    ) -> decoding.Decoded:
        """Decode points of the latent space, given by their coordinates.

        Args:
            points: One point, (d,), several, (N, d) or (N, *latent), as nested lists or arrays; or a file with one in
                each row, ``.npy``, ``.npz`` or ``.csv``.
            label: For a conditional model, the class to decode.
            out: Where the picture goes; ``samples/decoded.png`` in the run's folder if not given. The arrays are
                written beside it as ``.npy``, in the data's own units where these were scaled.
            write: Whether to write anything at all.

        Returns:
            The means of p(x given z), and the points.

        Raises:
            ConfigError: If the points do not fit the model, or are not finite.
            DataError: If a file cannot be read.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("vae", steps=2, directory=None, settings={"model.latent_dim": 2})
            >>> run.decode([-3, 2]).x.shape
            torch.Size([1, 1, 8, 8])
        """
        return decoding.decode(self, points, label=label, out=out, write=write)

    def arithmetic(
        self,
        expression: str,
        *,
        label: str | int | None = None,
        split: str = "test",
        input: str | Path | None = None,
        out: str | Path | None = None,
        write: bool = True,
    ) -> arithmetics.Equation:
        """Add and subtract latents, and decode the sum.

        A class stands for the mean of the posterior means of its samples (Radford et al. 2016,
        https://arxiv.org/abs/1511.06434, section 6.3.2, with three samples each), ``#7`` for the posterior mean of
        sample 7. A conditional model decodes the sum with the label of the first term, if not told otherwise.

        Args:
            expression: Such as ``"9 - 4 + 1"`` or ``"#3 + 0.5 * 8 - 0.5 * 1"``.
            label: For a conditional model, the class with which the sum is decoded.
            split: Where from, unless ``input`` is given.
            input: A file with data of the same kind.
            out: Where the picture goes; ``samples/arithmetic.png`` in the run's folder if not given.
            write: Whether to draw a picture at all.

        Returns:
            The sum and its terms, as latents and decoded.

        Raises:
            ConfigError: If the expression cannot be read, or there is no such class or sample.
            DataError: If there is no such split, or the file does not fit the model.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("vae", steps=2, directory=None)
            >>> run.arithmetic("9 - 4 + 1").x.shape
            torch.Size([1, 8, 8])
        """
        return arithmetics.arithmetic(self, expression, label=label, split=split, input=input, out=out, write=write)

    def judge(self, n: int = 10_000, *, seed: int = 0) -> Generated:
        """Judge generated digits by the Fréchet distance on the features of a small classifier; MNIST only.

        Prior samples, half-way points between test images, and points drawn from the box around the latents, where
        the latent space of a plain autoencoder has holes.

        Args:
            n: How many images of each kind, at most as many as there are test images; the distance depends on it.
            seed: Of the draws.

        Returns:
            The figures, with those of the reconstructions to compare with.

        Raises:
            ConfigError: If the data are not MNIST's digits, or ``n`` is smaller than 128.
        """
        from latentia.runs.uses.generation import judge_generated

        return judge_generated(self, n, seed=seed)

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

    def embed(
        self,
        n: int | None = None,
        *,
        latents: str = "mean",
        projection: str = "auto",
        split: str = "test",
        input: str | Path | None = None,
        seed: int = 0,
        out: str | Path | None = None,
        write: bool = True,
    ) -> embedding.Embedding:
        """Encode data, write the latents as CSV and NPZ, and draw them, coloured by label.

        Args:
            n: How many, from the beginning of the split or of the file; all if ``None``, of which the first 3,000
                are drawn.
            latents: The ``mean`` of each posterior q(z given x), or a ``sample`` of it.
            projection: ``none`` (for up to three dimensions), ``pca``, ``tsne``, ``umap``, or ``auto``: none for up
                to three dimensions, else PCA.
            split: Where from, unless ``input`` is given.
            input: A file with data of the same kind.
            seed: Of the samples, t-SNE and UMAP; the same seed gives the same files.
            out: The folder that the files go to; ``latents/`` in the run's folder if not given.
            write: Whether to write anything at all.

        Returns:
            The latents, the labels where there are some, and the points that were drawn.

        Raises:
            ConfigError: If ``n`` or a name is wrong, or samples are wanted of points.
            DataError: If there is no such split, or the file does not fit the model.
            EnvironmentFault: If UMAP is wanted and not installed.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("vae", steps=2, directory=None)
            >>> run.embed(100).latents.shape
            torch.Size([100, 20])
        """
        return embedding.embed(
            self, n, latents=latents, projection=projection, split=split, input=input, seed=seed, out=out, write=write
        )

    def anomaly(
        self,
        *,
        score: str = "squared-error",
        false_alarm_rate: float | None = None,
        split: str = "test",
        input: str | Path | None = None,
        normals: str | Path | None = None,
        normal: Sequence[str] | None = None,
        importance_samples: int = 100,
        seed: int = 0,
        show: int = 8,
        out: str | Path | None = None,
        write: bool = True,
    ) -> anomalies.Anomalies:
        """Say how unlike its training data samples are, and from where on they are anomalies.

        The model should have been trained on normal data alone: on some classes (``data.normal_classes``), or on arrays
        or a folder of nothing else. The same sample has the same score on every call, whatever is beside it.

        Args:
            score: ``squared-error`` of the reconstruction at the posterior mean; ``elbo``; ``nll``,
                importance-weighted; ``density`` of the posterior mean under a Gaussian of the training part's latents;
                ``prior-density``.
            false_alarm_rate: The share of normal samples that may be above the threshold; 0.05 if ``None``.
            split: What is scored, unless ``input`` is given.
            input: New data of the same kind.
            normals: Normal samples that were not trained on, for the threshold; the validation part if ``None``.
            normal: The classes that count as normal, for the AUROC; those trained on alone if ``None``, or else labels
                such as ``normal`` and ``anomalous``, or 0 and 1.
            importance_samples: Draws for each sample, of ``elbo`` and ``nll``.
            seed: Of these draws.
            show: Samples in each row of the picture.
            out: The folder that the files go to; ``plots/`` in the run's folder if not given.
            write: Whether to write anything at all.

        Returns:
            The scores; AUROC and threshold, or a note on what they need.

        Raises:
            ConfigError: If a name or number is wrong, or the model has no such score.
            DataError: If there is no such split, a file does not fit, or there are too few normal samples for a
                false-alarm rate that was asked for.

        Example:
            >>> import latentia as lt
            >>> chosen = {"data.normal_classes": ["0"], "data.validation": 0.2}
            >>> run = lt.train("vae", steps=2, directory=None, settings=chosen)
            >>> found = run.anomaly(write=False)
            >>> len(found.scores), found.held_out
            (359, (29, 'valid images'))
        """
        return anomalies.anomaly(
            self,
            score=score,
            false_alarm_rate=false_alarm_rate,
            split=split,
            input=input,
            normals=normals,
            normal=normal,
            importance_samples=importance_samples,
            seed=seed,
            show=show,
            out=out,
            write=write,
        )

    def classify(
        self,
        labels: int = 100,
        *,
        draws: int = 5,
        method: str = "spreading",
        unlabelled: int = 10_000,
        split: str = "test",
        seed: int = 0,
        out: str | Path | None = None,
        write: bool = True,
    ) -> classification.Classification:
        """Classify from few labels: a classifier on the latents, and beside it the same one on the data themselves.

        This is M1 of Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014,
        https://arxiv.org/abs/1406.5298, section 2. The model saw no labels in training; the classifier sees those of
        a few training samples, equally many of each class, and settings are chosen on these alone.

        Args:
            labels: How many training samples keep their labels.
            draws: How often these are drawn anew; the error is given for each.
            method: ``spreading`` along neighbours, for which unlabelled samples count too; ``svm``, ``logistic`` or
                ``nearest``; see :func:`latentia.exploration.few_labels.classify`.
            unlabelled: How many training samples without labels are shown to the classifier at most.
            split: What is classified: ``test`` or ``valid``.
            seed: Of the draws.
            out: Where the picture of what was taken for what goes; ``plots/classification.png`` in the run's folder
                if not given.
            write: Whether to draw it at all.

        Returns:
            The error of each draw, for latents and for data, and the confusion matrix.

        Raises:
            ConfigError: If there is no such classifier, a number is out of range, or the model is conditional.
            DataError: If a part is missing or has no labels, or a class has fewer samples than its share of labels.

        Example:
            >>> import latentia as lt
            >>> run = lt.train("vae", steps=2, directory=None)
            >>> sorted(run.classify(20, draws=1, method="nearest").errors)
            ['data', 'latents']
        """
        return classification.classify_run(
            self,
            labels,
            draws=draws,
            method=method,
            unlabelled=unlabelled,
            split=split,
            seed=seed,
            out=out,
            write=write,
        )

    def movie(
        self,
        *,
        n: int = 1000,
        images: int = 8,
        frames: int = 120,
        seconds: float = 0.15,
        split: str = "test",
        out: str | Path | None = None,
        write: bool = True,
    ) -> filming.Movie:
        """Draw the latents and the reconstructions through training, from the checkpoints that the run kept.

        A run keeps only the last checkpoint unless ``training.keep_checkpoints`` says more; how often one is written
        says ``training.checkpoint_every``. The first frame is the model before training. Latents of more than two
        dimensions are shown in the plane of the last frame's principal components.

        Args:
            n: How many latents are drawn.
            images: How many samples are shown beside their reconstructions, 1 to 24.
            frames: The most frames; of more checkpoints, some are chosen evenly.
            seconds: For each frame.
            split: Where the samples are from.
            out: The movie's path, ``.gif`` or, where there is ffmpeg, ``.mp4``; ``samples/movie.gif`` in the
                run's folder if not given.
            write: Whether to write anything at all.

        Returns:
            Latents and reconstructions of every frame.

        Raises:
            ConfigError: If a number is out of range, or the path ends in something else.
            RunError: If the run kept too few checkpoints; the message names the settings.
            EnvironmentFault: If MP4 is wanted and there is no ffmpeg.
        """
        return filming.movie(
            self, n=n, images=images, frames=frames, seconds=seconds, split=split, out=out, write=write
        )

    def _repr_html_(self) -> str:
        test = self.summary.get("test") or {}
        cells = {"preset": self.config.preset, "data": self.config.data.source, **test}
        rows = "".join(f"<tr><th>{_html(key)}</th><td>{_html(value)}</td></tr>" for key, value in cells.items())
        return f"<table>{rows}</table>"

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
    figures = {name: [result[name] for result in results] for name in names}
    over: dict[str, Any] = {"seeds": [seed + number for number in range(len(results))]}
    for name, values in figures.items():
        over[name] = {"standard_deviation": statistics.stdev(values), "values": values}
    return {**{name: statistics.fmean(values) for name, values in figures.items()}, "over_seeds": over}


def _html(value: Any) -> str:
    return html.escape(f"{value:.6g}" if isinstance(value, float) else str(value))
