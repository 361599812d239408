from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import matplotlib
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
