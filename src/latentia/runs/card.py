"""A run in a few lines of HTML, as a notebook shows it: what it is, its figures, and what it reconstructs.

Everything is inline: no style sheet, no script, nothing that would be fetched. Colours are those of the notebook.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from latentia.errors import LatentiaError
from latentia.evaluation.encoding import evaluating
from latentia.exploration.images import enlarge, mosaic, to_rgb
from latentia.recipes.presets import find_preset
from latentia.runs.report import measured_of, tiles
from latentia.runs.uses.material import Material

if TYPE_CHECKING:
    from latentia.recipes.config import Config
    from latentia.runs.run import Run

SHOWN = 10  # originals over their reconstructions


def render_card(run: Run) -> str:
    """The HTML."""
    evaluation = (run.directory.evaluation() if run.directory is not None else None) or {}
    measured = measured_of(run.summary, evaluation)
    figures = "".join(_figure(*one[:3]) for one in tiles(measured, "sample"))
    facts = [run.state, f"seed {run.config.seed}", *([] if run.path is None else [str(run.path)])]
    return (
        '<div style="max-width: 760px; font-family: system-ui, sans-serif; line-height: 1.4">'
        f'<div style="font-size: 1.15em; font-weight: 600">{escape(run.name)}</div>'
        f'<div style="opacity: 0.75">{escape(what_it_is(run.config))}</div>'
        f'<div style="display: flex; flex-wrap: wrap; gap: 6px 26px; margin: 10px 0">{figures}</div>'
        f"{_picture(run)}"
        f'<div style="opacity: 0.75; font-size: 0.9em">{escape("; ".join(facts))}</div></div>'
    )


def what_it_is(config: Config) -> str:
    """The system in a sentence: the preset's own, unless its model was changed.

    Example:
        >>> from latentia.recipes.config import override
        >>> config = find_preset("ae").config()
        >>> what_it_is(override(config, ["model.latent_dim=2"]))
        'The preset ae, with changes.'
    """
    if config.preset is None:
        return "A model of its own parts."
    preset = find_preset(config.preset)
    return preset.description if preset.config().model == config.model else f"The preset {config.preset}, with changes."


def _figure(name: str, value: str, unit: str) -> str:
    return (
        f'<div><div style="opacity: 0.75; font-size: 0.85em">{escape(name)}</div>'
        f'<div><b style="font-variant-numeric: tabular-nums">{escape(value)}</b> '
        f'<span style="opacity: 0.75; font-size: 0.85em">{escape(unit)}</span></div></div>'
    )


def _picture(run: Run) -> str:
    """Originals over reconstructions of the first test images; nothing for vectors, or without model or data."""
    try:
        if not run.spec.is_image:
            return ""
        split = "test" if "test" in run.dataset.splits else next(iter(run.dataset.splits))
        material = Material(run, split)
        picked = material.at(range(min(SHOWN, len(material))))
        with evaluating(run.model):
            found: Any = run.model.reconstruct(picked.x, picked.y)
    except LatentiaError:
        return ""
    rows = [to_rgb(x, run.spec.low, run.spec.high) for x in (picked.x, found)]
    images = enlarge(np.concatenate(rows), 64)
    content = io.BytesIO()
    _image(mosaic(images, len(rows[0]), gap=(4, 4))).save(content, "PNG")
    encoded = base64.b64encode(content.getvalue()).decode()
    words = f"originals of the {split} part over their reconstructions"
    return (
        f'<img alt="{words}" src="data:image/png;base64,{encoded}" style="display: block; max-width: 100%">'
        f'<div style="opacity: 0.75; font-size: 0.85em; margin: 2px 0 8px">{words}</div>'
    )


def _image(pixels: np.ndarray) -> Any:
    from PIL import Image

    return Image.fromarray(pixels)
