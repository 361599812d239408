"""What the shell completes: names of presets, settings, data sets, devices and runs, without importing PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def presets(incomplete: str) -> list[tuple[str, str]]:
    """Presets that begin so, with what they are.

    Example:
        >>> [name for name, _ in presets("ae-")]
        ['ae-2d', 'ae-32']
    """
    from latentia.recipes import PRESETS

    return [(name, preset.description) for name, preset in PRESETS.items() if name.startswith(incomplete)]


def published(incomplete: str) -> list[tuple[str, str]]:
    """Published systems that begin so, with where they were published.

    Example:
        >>> [name for name, _ in published("conv-vae-32")]
        ['conv-vae-32-2', 'conv-vae-32']
    """
    from latentia.recipes import PUBLISHED

    return [(name, system.tutorial) for name, system in PUBLISHED.items() if name.startswith(incomplete)]


def settings(incomplete: str) -> list[str]:
    """Dotted keys of the presets' configs that begin so.

    Example:
        >>> settings("model.latent")
        ['model.latent_dim=']
    """
    from latentia.recipes import PRESETS

    keys = {key for preset in PRESETS.values() for key in _leaves(preset.config().model_dump())}
    return sorted(f"{key}=" for key in keys if key.startswith(incomplete))


def fittable_priors(incomplete: str) -> list[str]:
    """Priors that can be fitted, that begin so.

    Example:
        >>> fittable_priors("g")
        ['gmm']
    """
    from latentia.recipes.second_stages import STAGES

    return [name for name in STAGES if name.startswith(incomplete)]


def prior_settings(incomplete: str) -> list[str]:
    """Dotted keys of the settings of priors that begin so.

    Example:
        >>> prior_settings("comp")
        ['components=']
    """
    from latentia.recipes.second_stages import STAGES

    keys = {key for stage in STAGES.values() for key in _leaves(stage().model_dump()) if key != "name"}
    return sorted(f"{key}=" for key in keys if key.startswith(incomplete))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def sources(incomplete: str) -> list[str]:
    """Data sets that begin so, and array files on the way.

    Example:
        >>> sources("mn")
        ['mnist']
    """
    from latentia.data.catalogue import CATALOGUE

    names = [name for name in ("digits", *CATALOGUE) if name.startswith(incomplete)]
    return names + _paths(incomplete, ".npy", ".npz")


def devices(incomplete: str) -> list[str]:
    """Kinds of devices that begin so."""
    return [name for name in ("auto", "cpu", "cuda", "mps") if name.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """Run directories that begin so, and the folders on the way to them; those in ``runs/`` if nothing is typed.

    Example:
        >>> runs("no/such/place")
        []
    """
    if not incomplete and Path("runs").is_dir():
        incomplete = "runs/"
    return _paths(incomplete)


def _paths(incomplete: str, *suffixes: str) -> list[str]:
    """Folders, and files with one of the suffixes, that begin so."""
    typed = Path(incomplete)
    folder, start = (typed, "") if incomplete.endswith("/") else (typed.parent, typed.name)
    try:
        found = [path for path in folder.iterdir() if path.is_dir() or path.suffix in suffixes]
    except OSError:
        return []
    return sorted(str(path) for path in found if path.name.startswith(start) and path.name[:1] != ".")
