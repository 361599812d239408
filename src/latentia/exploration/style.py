"""How figures look, and how they become bytes: one style, no global state.

Figures are made without pyplot: no backend is chosen, no window opened, nothing is remembered, and matplotlib's
settings are as before afterwards. Knows nothing of what is drawn.
"""

from __future__ import annotations

import functools
import io
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from latentia import storage
from latentia.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches, of a figure that fills a page
INK, MUTED, LINES = "#1c2430", "#5b6675", "#d9dee5"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#b4bcc6"  # the first two: Okabe & Ito, https://jfly.uni-koeln.de/color/
# The studio's, frontend/src/core/palette.ts: far apart in OKLab, also for eyes that lack one kind of cone.
CLASS_COLOURS = (
    "#1829ac", "#ed5c1e", "#499e71", "#7948cc", "#b82556", "#388cfc", "#4d580a", "#ca6ebd", "#31638f", "#592262",
)  # fmt: skip
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
_TIED = "\N{NO-BREAK SPACE}"

_SETTINGS = {
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 10.5,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.formatter.useoffset": False,
    "grid.color": LINES,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "text.color": INK,
    "lines.linewidth": 1.8,
    "image.interpolation": "nearest",
    "figure.constrained_layout.w_pad": 0.07,
    "figure.constrained_layout.h_pad": 0.06,
    "svg.fonttype": "path",
    "svg.hashsalt": "latentia",
}
# Where class names are written in letters that matplotlib's own font lacks, one of these may be installed.
_FALLBACK_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei",
    "Malgun Gothic", "WenQuanYi Zen Hei", "Noto Sans Arabic", "Noto Sans Devanagari",
)  # fmt: skip


@functools.cache
def _families() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return ("DejaVu Sans", *(name for name in _FALLBACK_FONTS if name in installed))


@contextmanager
def styled() -> Iterator[None]:
    """Latentia's style inside the block, whatever the user's own settings are; theirs again afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # leaves the backend alone
        settings: dict[Any, Any] = {**_SETTINGS, "font.family": list(_families())}
        matplotlib.rcParams.update(settings)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, whose layout keeps texts from overlapping."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain(text: object, longest: int = 80) -> str:
    r"""Make any text harmless in a figure: one line of printable letters, none of them mathematics.

    Args:
        text: What is to be written, such as a class name.
        longest: Number of letters after which it is cut.

    Example:
        >>> plain("<b>$x$"), plain("two\nlines"), plain("a very long name", 6)
        ('<b>\\$x\\$', 'two lines', 'a ver…')
    """
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
    if len(words) > longest:
        words = words[: longest - 1].rstrip() + "…"
    return words.replace("$", r"\$")


def heading(text: str, width: float, *, letters_per_inch: float = 9.2) -> str:
    r"""A title that is broken so that it fits a figure of ``width`` inches.

    Lines end between words only: names with hyphens, short brackets, numbers and what they count, and small words with
    what follows them stay together.

    Example:
        >>> heading("moved from [0, 1] by vae-256-256-20 on mnist", 2.4)
        'moved from [0, 1]\nby vae-256-256-20\non mnist'
    """
    whole = re.sub(r"\[[^]]{,24}\]|\([^)]{,24}\)", lambda found: found[0].replace(" ", _TIED), plain(text, 400))
    whole = re.sub(r"\b(a|an|at|by|from|in|of|on|the|to|under|with|[0-9][0-9,.]*) (?=\S)", rf"\1{_TIED}", whole)
    most = max(16, int(width * letters_per_inch))
    lines = _lines(whole, most)
    for fewer in range(most - 1, max(16, 2 * most // 3), -1):  # a last word on its own looks lost
        tried = _lines(whole, fewer)
        if len(lines) < 2 or len(tried) > len(lines) or 2 * len(lines[-1]) >= len(lines[0]):
            break
        lines = tried
    return "\n".join(lines).replace(_TIED, " ")


def _lines(whole: str, most: int) -> list[str]:
    """Lines of at most so many letters; what is tied together and longer than a line is untied."""
    words = (word if len(word) <= most else word.replace(_TIED, " ") for word in whole.split(" "))
    return textwrap.wrap(" ".join(words), most, break_on_hyphens=False)


def title_figure(figure: Figure, text: str, remarks: str = "") -> None:
    """Write a figure's title at its top, at the left, and remarks under it in small letters; nothing takes no room."""
    width, height = figure.get_size_inches()
    title = heading(text, width)
    small = heading(remarks, width, letters_per_inch=13)
    if title or small:
        bold, fine = (0.0 if not lines else 1.0 + lines.count("\n") for lines in (title, small))
        room = 0.1 + 0.24 * bold + 0.18 * fine
        whole = height + room
        figure.set_figheight(whole)
        figure.suptitle(title, x=0.012, y=1 - 0.08 / whole, ha="left", va="top", color=INK)
        below = 1 - (0.1 + 0.24 * bold) / whole
        if small:
            figure.text(0.012, below, small, va="top", size=9.5, color=MUTED, linespacing=1.25)
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.set(rect=(0.0, 0.0, 1.0, height / whole))  # type: ignore[call-arg]


def figure_bytes(figure: Figure, format: Literal["png", "svg"] = "png", dpi: int = 150) -> bytes:
    """Draw a figure; the same figure gives the same bytes.

    Args:
        figure: What to draw.
        format: ``png`` or ``svg``.
        dpi: Pixels per inch; in an SVG, of the pictures inside it.

    Raises:
        ConfigError: If the format is another one.

    Example:
        >>> with styled():
        ...     figure_bytes(new_figure(2, 1))[1:4]
        b'PNG'
    """
    metadata: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    if format not in metadata:
        raise ConfigError(f"a figure can be written as png or svg, not as '{format}'")
    buffer = io.BytesIO()
    with styled(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a box is drawn; the rest is legible
        if format == "png":
            _draw_png(figure, buffer, dpi, metadata[format])
        else:
            figure.savefig(buffer, format=format, dpi=dpi, metadata=metadata[format])
    return buffer.getvalue()


def _draw_png(figure: Figure, buffer: io.BytesIO, dpi: int, metadata: dict[str, Any]) -> None:
    """Draw once; ``savefig`` goes through the whole figure twice, the first time for the layout alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    before = figure.get_dpi()
    try:
        figure.set_dpi(dpi)
        canvas.print_png(buffer, metadata=metadata)
    finally:
        figure.set_dpi(before)


def save_figure(figure: Figure, path: str | Path, dpi: int = 150) -> Path:
    """Write a figure, whole or not at all.

    Args:
        figure: What to write.
        path: Ends in ``.png`` or ``.svg``; its folder must exist.
        dpi: Pixels per inch.

    Returns:
        The path.

    Raises:
        ConfigError: If the ending is another one.
        EnvironmentFault: If it cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ("png", "svg"):
        raise ConfigError(f"a picture's name must end in .png or .svg, but is {path.name}")
    storage.write_bytes(path, figure_bytes(figure, "svg" if ending == "svg" else "png", dpi))
    return path
