"""The face of a run that puts its model to work and judges it: denoising, anomalies, few labels, health.

Owns signatures and their documentation alone: each method hands over to its use in :mod:`latentia.runs.uses`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from latentia.data.corruption import Corruption
from latentia.runs.uses import anomaly as anomalies
from latentia.runs.uses import classify as classification
from latentia.runs.uses import denoise as denoising
from latentia.runs.uses.doctor import Diagnosis, examine

if TYPE_CHECKING:
    from latentia.runs.run import Run
    from latentia.runs.uses.generation import Generated


class Applying:
    """What a run's model is good for, and how well; a part of :class:`latentia.Run`."""

    @property
    def _run(self) -> Run:
        return cast("Run", self)

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
            self._run,
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

    def anomaly(
        self,
        *,
        score: str = "squared-error",
        false_alarm_rate: float | None = None,
        threshold: float | None = None,
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
            threshold: One of your own, instead of that of normal samples.
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
            self._run,
            score=score,
            false_alarm_rate=false_alarm_rate,
            threshold=threshold,
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
        labels: int | None = None,
        *,
        draws: int | None = None,
        method: str | None = None,
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
            labels: How many training samples keep their labels; 100 if ``None``. A run with ``data.labels`` has its
                own.
            draws: How often these are drawn anew, 5 if ``None``; the error is given for each.
            method: ``spreading`` along neighbours, for which unlabelled samples count too; ``svm``, ``logistic`` or
                ``nearest``; see :func:`latentia.exploration.few_labels.classify`. If ``None``, ``spreading``, or the
                model's own q(y given x) where it has one (M2 and M1+M2), for which nothing else can be chosen.
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
            self._run,
            labels,
            draws=draws,
            method=method,
            unlabelled=unlabelled,
            split=split,
            seed=seed,
            out=out,
            write=write,
        )

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

        return judge_generated(self._run, n, seed=seed)

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
        return examine(self._run)
