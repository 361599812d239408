"""Latentia: train, explain and ship autoencoders and variational autoencoders.

The names below are the same use cases as the commands of ``latentia``; each is imported when it is first used, so
that ``import latentia`` costs next to nothing.

Example:
    Train on the digits that come with scikit-learn, without writing anything to disk:

    >>> import latentia as lt
    >>> run = lt.train("vae", steps=2, directory=None)
    >>> sorted(run.summary["test"])
    ['distortion', 'elbo', 'mse', 'rate']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentia._lazy import attach

if TYPE_CHECKING:
    from latentia.errors import LatentiaError as LatentiaError
    from latentia.export import export_onnx as export_onnx
    from latentia.export import export_page as export_page
    from latentia.recipes import Config as Config
    from latentia.runs import Run as Run
    from latentia.runs import compare as compare
    from latentia.runs import list_runs as list_runs
    from latentia.runs import load as load
    from latentia.runs import open_run as open_run
    from latentia.runs import presets as presets
    from latentia.runs import resume as resume
    from latentia.runs import resume_seeds as resume_seeds
    from latentia.runs import train as train
    from latentia.runs import train_seeds as train_seeds
    from latentia.studio import explore as explore

    __version__: str

_attached, __dir__, __all__ = attach(
    __name__,
    {
        "Config": "recipes",
        "LatentiaError": "errors",
        "Run": "runs",
        "compare": "runs",
        "explore": "studio",
        "export_onnx": "export",
        "export_page": "export",
        "list_runs": "runs",
        "load": "runs",
        "open_run": "runs",
        "presets": "runs",
        "resume": "runs",
        "resume_seeds": "runs",
        "train": "runs",
        "train_seeds": "runs",
    },
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("latentia")
    return _attached(name)
