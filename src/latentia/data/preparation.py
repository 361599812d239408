"""From what is stored to what the model sees: 8-bit values to [0, 1], scaling, binarising, dequantising.

Owns the only place where that mapping is written down, so that training, evaluation and new data agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from latentia.data.arrays import as_stored
from latentia.data.dataset import DataSpec
from latentia.data.mapped import Mapped
from latentia.data.seeds import generator
from latentia.data.settings import DataSettings
from latentia.errors import ConfigError, DataError

Binarize = Literal["none", "threshold", "dynamic", "static"]
CHUNK_VALUES = 2**21  # of which sums are taken at once


@dataclass(frozen=True)
class Preparation:
    """The mapping from stored values to x.

    In this order, with L = ``levels`` and k the stored whole number::

        x = k / (L - 1)  or  (k + u) / L if ``dequantize``     (float32 values: x = value)
        x = (x - offset) factor
        x = [x > threshold]  or  [u < x] if ``binarize`` is "dynamic"

    with u uniform in [0, 1), given by the caller, so that the result is a pure function. A "static" binarisation
    happened when the data were loaded: 0 and 1 are stored, and L is 2.

    Attributes:
        levels: Number of levels of what is stored, or None for real numbers.
        offset: One number, or one for each entry of the first event axis (feature or channel).
        factor: Like ``offset``.
        binarize: How x becomes 0 or 1.
        threshold: In [0, 1).
        dequantize: Whether uniform noise of one level's width is added.
        binarize_seed: Seed of the static binarisation, which new data undergo too.
        within_unit: Whether what is stored lies in [0, 1] once the levels are divided out; new 8-bit data then count
            as k / 255, and new images must lie there too.

    Example:
        >>> Preparation(levels=256)(torch.tensor([[0, 51, 255]], dtype=torch.uint8))
        tensor([[0.0000, 0.2000, 1.0000]])
    """

    levels: int | None = None
    offset: float | tuple[float, ...] = 0.0
    factor: float | tuple[float, ...] = 1.0
    binarize: Binarize = "none"
    threshold: float = 0.5
    dequantize: bool = False
    binarize_seed: int = 0
    within_unit: bool = True
    _rows: dict[Any, tuple[Tensor, Tensor]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def needs_noise(self) -> bool:
        """Whether :meth:`__call__` must be given noise."""
        return self.dequantize or self.binarize == "dynamic"

    @property
    def rescales(self) -> bool:
        """Whether offset and factor change anything."""
        return not (self.offset == 0.0 and self.factor == 1.0)

    def __call__(self, stored: Tensor, noise: Tensor | None = None) -> Tensor:
        """Prepare stored values.

        Args:
            stored: (B, *event), uint8 or float32, not changed. Where ``levels`` is set, float32 values count as
                k / (L - 1) already.
            noise: u, of the same shape, uniform in [0, 1); only where :attr:`needs_noise`.

        Returns:
            x, (B, *event), float32, on the device of ``stored``.
        """
        assert not self.needs_noise or noise is not None, "this preparation draws at random: give it uniform noise"
        x = self._unit(stored, noise)
        if self.rescales:
            offset, factor = self._affine(x)
            x = (x - offset) * factor
        if self.binarize == "threshold":
            x = (x > self.threshold).to(torch.float32)
        elif self.binarize == "dynamic":
            assert noise is not None
            x = (noise < x).to(torch.float32)
        return x

    def _unit(self, stored: Tensor, noise: Tensor | None) -> Tensor:
        if self.levels is None:
            return stored.to(torch.float32)
        whole = not stored.is_floating_point()
        if self.dequantize:
            assert noise is not None
            return ((stored if whole else stored * (self.levels - 1)) + noise) / self.levels
        return stored / (self.levels - 1) if whole else stored.to(torch.float32)

    def _affine(self, x: Tensor) -> tuple[Tensor, Tensor]:
        key = (x.device, x.dim())
        if key not in self._rows:
            shape = (-1, *[1] * (x.dim() - 2))
            with torch.inference_mode(False):  # what is kept must serve training as well
                rows = [torch.tensor(value, dtype=torch.float32).reshape(shape) for value in (self.offset, self.factor)]
                self._rows[key] = (rows[0].to(x.device), rows[1].to(x.device))
        return self._rows[key]

    def restore(self, x: Tensor) -> Tensor:
        """Undo the scaling: from x back to the units of the source.

        Binary and 8-bit data go back to [0, 1], not to whole numbers. What was binarised has no way back and is
        returned as it is.

        Args:
            x: (B, *event), as the model sees or makes it; not changed.

        Example:
            >>> kelvin = Preparation(offset=273.15, factor=0.1)
            >>> kelvin.restore(kelvin(torch.tensor([[300.0]])))
            tensor([[300.]])
        """
        if not self.rescales or self.binarize != "none":
            return x
        offset, factor = self._affine(x)
        return x / factor + offset

    def adopt(self, array: Any, spec: DataSpec) -> Tensor:
        """Check new data and turn them into what would have been stored, for :meth:`__call__`.

        8-bit data count as k / 255 wherever the model's values are in [0, 1]. Images may lack the channel axis if
        there is one channel, or have it last; the batch axis may be missing for a single sample.

        Args:
            array: The data, an array or tensor, not changed.
            spec: What the model was trained on.

        Returns:
            (N, *event), uint8 or float32.

        Raises:
            DataError: If shape or range do not fit.

        Example:
            >>> grey = np.zeros((28, 28), dtype=np.uint8)
            >>> Preparation(levels=256).adopt(grey, DataSpec((1, 28, 28), levels=256)).shape
            torch.Size([1, 1, 28, 28])
        """
        found = as_stored(array, "the input")
        values = _fit_shape(found.values, spec)
        if self.levels is None:
            return torch.from_numpy(self._adopt_real(values, found.levels, spec))
        if found.levels is None:
            if values.min() < 0 or values.max() > 1:
                raise DataError(
                    f"the input has values in [{values.min():.4g}, {values.max():.4g}], but the model was trained on "
                    "values from 0 to 1; give 8-bit data (uint8), or divide by the largest possible value first"
                )
            unit = values
        elif found.levels == self.levels or (self.levels == 2 and values.max() <= 1):
            return torch.from_numpy(values)
        else:
            unit = values.astype(np.float32) / np.float32(found.levels - 1)
        if self.levels == 2:
            if self.binarize == "static":
                noise = torch.rand(unit.shape, generator=generator("cpu", self.binarize_seed, "static", "new"))
                return (noise < torch.from_numpy(unit)).to(torch.uint8)
            if not np.isin(unit, (0.0, 1.0)).all():
                raise DataError(
                    "the model was trained on binary data, and the input has values between 0 and 1; "
                    "binarise it first, such as with x > 0.5"
                )
            return torch.from_numpy(unit.astype(np.uint8))
        return torch.from_numpy(unit)

    def _adopt_real(self, values: np.ndarray, levels: int | None, spec: DataSpec) -> np.ndarray:
        if levels is not None:
            values = values.astype(np.float32)
            return values / np.float32(levels - 1) if self.within_unit else values
        if self.within_unit and spec.is_image and (values.min() < 0 or values.max() > 1):
            raise DataError(
                f"the input has values in [{values.min():.4g}, {values.max():.4g}], but the model was trained on "
                "images with values from 0 to 1; give 8-bit images (uint8), or divide by the largest possible value"
            )
        return values

    def to_json(self) -> dict[str, Any]:
        """Return the preparation as plain values for JSON."""
        value = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.init}
        return {key: list(given) if isinstance(given, tuple) else given for key, given in value.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Preparation:
        """Read what :meth:`to_json` wrote.

        Raises:
            DataError: If it is something else.

        Example:
            >>> preparation = Preparation(levels=256, binarize="dynamic")
            >>> Preparation.from_json(preparation.to_json()) == preparation
            True
        """
        try:
            plain = dict(value)
            for key in ("offset", "factor"):
                given = plain.get(key, 0.0 if key == "offset" else 1.0)
                plain[key] = tuple(float(v) for v in given) if isinstance(given, (list, tuple)) else float(given)
            found = cls(**plain)
            if found.binarize not in get_args(Binarize) or type(found.levels) not in (int, type(None)):
                raise ValueError(f"binarize {found.binarize!r}, levels {found.levels!r}")
            return found
        except (TypeError, ValueError) as error:
            raise DataError(f"this is not a preparation that Latentia wrote ({error})") from error


def _fit_shape(values: np.ndarray, spec: DataSpec) -> np.ndarray:
    event, shape = spec.event_shape, values.shape
    if shape[1:] == event:
        return values
    if shape == event:
        return values[None]
    if spec.is_image:
        channels, height, width = event
        if channels == 1 and shape[1:] == (height, width):
            return values[:, None]
        if channels == 1 and shape == (height, width):
            return values[None, None]
        if shape[1:] == (height, width, channels):
            return np.ascontiguousarray(np.moveaxis(values, -1, 1))
        if shape == (height, width, channels):
            return np.ascontiguousarray(np.moveaxis(values, -1, 0))[None]
    wanted = " x ".join(str(size) for size in ("N", *event))
    given = " x ".join(str(size) for size in shape)
    remedy = "reshape it"
    if spec.is_image:
        height, width = spec.event_shape[1:]
        remedy = f"reshape it, or resize it with latentia.data.resize(x, {height}, {width})"
    raise DataError(f"the input is {given}, but the model takes {wanted} ({spec.describe()}); {remedy}")


def fit_preparation(
    settings: DataSettings, x: np.ndarray | Mapped, levels: int | None, *, within_unit: bool | None = None
) -> Preparation:
    """Choose the preparation from the settings and the training part.

    Args:
        settings: What is wanted.
        x: The training part, (N, *event), uint8 or float32; static binarisation has happened.
        levels: Number of levels of what is stored, or None.
        within_unit: Whether all parts lie in [0, 1]; None: judge by the training part.

    Raises:
        ConfigError: If the settings contradict each other or do not fit the data.
        DataError: If the values cannot be scaled.
    """
    if settings.dequantize and levels is None:
        raise ConfigError(
            "data.dequantize needs 8-bit or binary data, and these are real numbers; use --set data.dequantize=false"
        )
    if within_unit is None:
        low, high = extremes(x)
        within_unit = levels is not None or bool(low.min() >= 0 and high.max() <= 1)
    unscaled = Preparation(
        levels=levels,
        binarize=settings.binarize,
        threshold=settings.threshold,
        dequantize=settings.dequantize,
        binarize_seed=settings.binarize_seed,
        within_unit=within_unit,
    )
    if settings.scale == "none":
        return unscaled
    offset, factor = _statistics(settings.scale, x, 1 if levels is None else levels - 1)
    return replace(unscaled, offset=offset, factor=factor)


def _statistics(scale: str, x: np.ndarray | Mapped, divisor: int) -> tuple[Any, Any]:
    """Return offset and factor: one number each, or one for each feature or channel.

    Sums go over the same chunks whether the data are in memory or on the disk, so that both give the same numbers.
    """
    axes: tuple[int, ...] | None = tuple(range(1, len(x.shape) - 1))  # of one sample's axes, all but the first
    if scale == "unit" and len(x.shape) == 4:
        axes = None  # one minimum and maximum, so that colours keep their balance
    lowest, highest = extremes(x)
    low = lowest.min(axis=axes).astype(np.float64) / divisor
    high = highest.max(axis=axes).astype(np.float64) / divisor
    if scale == "unit":
        offset, spread = low, high - low
    else:
        per_row = (0, *(axis + 1 for axis in axes or ()))
        count = math.prod(x.shape) // x.shape[1]
        shape = (-1, *[1] * (len(x.shape) - 2))
        total = sum(chunk.sum(axis=per_row, dtype=np.float64) for chunk in chunks(x))
        mean = np.asarray(total / count)
        squares = sum(np.square(chunk - mean.reshape(shape)).sum(axis=per_row) for chunk in chunks(x))
        offset = np.where(high > low, mean / divisor, low)  # exact where constant, so that x becomes 0
        spread = np.sqrt(np.asarray(squares / count)) / divisor
    varies = (high > low) & (spread > 0)
    factor = 1.0 / np.where(varies, spread, 1.0)
    if factor.max() > np.finfo(np.float32).max:
        raise DataError(
            "a feature varies too little to be scaled in 32 bits; multiply the data by a large number first"
        )
    return _plain(offset), _plain(factor)


def chunks(x: np.ndarray | Mapped) -> Iterator[np.ndarray]:
    """Yield the samples of a part in order, as many at a time whether they are in memory or on the disk."""
    for start in range(0, len(x), at_once := max(1, CHUNK_VALUES // math.prod(x.shape[1:]))):
        yield x[start : start + at_once] if isinstance(x, np.ndarray) else x[start : start + at_once].numpy()


def extremes(x: np.ndarray | Mapped) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest stored value of each entry of a sample, (*event,) each."""
    return (x.min(axis=0), x.max(axis=0)) if isinstance(x, np.ndarray) else x.extremes()


def _plain(value: np.ndarray) -> float | tuple[float, ...]:
    return float(value) if value.ndim == 0 else tuple(float(v) for v in value)
