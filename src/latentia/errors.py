"""What Latentia says when something is at fault: one sentence with its remedy, and an exit code.

Below everything: this module imports nothing of Latentia. Every error that a user can cause is a
:class:`LatentiaError`; the command line prints its message alone and leaves with its ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class LatentiaError(ValueError):
    """Anything that a user can put right; its message names the remedy.

    Attributes:
        exit_code: What the command line exits with: 1 data, run, checkpoint or environment; 2 the command line or
            the config; 3 diverged; 130 interrupted.
    """

    exit_code = 1


class DataError(LatentiaError):
    """The data cannot be found, read or used as they are."""


class RunError(LatentiaError):
    """A run directory is missing, in use, unfinished or of another kind."""


class CheckpointError(LatentiaError):
    """A checkpoint is truncated, foreign or does not fit the model."""


class EnvironmentFault(LatentiaError):
    """The machine is at fault: a full disk, a missing device, an optional package that is not installed."""


class ProcessLost(EnvironmentFault):
    """One of several processes that train together has ended, or cannot be reached.

    Attributes:
        told: Whether process 0 tells it, so that this one need not.
    """

    def __init__(self, message: str, *, told: bool = False) -> None:
        super().__init__(message)
        self.told = told


class ConfigError(LatentiaError):
    """The command line or the config is at fault: misspelt, of the wrong type, out of range, or contradictory."""

    exit_code = 2


class DivergedError(LatentiaError):
    """Training produced a NaN or infinite loss; the last good checkpoint is kept."""

    exit_code = 3


class SeedsFailed(LatentiaError):
    """Some of several seeds were not trained to their end; the others are finished.

    Attributes:
        summary: What the others came to, and under ``failed`` what became of these.
    """

    def __init__(self, message: str, summary: Mapping[str, Any], exit_code: int) -> None:
        super().__init__(message)
        self.summary, self.exit_code = summary, exit_code


class Interrupted(LatentiaError):
    """Training was interrupted; ``latentia resume`` goes on from the last checkpoint, if there is one."""

    exit_code = 130


def did_you_mean(word: str, options: Iterable[str], *, prefix: str = "", suffix: str = "") -> str:
    """Suggest the nearest of some names, whatever their case.

    Args:
        word: What was written.
        options: What could have been meant.
        prefix: What stood before the word, to be shown with the suggestion, such as the section of a setting.
        suffix: What stood after it.

    Returns:
        ``" Did you mean 'x'?"`` with a leading space, or the empty string where nothing is near.

    Example:
        >>> did_you_mean("conv-vea", ["vae", "conv-vae"])
        " Did you mean 'conv-vae'?"
        >>> did_you_mean("Latent_dims", ["latent_dim"], prefix="model.")
        " Did you mean 'model.latent_dim'?"
    """
    options = list(options)
    for names, sought in (({name: name for name in options}, word), ({n.lower(): n for n in options}, word.lower())):
        if near := difflib.get_close_matches(sought, list(names), n=1, cutoff=0.6):
            return f" Did you mean '{prefix}{names[near[0]]}{suffix}'?"
    return ""
