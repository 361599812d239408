from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
import pytest

from latentia.errors import ConfigError, EnvironmentFault
from latentia.exploration import style

SCRIPT = """
import json, sys
import latentia.exploration
before = "matplotlib" in sys.modules or "torch" in sys.modules
from latentia.exploration import plot_curves, figure_bytes
early = "matplotlib" in sys.modules
figure_bytes(plot_curves([{"epoch": 1.0, "split": "train", "loss": 1.0}]))
import matplotlib
settings = dict(matplotlib.rcParams)
print(json.dumps([before, early, "matplotlib.pyplot" in sys.modules, settings["font.size"]]))
"""


def test_nothing_global_is_touched() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == [False, False, False, 10.0]


def test_the_users_settings_neither_change_nor_matter() -> None:
    with matplotlib.rc_context({"font.size": 40, "text.usetex": True, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        with style.styled():
            figure = style.new_figure(2, 1)
            figure.subplots().set_title("x")
        theirs = style.figure_bytes(figure)
        assert dict(matplotlib.rcParams) == before
    with style.styled():
        figure = style.new_figure(2, 1)
        figure.subplots().set_title("x")
    assert style.figure_bytes(figure) == theirs


@pytest.mark.parametrize("text", ["$x$", "a $\\frac{ $", "\\$x$", "$", "<b>$x$", "%s {0}", "\x00\x1b[31m", "雪 ☃", ""])
def test_any_text_is_drawn_as_it_is(text: str) -> None:
    with style.styled():
        figure = style.new_figure(3, 1)
        drawn = figure.text(0.5, 0.5, style.plain(text))
        style.title_figure(figure, text)
    shown, mathematical = drawn._preprocess_math(drawn.get_text())  # type: ignore[attr-defined]
    assert not mathematical
    assert shown == " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert style.figure_bytes(figure, "png")
    assert style.figure_bytes(figure, "svg")


def test_long_titles_are_broken() -> None:
    with style.styled():
        figure = style.new_figure(3, 1)
        style.title_figure(figure, "word " * 30)
    assert figure.get_suptitle().count("\n") >= 3
    assert figure.get_figheight() > 1.9


@pytest.mark.parametrize(
    ("title", "whole"),
    [
        ("latent dimensions moved one at a time, clamped to [0, 1]", "[0, 1]"),
        ("samples of a model with the name conv-vae-colour", "conv-vae-colour"),
        ("a plane of the latent space of vae-256-256-20 on mnist", "on mnist"),
        ("posterior means of the first 1,000 test images", "1,000 test"),
    ],
)
def test_titles_break_between_words_only(title: str, whole: str) -> None:
    for width in np.arange(3, 6, 0.1):
        lines = style.heading(title, float(width))
        assert whole in lines
        assert lines.replace("\n", " ") == title


def test_remarks_stand_under_the_title_and_over_the_rest() -> None:
    with style.styled():
        figure = style.new_figure(4, 2)
        axes = figure.subplots()
        axes.set_title("t")
        style.title_figure(figure, "word " * 20, "fact " * 30)
    assert style.figure_bytes(figure, dpi=100)
    title = figure._suptitle.get_window_extent()  # type: ignore[attr-defined]
    remarks, below = figure.texts[-1].get_window_extent(), axes.title.get_window_extent()
    assert title.y0 >= remarks.y1 and remarks.y0 >= below.y1
    assert title.y1 <= figure.bbox.y1 and remarks.x1 <= figure.bbox.x1


# Machado, Oliveira & Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009,
# https://doi.org/10.1109/TVCG.2009.113: without one kind of cone, on linear red, green and blue.
EYES = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def oklab(linear: np.ndarray) -> np.ndarray:
    """Ottosson's OKLab, https://bottosson.github.io/posts/oklab/, from linear colours (N, 3)."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    opponent = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(linear.clip(0, 1) @ cones.T) @ opponent.T


@pytest.mark.parametrize(("eye", "least"), [("normal", 0.1), ("deuteranopia", 0.07), ("protanopia", 0.07)])
def test_ten_classes_are_told_apart_by_every_eye(eye: str, least: float) -> None:
    values = np.array([[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in style.CLASS_COLOURS])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = oklab(linear @ EYES[eye].T)
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(10, 1)]
    print(eye, distances.min())
    assert distances.min() > least


def test_the_studio_has_the_same_colours() -> None:
    palette = (Path(__file__).parents[2] / "frontend" / "src" / "core" / "palette.ts").read_text("utf-8")
    line = next(line for line in palette.splitlines() if line.startswith("export const light"))
    assert tuple(re.findall(r"#[0-9a-f]{6}", line)) == style.CLASS_COLOURS


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_figure_gives_the_same_bytes(kind: Literal["png", "svg"]) -> None:
    drawn = []
    for _ in range(2):
        with style.styled():
            figure = style.new_figure(2, 1)
            figure.subplots().plot([1, 2], [3, 4])
        drawn.append(style.figure_bytes(figure, kind, dpi=50))
    assert drawn[0] == drawn[1]


def test_saving(tmp_path: Path) -> None:
    with style.styled():
        figure = style.new_figure(2, 1)
    assert style.save_figure(figure, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in style.save_figure(figure, tmp_path / "a.SVG").read_bytes()
    with pytest.raises(ConfigError, match=r"\.png or \.svg"):
        style.save_figure(figure, tmp_path / "a.pdf")
    with pytest.raises(ConfigError, match="png or svg"):
        style.figure_bytes(figure, "pdf")  # type: ignore[arg-type]
    with pytest.raises(EnvironmentFault, match="cannot write"):
        style.save_figure(figure, tmp_path / "missing" / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.SVG", "a.png"]
