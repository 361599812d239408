"""The typed settings of the data: what to load, how to split it and what the model gets to see."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from latentia.settings import Settings


class DataSettings(Settings):
    """What to load, how to split it and how to prepare it.

    Attributes:
        source: A name from :data:`latentia.data.sources.SOURCES`, the path of a ``.npy`` or ``.npz`` file, or of a
            folder of pictures.
        binarize: ``none``; ``threshold``: x = 1 where the value exceeds ``threshold``; ``dynamic``: a fresh Bernoulli
            draw with the value as probability each time a sample is shown; ``static``: one such draw when loading
            (Salakhutdinov & Murray 2008, https://doi.org/10.1145/1390156.1390266).
        binarize_seed: Seed of the static draw.
        threshold: In [0, 1).
        dequantize: Add uniform noise of one level's width, x = (k + u) / levels (Theis et al. 2016,
            https://arxiv.org/abs/1511.01844, section 3.1); needs 8-bit or binary data.
        scale: ``none``; ``unit``: the training part's minimum and maximum become 0 and 1; ``standard``: the training
            part gets mean 0 and standard deviation 1. Both per feature for vectors; for images, ``unit`` uses one
            minimum and maximum and ``standard`` works per channel.
        size: Height and width to which images are resized once when they are loaded, before anything else; bilinear as
            Pillow does it, 8-bit values stay 8-bit. None: as stored.
        validation: Fraction of the training part that is held out, in [0, 1), unless the source has a validation part.
        test_fraction: Fraction that becomes the test part where the source has none, in [0, 1); refused where it
            has one.
        split_seed: Seed of both hold-outs; refused where nothing is held out.
        layout: Where the channels of a four-dimensional array of the user's own are; ``auto`` looks for an axis of
            1 to 4; refused for other data.

    Example:
        >>> DataSettings(source="mnist", validation=0.0).binarize
        'none'
    """

    source: str = "digits"
    binarize: Literal["none", "threshold", "dynamic", "static"] = "none"
    binarize_seed: int = 0
    threshold: float = Field(default=0.5, ge=0.0, lt=1.0)
    dequantize: bool = False
    scale: Literal["none", "unit", "standard"] = "none"
    size: list[Annotated[int, Field(ge=1, le=4096)]] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="[height, width] to which images are resized at loading; none: as stored.",
    )
    validation: float = Field(default=0.05, ge=0.0, lt=1.0)
    test_fraction: float = Field(default=0.2, ge=0.0, lt=1.0)
    split_seed: int = 0
    layout: Literal["auto", "channels-first", "channels-last"] = "auto"
