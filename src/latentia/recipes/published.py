"""The published systems that Latentia contains, each with what it prints and what a direct transcription reaches.

Data only. ``reference`` figures are those of a plain transcription of the tutorial's code in fp32 on the original
60,000/10,000 split of MNIST, full test set, evaluation mode; ``published`` is what the tutorial itself prints. A system
that a tutorial describes without a figure has no reference: then it is judged by a limit of ours, or recorded only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from latentia.errors import ConfigError, did_you_mean

Figure = Literal["elbo", "mse", "sampled-mse", "denoised-mse", "squared-error-and-rate"]

FIGURES: dict[str, tuple[str, str, bool]] = {
    "elbo": ("test ELBO", "nats per image", True),
    "mse": ("test mse", "mean over pixels and images, pixels in [0, 1]", False),
    "sampled-mse": ("test mse, sampled z", "mean over pixels and images, pixels in [0, 1]; at one draw of z", False),
    "denoised-mse": ("test mse, denoised", "mean over pixels and images, pixels in [0, 1]; from noisy inputs", False),
    "squared-error-and-rate": (
        "test SSE + w rate",
        "squared error summed over pixels + w x rate in nats, mean over images; w = 2 beta",
        False,
    ),
}
"""Figure -> what it is called, its unit, whether higher is better."""

TOLERANCE_NATS = 0.3
TOLERANCE_SQUARED_ERROR = 0.02


@dataclass(frozen=True)
class PublishedSystem:
    """One system, and the figure by which a reproduction of it is judged.

    Attributes:
        name: Of the row; the preset's, with the budget where a preset has several.
        preset: Which preset it is.
        tutorial: Where the system was published.
        figure: What is compared.
        published: What the tutorial prints, in its own convention; ``None`` if it prints nothing comparable.
        references: What a direct transcription reached, one figure per seed; the published one where there is none;
            empty where nobody has a figure.
        settings: What the row sets apart from the preset.
        remark: What a reader must know to compare.
        limit: The worst mean that still holds, where the rule is not the usual one.
        reason: Where that limit comes from.
    """

    name: str
    preset: str
    tutorial: str
    figure: Figure
    published: str | None
    references: tuple[float, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    remark: str = ""
    limit: float | None = None
    reason: str = ""

    @property
    def reference(self) -> float | None:
        """The mean of the references, or ``None`` without any."""
        return sum(self.references) / len(self.references) if self.references else None

    @property
    def allowed(self) -> float | None:
        """The worst mean that still holds: within 0.3 nats, or 2 % of a squared error, of the reference.

        ``None`` where there is neither a reference nor a limit.

        Example:
            >>> find_published("vae-256-256-20").allowed
            -101.89999999999999
        """
        if self.limit is not None:
            return self.limit
        if self.reference is None:
            return None
        if self.figure == "elbo":
            return self.reference - TOLERANCE_NATS
        return self.reference * (1 + TOLERANCE_SQUARED_ERROR)

    @property
    def rule(self) -> str | None:
        """How it is judged, in words; ``None`` if it is not.

        Example:
            >>> find_published("vae-256-256-20").rule
            'within 0.3 nats of the reference, or better'
        """
        if self.limit is not None:
            return self.reason
        if self.reference is None:
            return None
        tolerance = f"{TOLERANCE_NATS:g} nats" if self.figure == "elbo" else f"{TOLERANCE_SQUARED_ERROR:.0%}"
        return f"within {tolerance} of the reference, or better"

    def holds(self, mean: float) -> bool | None:
        """Whether a mean over seeds is as good as the rule asks, or better; ``None`` without a rule."""
        if self.allowed is None:
            return None
        higher_is_better = FIGURES[self.figure][2]
        return mean >= self.allowed if higher_is_better else mean <= self.allowed


_VAE = "VAE for MNIST"
_RECONSTRUCTING = "Reconstructing MNIST"
_LECTURE = "Variational AutoEncoders (lecture notebook)"
_MODULE = "Autoencoders & Variational Autoencoders (course module)"
_OURS = "Latentia's own: in no tutorial"

_AE_32 = (0.01078, 0.01031, 0.00980, 0.01033)
_DENOISED = 0.01628

_SYSTEMS = [
    PublishedSystem(
        "vae-400-20",
        "vae-400-20",
        _VAE,
        "elbo",
        None,
        (-104.25, -104.31, -104.66),
        limit=-104.7,
        reason="at least -104.7, to which the reference's seeds and bf16 reach",
        remark="79.32 distortion + 24.93 rate in the first reference",
    ),
    PublishedSystem(
        "vae-256-64-10",
        "vae-256-64-10",
        _RECONSTRUCTING,
        "sampled-mse",
        None,
        (0.0236,),
        limit=0.025,
        reason="at most 0.025: repaired, and at the tutorial's balance",
        remark="repaired: free heads; the reference is after 20 epochs, the budget is 50",
    ),
    PublishedSystem(
        "vae-256-64-10-faithful",
        "vae-256-64-10-faithful",
        _RECONSTRUCTING,
        "sampled-mse",
        None,
        (0.0420,),
        remark="as written: mu and sigma through a ReLU",
    ),
    PublishedSystem(
        "ae-2d",
        "ae-2d",
        _LECTURE,
        "mse",
        "0.029244 train / 0.029576 test",
        (0.029576,),
        remark="no transcription: the reference is the published test figure",
    ),
    PublishedSystem(
        "vae-2d",
        "vae-2d",
        _LECTURE,
        "squared-error-and-rate",
        "36.659 train / 36.870 test",
        (37.00, 36.91, 36.55),
        remark="w = 1",
    ),
    PublishedSystem(
        "vae-2d-w100",
        "vae-2d-w100",
        _LECTURE,
        "squared-error-and-rate",
        "57.907 train / 58.164 test",
        (58.164,),
        remark="w = 100: complete posterior collapse; the reference is the published test figure",
    ),
    PublishedSystem(
        "conv-ae-4x4x4", "conv-ae-4x4x4", _LECTURE, "mse", "0.0041889 train / 0.0040063 test", (0.00406, 0.00414)
    ),
    PublishedSystem(
        "conv-vae-4x4x4",
        "conv-vae-4x4x4",
        _LECTURE,
        "squared-error-and-rate",
        "44.066 train / 43.668 test",
        (43.91,),
        remark="w = 0.8",
    ),
    PublishedSystem("ae-32", "ae-32", _MODULE, "mse", "0.014523 train", _AE_32),
    PublishedSystem("conv-ae-64", "conv-ae-64", _MODULE, "mse", None, (0.00175,)),
    PublishedSystem(
        "denoising-ae-64",
        "denoising-ae-64",
        _MODULE,
        "denoised-mse",
        None,
        (_DENOISED,),
        remark="from a noisy input at 0.11563: noise of sigma 0.5, clamped to [0, 1]",
    ),
    PublishedSystem(
        "vae-256-256-20",
        "vae-256-256-20",
        _MODULE,
        "elbo",
        "-127.89 train",
        (-101.60,),
        remark="81.89 distortion + 19.71 rate in the reference",
    ),
    PublishedSystem(
        "conv-vae-32-2",
        "conv-vae-32",
        _MODULE,
        "elbo",
        None,
        (-108.11, -109.39),
        {"training.epochs": 2.0},
        remark="after 2 epochs",
    ),
    PublishedSystem(
        "conv-vae-32",
        "conv-vae-32",
        _MODULE,
        "elbo",
        None,
        (-98.32,),
        remark="after 30 epochs; 73.00 distortion + 25.33 rate in the reference",
    ),
    PublishedSystem(
        "beta4-vae-10",
        "beta4-vae-10",
        _MODULE,
        "elbo",
        None,
        (),
        remark="trained with beta = 4, which trades the ELBO for a smaller rate; the module prints no figure",
    ),
    PublishedSystem(
        "sparse-ae-64",
        "sparse-ae-64",
        _MODULE,
        "mse",
        None,
        (),
        remark="the module gives neither layers nor budget nor figure: 20 epochs, as its autoencoder",
    ),
    PublishedSystem(
        "conditional-vae-20",
        "conditional-vae-20",
        _MODULE,
        "elbo",
        None,
        (),
        remark="bound on log p(x given class); the module gives neither budget nor figure: 30 epochs, as its VAE",
    ),
    PublishedSystem(
        "vq-vae-512x64",
        "vq-vae-512x64",
        _MODULE,
        "mse",
        None,
        (),
        {"training.epochs": 5.0},
        limit=sum(_AE_32) / len(_AE_32),
        reason="at most the reference of ae-32, a rule of ours",
        remark="the module gives the codebook alone, neither networks nor budget nor figure: 5 epochs",
    ),
    PublishedSystem(
        "denoising-conv-ae",
        "denoising-conv-ae",
        _OURS,
        "denoised-mse",
        None,
        (),
        limit=0.8 * _DENOISED,
        reason="at least 20 % below the reference of denoising-ae-64, a rule of ours",
        remark="20 epochs, as denoising-ae-64, and its noise",
    ),
]

PUBLISHED: dict[str, PublishedSystem] = {system.name: system for system in _SYSTEMS}
"""Name -> system, in the order in which they are shown."""


def find_published(name: str) -> PublishedSystem:
    """Look a published system up.

    Raises:
        ConfigError: If there is none of this name; the nearest is suggested.
    """
    if name not in PUBLISHED:
        hint = did_you_mean(name, PUBLISHED) or f" There are: {', '.join(PUBLISHED)}."
        raise ConfigError(f"there is no published system '{name}'.{hint}")
    return PUBLISHED[name]
