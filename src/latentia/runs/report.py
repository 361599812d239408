"""The report of a run: one self-contained page that says what was measured, on what, and how.

Owns the page; is handed the numbers, the pictures and the words, and neither computes nor reads anything. The page
loads nothing: no script, no font, no picture from elsewhere, and its content security policy forbids them.
"""

from __future__ import annotations

import base64
import math
import shlex
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

NO_ELBO = (
    "An autoencoder has no ELBO: it has no prior, so that nothing can be sampled from it and no likelihood follows."
)
NO_EVALUATION = "Nothing was evaluated: there was no part of the data to evaluate on."
_PNG = b"\x89PNG\r\n\x1a\n"
_BINARISATION = {
    "none": "none, the values are as they came",
    "threshold": "at a threshold",
    "static": "drawn once, the same for every epoch and every evaluation",
    "dynamic": "drawn anew in every epoch; seeded draws in the evaluation",
}
_WORDS = {
    "likelihood": "Likelihood",
    "rate": "Rate computed",
    "dequantize": "Dequantised",
    "seed": "Seed of the evaluation",
    "mode": "Evaluation mode",
    "nll_standard_error": "Standard error of the nll",
    "unit": "Unit",
}
_SHOWN_OTHERWISE = {"likelihood_kind", "likelihood_normalised", "likelihood_in_words", "binarize"}


@dataclass(frozen=True)
class ReportFigure:
    """A picture of the report.

    Attributes:
        title: What it shows, in a few words; also its alternative text.
        caption: How to read it, in a sentence or two.
        png: The picture, a PNG.
    """

    title: str
    caption: str
    png: bytes


def render_report(
    *,
    title: str,
    summary: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    config_toml: str,
    figures: Sequence[ReportFigure],
    notes: Sequence[str],
    commands: Sequence[str],
    diagnosis: Mapping[str, Any] | None = None,
    noun: str = "image",
) -> str:
    """Write the report of a run as one HTML page.

    Every text is escaped. A quantity that does not exist for the model is left out, and the page says why where a
    reader would miss it.

    Args:
        title: What the page is called, such as the run's name.
        summary: What ``latentia train --json`` prints.
        evaluation: What ``latentia evaluate --json`` prints; may be empty.
        config_toml: The whole config.
        figures: Pictures with captions, in their order.
        notes: What a reader of the numbers should know, such as warnings, one sentence each.
        commands: What to try next, one command each.
        diagnosis: What ``latentia doctor --json`` prints, if it was asked.
        noun: What one sample is, for the units.

    Returns:
        The page.

    Example:
        >>> page = render_report(
        ...     title="digits", summary={"preset": "vae"}, evaluation={"split": "test", "n": 360, "mse": 0.021},
        ...     config_toml="seed = 0", figures=[], notes=["a < b"], commands=["latentia sample runs/digits"])
        >>> page.startswith("<!doctype html>"), "a &lt; b" in page
        (True, True)
    """
    measured = measured_of(summary, evaluation)
    sections = [
        _headline(measured, noun),
        _diagnosis(diagnosis),
        _protocol(measured),
        _figures(figures),
        _trained(summary, noun),
        _config(config_toml),
        _list("Notes", "notes", [escape(note) for note in notes]),
        _list("Try next", "commands", [f"<pre><code>{escape(command)}</code></pre>" for command in commands]),
    ]
    what = " on ".join(escape(str(summary[key])) for key in ("preset", "data") if summary.get(key))
    return f"""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<header><p class="kind">Latentia report{f" · {what}" if what else ""}</p>
<h1>{escape(title)}</h1></header>
<main>
{chr(10).join(section for section in sections if section)}
</main>
</body>
</html>
"""


def short(value: float) -> str:
    """A length in epochs for people: at most two decimals, and no zeros after them.

    Example:
        >>> short(200.0), short(1.910448), short(0.0012)
        ('200', '1.91', '0.0012')
    """
    text = f"{value:.2f}" if value >= 0.005 else f"{value:.2g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def measured_of(summary: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The evaluation; without one, the few figures that training ended with."""
    if evaluation:
        return evaluation
    test = summary.get("test")
    return {"split": "test", **test} if test else {}


# --- the headline -----------------------------------------------------------------------------------------------------


def _headline(measured: Mapping[str, Any], noun: str) -> str:
    if not measured:
        return _section("Results", f"<p class='lead'>{NO_EVALUATION}</p>")
    split = escape(str(measured.get("split") or "test"))
    count = measured.get("n")
    where = f"On the <strong>{split}</strong> part" + (
        f" ({_count(count)} {escape(noun)}s)" if _is_number(count) else ""
    )
    shown = "".join(_tile(*tile) for tile in tiles(measured, noun))
    body = f"<p class='lead'>{where}{_sentence(measured, noun)}</p>\n<dl class='tiles'>{shown}</dl>"
    remarks = [*_remarks(measured)]
    return _section("Results", body + "".join(f"<p class='remark'>{remark}</p>" for remark in remarks))


def _sentence(measured: Mapping[str, Any], noun: str) -> str:
    """The first result in words, after the words that say where it was measured."""
    elbo, mse = measured.get("elbo"), measured.get("mse")
    unit = f"nats per {escape(noun)}"
    if _is_number(elbo):
        text = f", the ELBO is <strong>{_signed(elbo, 2)} {unit}</strong>"
        if _is_number(measured.get("distortion")) and _is_number(measured.get("rate")):
            text += (
                f": a distortion of {_signed(measured['distortion'], 2)} (how badly z explains x) "
                f"and a rate of {_signed(measured['rate'], 2)} (what z costs)"
            )
        return text + "."
    if _is_number(mse):
        return f", the mean squared error of the reconstruction is <strong>{_small(mse)}</strong>."
    return "."


def tiles(measured: Mapping[str, Any], noun: str) -> Iterable[tuple[str, str, str, str]]:
    """Name, value, unit and meaning of each headline number that exists."""
    unit = f"nats per {noun}"
    get = measured.get
    if _is_number(get("elbo")):
        yield "ELBO", _signed(get("elbo"), 2), unit, "−(distortion + rate), higher is better"
    if _is_number(get("distortion")):
        yield "Distortion", _signed(get("distortion"), 2), unit, "−E log p(x given z)"
    if _is_number(get("rate")):
        yield "Rate", _signed(get("rate"), 2), unit, "KL from the posterior to the prior"
    if _is_number(get("nll")):
        samples = get("importance_samples")
        how = f"−log p(x), K = {_count(samples)} importance samples" if _is_number(samples) else "−log p(x)"
        yield "nll", _signed(get("nll"), 2), _with_error(unit, get("nll_standard_error")), how
    if _is_number(get("bits_per_dim")):
        yield "Bits per dimension", _signed(get("bits_per_dim"), 3), "bits", f"nll / (ln 2 × values per {noun})"
    if _is_number(get("mse")):
        yield "Reconstruction error", _small(get("mse")), "mse", "mean over values, at the posterior mean"
    if _is_number(get("psnr")):
        yield "PSNR", _signed(get("psnr"), 1), "dB", "10 log₁₀(1 / mse)"
    if _is_number(get("active_units")):
        of = (
            f"of {_count(get('latent_dim'))} latent dimensions"
            if _is_number(get("latent_dim"))
            else "latent dimensions"
        )
        yield "Active units", _count(get("active_units")), of, "the variance of their mean over the data is above 0.01"


def _with_error(unit: str, error: Any) -> str:
    return f"± {_signed(error, 2)} {unit}" if _is_number(error) else unit


def _tile(name: str, value: str, unit: str, meaning: str) -> str:
    return (
        f"<div><dt>{escape(name)}</dt><dd><span class='value'>{escape(value)}</span> "
        f"<span class='unit'>{escape(unit)}</span><span class='meaning'>{escape(meaning)}</span></dd></div>"
    )


def _remarks(measured: Mapping[str, Any]) -> Iterable[str]:
    """Why a number that a reader would look for is not there, or is not what it seems."""
    protocol = measured.get("protocol") or {}
    has_elbo = _is_number(measured.get("elbo"))
    if not has_elbo:
        yield NO_ELBO
    elif not _is_number(measured.get("nll")):
        yield "The likelihood was not estimated; <code>latentia evaluate RUN --importance-samples 500</code> does so."
    if _is_number(measured.get("nll_standard_error")):
        yield "± is the standard error over this part of the data, for this one model; another seed may differ by more."
    if has_elbo and protocol.get("likelihood_normalised") is False:
        yield f"The likelihood is not normalised on these data: it is {escape(_likelihood(protocol))}."


# --- the doctor -------------------------------------------------------------------------------------------------------


def _diagnosis(diagnosis: Mapping[str, Any] | None) -> str:
    """What is wrong with the run, and what to change."""
    if diagnosis is None:
        return ""
    findings = [finding for finding in diagnosis.get("findings", []) if isinstance(finding, Mapping)]
    findings = [{"settings": [], **finding} for finding in findings]
    if not findings:
        return _section("Health", "<p class='remark healthy'>The doctor found nothing wrong.</p>")
    items = [
        f"<div class='remark {_COLOURS.get(_text(finding, 'severity'), 'warning')}'>"
        f"<strong>{_text(finding, 'name').replace('-', ' ')}</strong> ({_text(finding, 'severity')}). "
        f"{_text(finding, 'message')} {_text(finding, 'remedy')}"
        + "".join(f"<pre><code>--set {escape(shlex.quote(str(one)))}</code></pre>" for one in finding["settings"])
        + "</div>"
        for finding in findings
    ]
    return _list("Health", "findings", items)


_COLOURS = {"severe": "alarm", "moderate": "warning", "slight": "warning"}


def _text(finding: Mapping[str, Any], key: str) -> str:
    return escape(str(finding.get(key) or ""))


# --- how it was measured ----------------------------------------------------------------------------------------------


def _protocol(measured: Mapping[str, Any]) -> str:
    protocol = dict(measured.get("protocol") or {})
    if not _is_number(measured.get("nll")):
        protocol.pop("nll_standard_error", None)
    rows: list[tuple[str, str]] = []
    if "likelihood" in protocol:
        normalised = {"True": "normalised: ", "False": "not normalised: "}.get(
            str(protocol.get("likelihood_normalised")), ""
        )
        words = _likelihood(protocol)
        rows.append(("Likelihood", f"{protocol.pop('likelihood')}" + (f" ({normalised}{words})" if words else "")))
    if "binarize" in protocol:
        how = str(protocol["binarize"] or "none")
        rows.append(("Binarisation", _BINARISATION.get(how, how)))
    if _is_number(measured.get("beta_effective")):
        value = f"{measured['beta_effective']:.4g}"
        rows.append(
            (
                "Effective beta",
                f"{value}: the factor on the rate, once the likelihood is normalised (a Gaussian with sigma = 1)",
            )
        )
    for key, value in protocol.items():
        if key not in _SHOWN_OTHERWISE and value is not None:
            rows.append((_WORDS.get(str(key), str(key).replace("_", " ").capitalize()), _plain(value)))
    if not rows:
        return ""
    return _section("How it was measured", _table("The protocol of the evaluation", rows))


def _likelihood(protocol: Mapping[str, Any]) -> str:
    return str(protocol.get("likelihood_in_words") or protocol.get("likelihood_kind") or "")


# --- pictures ---------------------------------------------------------------------------------------------------------


def _figures(figures: Sequence[ReportFigure]) -> str:
    if not figures:
        return ""
    return _section("Pictures", f"<div class='figures'>{''.join(_figure(figure) for figure in figures)}</div>")


def _figure(figure: ReportFigure) -> str:
    data = base64.b64encode(figure.png).decode("ascii")
    width, height = _size(figure.png)
    size = f" width='{width}' height='{height}'" if width and height else ""
    wide = bool(height) and width / height > 1.7  # on a phone these are scrolled, for their letters would be too small
    return (
        f"<figure{' class=wide' if wide else ''}><div class='paper'{' tabindex=0' if wide else ''}>"
        f"<img alt='{escape(figure.title)}'{size} src='data:image/png;base64,{data}'></div>"
        f"<figcaption><strong>{escape(figure.title)}.</strong> {escape(figure.caption)}</figcaption></figure>\n"
    )


def _size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the head of the file; zeros where it is no PNG."""
    if len(png) < 24 or not png.startswith(_PNG):
        return 0, 0
    width, height = struct.unpack(">II", png[16:24])
    return width, height


# --- what was trained -------------------------------------------------------------------------------------------------


def _trained(summary: Mapping[str, Any], noun: str) -> str:
    get = summary.get
    rows = [("Preset", get("preset") or "none, a config of its own"), ("Data", get("data"))]
    if _is_number(get("parameters")):
        rows.append(("Parameters", _count(get("parameters"))))
    length = []
    epochs = get("epochs")
    if epochs is not None and _is_number(epochs):
        length.append(f"{short(epochs)} epoch{'s' if epochs != 1 else ''}")
    if _is_number(get("steps")):
        length.append(f"{_count(get('steps'))} steps")
    rows.append(("Length", ", ".join(length) or None))
    if _is_number(get("best_step")) and get("best_step") != get("steps"):
        rows.append(("Weights", f"those of step {_count(get('best_step'))}, the best on the validation part"))
    compiled = {"True": "compiled", "False": "not compiled"}.get(str(get("compiled")))
    rows.append(
        ("Ran on", ", ".join(str(part) for part in (get("device"), get("precision"), compiled) if part) or None)
    )
    speed = get("images_per_second")
    if _is_number(speed):
        rows.append(("Speed", f"{_count(round(float(speed or 0)))} {noun}s per second, in steps after the first epoch"))
    rows.append(("Run", get("run")))
    tables = _table("The run", [(name, str(value)) for name, value in rows if value is not None])
    stages = get("seconds")
    if isinstance(stages, Mapping):
        times = [(str(name).replace("_", " "), _duration(value)) for name, value in stages.items() if _is_number(value)]
        tables += _table("Time by stage", times, numbers=True) if times else ""
    return _section("What was trained", f"<div class='tables'>{tables}</div>")


def _config(config_toml: str) -> str:
    return (
        f"<details><summary>The whole config</summary><pre><code>{escape(config_toml.strip())}</code></pre></details>"
    )


# --- building blocks --------------------------------------------------------------------------------------------------


def _section(heading: str, body: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{body}\n</section>"


def _table(caption: str, rows: Iterable[tuple[str, str]], *, numbers: bool = False) -> str:
    """A table of names and values, which are escaped here."""
    lines = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    kind = " class='numbers'" if numbers else ""
    return f"<table{kind}><caption>{escape(caption)}</caption><tbody>{lines}</tbody></table>\n"


def _list(heading: str, kind: str, items: Sequence[str]) -> str:
    """A section with a list of items that are HTML already; nothing without items."""
    if not items:
        return ""
    return _section(heading, f"<ul class='{kind}'>{''.join(f'<li>{item}</li>' for item in items)}</ul>")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _signed(value: Any, digits: int) -> str:
    """A rounded number with a true minus sign.

    Example:
        >>> _signed(-104.254, 2), _signed(-0.001, 2), _signed(1234.5, 1)
        ('−104.25', '0.00', '1,234.5')
    """
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def _small(value: Any) -> str:
    """Three digits that count, without an exponent where that stays short.

    Example:
        >>> _small(0.012345), _small(0.0), _small(0.0000123), _small(12.345)
        ('0.0123', '0', '1.23e−05', '12.3')
    """
    return f"{value:.3g}".replace("-", "−")


def _count(value: Any) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,g}"


def _duration(seconds: float) -> str:
    """Seconds as a person says them.

    Example:
        >>> _duration(0.04), _duration(12.34), _duration(200), _duration(7300)
        ('0.04 s', '12.3 s', '3 min 20 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return str(value)


# --- how it looks -----------------------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --page: #f6f7f9; --ink: #1c2430; --muted: #566170; --line: #dde2e8;
  --accent: #00629b; --remark: #eaf3f9; --healthy: #e8f5ec; --healthy-line: #2e8b57; --warning: #fff6e5;
  --warning-line: #d98e04; --alarm: #fdecea; --alarm-line: #c0392b; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1d232c; --page: #14181e; --ink: #e8ebef; --muted: #a3adba; --line: #343d49; --accent: #6db9e8;
    --remark: #1a2731; --healthy: #18291f; --healthy-line: #4cae7a; --warning: #2d2717; --warning-line: #c58a1b;
    --alarm: #33201e; --alarm-line: #e0665a; }
  .paper { filter: brightness(.9); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 72rem; padding: 2.5rem 1.5rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
h1, h2 { line-height: 1.2; overflow-wrap: anywhere; }
h1 { margin: 0 0 1.5rem; font-size: 2rem; letter-spacing: -.015em; }
h2 { margin: 3rem 0 1rem; font-size: 1.3rem; }
main > section:first-child h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.kind { margin: 0 0 .25rem; color: var(--accent); font-weight: 600; overflow-wrap: anywhere; }
.lead { margin: 0 0 1.5rem; max-width: 50rem; font-size: 1.2rem; text-wrap: pretty; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(14.5rem, 1fr)); gap: .8rem;
  margin: 0 0 1.2rem; }
.tiles > div, figure, details { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; }
.tiles > div { padding: .9rem 1.1rem 1rem; }
dt { color: var(--muted); font-size: .9rem; font-weight: 600; }
dd { margin: 0; }
.value { font-size: 1.9rem; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; }
.unit, .meaning { display: block; }
.meaning { margin-top: .2rem; color: var(--muted); font-size: .875rem; line-height: 1.4; }
.remark { margin: .5rem 0; padding: .6rem .9rem; background: var(--remark); border-left: .25rem solid;
  border-color: var(--accent); border-radius: .2rem; font-size: .95rem; }
.healthy { background: var(--healthy); border-color: var(--healthy-line); }
.warning { background: var(--warning); border-color: var(--warning-line); }
.alarm { background: var(--alarm); border-color: var(--alarm-line); }
.figures { columns: 2; column-gap: 1.2rem; }
figure { margin: 0 0 1.2rem; break-inside: avoid; overflow: hidden; }
figure.wide { column-span: all; margin-top: 1.2rem; }
figure.wide:first-child { margin-top: 0; }
.paper { background: #fff; padding: .6rem; overflow-x: auto; }
.paper img { display: block; max-width: min(100%, 48rem); height: auto; margin: 0 auto; }
figcaption { padding: .8rem 1.1rem 1rem; border-top: 1px solid var(--line); font-size: .95rem;
  overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; background: var(--paper); border: 1px solid var(--line);
  font-size: .95rem; }
caption { padding: 0 0 .5rem; text-align: left; color: var(--muted); font-size: .9rem; }
th, td { padding: .5rem .9rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { width: 15rem; color: var(--muted); font-weight: 600; overflow-wrap: break-word; }
.numbers td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tables { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 3fr); gap: 1.2rem; align-items: start; }
.tables th { width: 9rem; }
details { margin-top: 1.2rem; }
summary { padding: .8rem 1.1rem; font-weight: 600; cursor: pointer; }
pre { margin: 0; padding: .7rem 1.1rem; overflow-x: auto; }
details pre { border-top: 1px solid var(--line); }
code { font: .9em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
ul { margin: 0; padding: 0 0 0 1.2rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
.commands, .findings { padding: 0; list-style: none; }
.findings pre { padding: .4rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.commands pre { background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
@media (max-width: 44rem) {
  body { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.55rem; }
  h2 { margin-top: 2.2rem; }
  .lead { font-size: 1.08rem; }
  .figures { columns: 1; }
  .tables { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .6rem; }
  .tiles > div { padding: .7rem .8rem; }
  .value { font-size: 1.5rem; }
  .paper { padding: .3rem; }
  .wide img { max-width: none; width: 36rem; }
  th, .tables th { width: 7.5rem; }
  th, td { padding: .45rem .7rem; }
}
@media print {
  body { max-width: none; background: #fff; }
  figure, table, .tiles > div { break-inside: avoid; }
}
"""
