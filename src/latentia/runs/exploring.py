"""The face of a run that looks into its latent space: paths, planes, points, embeddings and their growth.

Owns signatures and their documentation alone: each method hands over to its use in :mod:`latentia.runs.uses`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from latentia.runs.uses import arithmetic as arithmetics
from latentia.runs.uses import decode as decoding
from latentia.runs.uses import embed as embedding
from latentia.runs.uses import interpolate as interpolation
from latentia.runs.uses import manifold as manifolds
from latentia.runs.uses import movie as filming
from latentia.runs.uses import traverse as traversal

if TYPE_CHECKING:
    from latentia.runs.run import Run


class Exploring:
    """What one can see of a run's latent space; a part of :class:`latentia.Run`."""

    @property
    def _run(self) -> Run:
        return cast("Run", self)

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
        ends are real data. A conditional model decodes each step with the label of the nearer end. Of discrete latents,
        the codes nearest to each point are decoded, since the decoder knows no others.

        Args:
            start: A class to begin with, such as ``"3"``, or the number of a sample, such as ``"#7"``; with ``end``.
            end: The class or number to end with.
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
            self._run, start, end, images=images, steps=steps, path=path, split=split, input=input, out=out, write=write
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
        means stands in for it. Both are measured on the first 2,000 samples. Of discrete latents, the codes nearest to
        each point are decoded: a picture changes only where a move brings another code nearer.

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
            self._run,
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
        plane of two chosen dimensions, or through the first two principal components of the data's latents. Of discrete
        latents, the codes nearest to each point are decoded.

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
            self._run, size=size, range=range, dims=dims, label=label, split=split, input=input, out=out, write=write
        )

    def decode(
        self, points: Any, *, label: str | int | None = None, out: str | Path | None = None, write: bool = True
    ) -> decoding.Decoded:
        """Decode points of the latent space, given by their coordinates.

        Of discrete latents, the codes nearest to each point are decoded.

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
        return decoding.decode(self._run, points, label=label, out=out, write=write)

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
        Of discrete latents, means and sum are taken of the codes, and the codes nearest to these are decoded.

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
        return arithmetics.arithmetic(
            self._run, expression, label=label, split=split, input=input, out=out, write=write
        )

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
            self._run,
            n,
            latents=latents,
            projection=projection,
            split=split,
            input=input,
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
            self._run, n=n, images=images, frames=frames, seconds=seconds, split=split, out=out, write=write
        )
