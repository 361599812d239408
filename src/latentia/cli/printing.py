"""Results on stdout: one JSON document, or tables in which every number has its unit.

Owns how figures are rounded and named for a person; knows neither models nor files.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import statistics
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentia.runs.report import short

if TYPE_CHECKING:
    from rich.table import Table

NONE = "-"  # a quantity that does not exist for this model


@dataclass(frozen=True)
class Quantity:
    """How one figure is shown.

    Attributes:
        format: Its format specification.
        unit: Its unit, and what it is averaged over.
        meaning: What it is, in a few words.
    """

    format: str
    unit: str
    meaning: str


QUANTITIES = {
    "elbo": Quantity(".2f", "nats per sample", "-(distortion + rate), higher is better"),
    "distortion": Quantity(".2f", "nats per sample", "-E log p(x given z)"),
    "rate": Quantity(".2f", "nats per sample", "KL from posterior to prior"),
    "nll": Quantity(".2f", "nats per sample", "importance-weighted -log p(x)"),
    "nll_standard_error": Quantity(".2f", "nats per sample", "over the samples of this part"),
    "bits_per_dim": Quantity(".4f", "bits per dimension", "nll / (ln 2 x dimensions)"),
    "mse": Quantity(".5f", "mean over values", "of the reconstruction"),
    "psnr": Quantity(".2f", "dB", "10 log10(1 / mse)"),
    "error": Quantity(".2%", "of classes", "told wrong by q(y given x)"),
    "perplexity": Quantity(".1f", "codes", "exponential of the entropy of the codes' use"),
    "code_bits": Quantity(".0f", "bits per sample", "to store the indices, log2(codes) each"),
    "noisy_mse": Quantity(".5f", "mean over values", "of the data under the corruption of the training"),
    "noisy_psnr": Quantity(".2f", "dB", "likewise"),
    "noisy_ssim": Quantity(".4f", "mean over images", "structural similarity, likewise"),
    "denoised_mse": Quantity(".5f", "mean over values", "of what the model makes of those"),
    "denoised_psnr": Quantity(".2f", "dB", "likewise"),
    "denoised_ssim": Quantity(".4f", "mean over images", "structural similarity, likewise"),
    "beta_effective": Quantity("g", "", "factor on the rate once the likelihood is normalised"),
}
SUMMARY = ("elbo", "distortion", "rate", "mse", "noisy_mse", "denoised_mse")


def document(value: Any) -> None:
    """Print one JSON document; NaN and infinities, which JSON lacks, are errors."""
    print(json.dumps(value, indent=2, allow_nan=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def figure(name: str, value: float | None) -> str:
    """Round a quantity as its unit deserves.

    Example:
        >>> figure("elbo", -104.254), figure("rate", None), figure("parameters", 652824)
        ('-104.25', '-', '652,824')
    """
    if value is None:
        return NONE
    if name == "epochs":
        return short(value)
    if name in QUANTITIES:
        return format(value, QUANTITIES[name].format)
    return format(value, ",d" if isinstance(value, int) else ".4g")


def trained(summary: Mapping[str, Any]) -> None:
    """What a run trained, and its figures on the test part."""
    parts = [
        f"{summary['preset'] or 'a config'} on {summary['data']}",
        f"{figure('epochs', summary['epochs'])} epochs, {summary['steps']:,} steps",
        f"{summary['parameters']:,} parameters",
        f"{summary['device']}, {summary['precision']}",
    ]
    print("; ".join(parts))
    if summary.get("best_step") not in (None, summary["steps"]):
        print(f"the model has the weights of step {summary['best_step']:,}, which did best on the validation part")
    if summary.get("test"):
        _show(_figures(summary["test"], SUMMARY, title="test"))
    else:
        print(_not_evaluated(summary))


def profiled(profile: Mapping[str, Any]) -> None:
    """Where the time of a run went: its stages, and the operators of some training steps."""
    print()
    table = _table("where the time went", "seconds", "share", "ms per step", "what it is", numbers=(1, 2, 3))
    for row in profile["stages"]:
        each = row.get("milliseconds_per_step")
        spent = NONE if each is None else f"{each:.3f}"
        table.add_row(row["stage"], f"{row['seconds']:.2f}", _percent(row["share"]), spent, row["what"])
    table.add_row("all", f"{profile['seconds']:.2f}", _percent(1.0), NONE, "from the start of the process or the call")
    _show(table)
    found = profile["operators"]
    if found is not None:
        print()
        title = f"operators of {found['steps']} traced steps, {found['device']}"
        table = _table(title, "calls per step", "ms per step", "share", numbers=(1, 2, 3))
        for row in found["rows"]:
            spent = f"{row['milliseconds_per_step']:.3f}"
            table.add_row(row["operator"], f"{row['calls_per_step']:g}", spent, _percent(row["share"]))
        rest = 1.0 - sum(row["share"] for row in found["rows"])
        if found["others"]:
            table.add_row(f"{found['others']} others", NONE, NONE, _percent(max(0.0, rest)))
        _show(table)
    for note in profile["notes"]:
        print(note)
    print()


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _not_evaluated(summary: Mapping[str, Any]) -> str:
    reasons = [note for note in summary.get("notes", []) if "not finite" in note]
    return f"not evaluated: {reasons[0] if reasons else 'the data have no test part'}"


def trained_seeds(summary: Mapping[str, Any]) -> None:
    """The spread of the test figures over seeds."""
    runs = summary["runs"]
    spreads = {name: spread for name, spread in summary["test"].items() if spread is not None}
    seeds = f"{len(runs)} seed{'s' if len(runs) != 1 else ''}"
    if spreads:
        print(f"test, {seeds}")
        _show(_spreads(spreads))
    else:
        print(f"{seeds}, {_not_evaluated(runs[0])}")
    for run in runs:
        if run.get("run") is not None:
            print(f"run       {near(run['run'])}")
    if summary.get("seconds"):
        print(f"time      {summary['seconds']:.1f} s for all")


def reproduced(records: Sequence[Mapping[str, Any]]) -> None:
    """Published, reference and measured figures side by side."""
    from latentia.runs.reproduction import digits_of, spread

    columns = ("system", "figure", "published", "reference", "measured", "seeds", "allowed", "holds", "seconds")
    table = _table(*columns, numbers=(3, 4, 5, 6, 8))
    for record in records:
        reference, allowed = (
            NONE if record[name] is None else f"{record[name]:.{digits_of(record)}f}"
            for name in ("reference", "allowed")
        )
        table.add_row(
            record["name"],
            record["figure"],
            record["published"] or NONE,
            reference,
            spread(record),
            str(len(record["values"])),
            allowed,
            _words(record["holds"]),
            f"{record['seconds']:,.0f}",
        )
    _show(table)
    if not all(record["compares"] for record in records):
        print("not the published data and budgets: the measured figures do not compare with the others")


def written(run: Any) -> None:
    """Where a run's files are."""
    if run.directory is None:
        return
    print(f"run       {near(run.path)}")
    if run.directory.samples.is_dir():
        print(f"pictures  {near(run.directory.samples)}")
    if run.report_path is not None:
        print(f"report    {near(run.report_path)}")


def near(path: str | Path) -> str:
    """A path as short as it can be typed: relative below the working directory, quoted where the shell wants it.

    Example:
        >>> near(Path.cwd() / "runs" / "a") == str(Path("runs/a"))
        True
        >>> near("/elsewhere")
        '/elsewhere'
        >>> near("/my runs/a")
        "'/my runs/a'"
    """
    path = Path(path)
    text = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    if os.name == "posix":
        return shlex.quote(text)
    return f'"{text}"' if " " in text else text


def quoted(text: str) -> str:
    r"""A text that has control characters in it, quoted, so that it stays on its line; others as they are.

    Example:
        >>> quoted("a\nb"), quoted("a b")
        ("'a\\nb'", 'a b')
    """
    return text if text.isprintable() else repr(text)


def samples(n: int) -> str:
    """How many samples, in words.

    Example:
        >>> samples(1), samples(1000)
        ('1 sample', '1,000 samples')
    """
    return f"{n:,} sample{'s' if n != 1 else ''}"


def suggestions(run: Path | None) -> None:
    """What to try after the demo."""
    place = near(run) if run is not None else "RUN"
    print("\nTry next:")
    if shutil.which("latentia") is None and os.name == "posix":  # started by a script, outside the environment
        print(f"  source {near(Path(sys.prefix) / 'bin' / 'activate')}\n      so that this shell knows latentia")
    for command, purpose in (
        (f"latentia sample {place} --n 100", "a larger grid of draws from the prior"),
        (f"latentia reconstruct {place}", "originals over reconstructions"),
        (f"latentia evaluate {place} --importance-samples 500", "a tighter estimate of the likelihood"),
        ("latentia presets", "the other systems"),
        ("latentia train vae --data mnist", "the same on 60,000 larger digits"),
    ):
        print(f"  {command}\n      {purpose}")


def evaluated(result: Mapping[str, Any]) -> None:
    """An evaluation, and what its figures rest on."""
    optional = ("error", "perplexity", "code_bits")  # of classifiers and of discrete latents only
    names = [name for name in QUANTITIES if name in result and not (name in optional and result[name] is None)]
    table = _figures(result, names, title=f"{result['split']}, {samples(result['n'])}")
    if result.get("latent_dim") is not None:
        active = result.get("active_units")
        table.add_row(
            "active units",
            figure("", active),
            f"of {result['latent_dim']}",
            "latents whose mean varies over the data, with a variance above 0.01",
        )
    _show(table)
    if result.get("over_seeds"):
        _show(_spreads(result["over_seeds"]))
    if result.get("importance_samples"):
        print(f"nll from {result['importance_samples']:,} importance samples per sample")
    for name, value in _in_words(result["protocol"]).items():
        print(f"{name.replace('_', ' ')}: {_words(value)}")


def _in_words(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """A protocol for a person: without what the table says, and with words in place of flags."""
    said = ("unit", "nll_standard_error", "likelihood_kind", "likelihood_normalised", "likelihood_in_words")
    kept = {name: value for name, value in protocol.items() if name not in said}
    if protocol.get("likelihood_in_words"):
        kept["likelihood"] = f"{protocol['likelihood']}, {protocol['likelihood_in_words']}"
    return kept


def judged(result: Mapping[str, Any]) -> None:
    """Fréchet distances and confidences of images of several origins."""
    rows = [("test images, reconstructed", result["reconstructions"])]
    rows += [(f"draws from the prior {name}", judgement) for name, judgement in result["priors"].items()]
    if result["half_way"] is not None:
        rows += [
            ("half-way points between the latents of two test images", result["half_way"]),
            ("uniform draws from the box around the latents, holes and all", result["box"]),
        ]
    asked = any(judgement["accuracy"] is not None for _, judgement in rows)
    columns = ("images", "Fréchet distance", "confidence", *(("as asked", "variance ratio") if asked else ()))
    table = _table(*columns, numbers=(1, 2, 3, 4))
    for words, judgement in rows:
        cells = [f"{judgement['frechet_distance']:.2f}", f"{judgement['confidence']:.3f}"]
        if asked:
            figures = (judgement["accuracy"], judgement["variance_ratio"])
            cells += [NONE if value is None else f"{value:.3f}" for value in figures]
        table.add_row(words, *cells)
    _show(table)
    print(
        f"{result['n']:,} images each, against as many of the test part; features of {result['extractor']} "
        f"(test accuracy {result['extractor_accuracy']:.4f}); lower distances are better"
    )


def reconstructed(result: Mapping[str, Any]) -> None:
    """How far reconstructions are from originals, and where the picture is."""
    source = result["source"]
    of = f"the {source}" if source.split()[0] in ("train", "valid", "test") else source
    print(f"mse {figure('mse', result['mse'])} (mean over the values of the first {result['n']:,} of {of})")
    _picture(result)


def sampled(result: Mapping[str, Any]) -> None:
    """Where a grid of samples is."""
    _picture(result)


def interpolated(result: Mapping[str, Any]) -> None:
    """Between what a path leads, and where its strip is."""
    (a, b), (i, j) = result["names"], result["indices"]
    ends = f"from {a} to {b}" if a.startswith("#") else f"from {a} (number {i}) to {b} (number {j})"
    print(f"{ends} of {result['source']}: {result['steps']} steps, {result['path']}")
    print(f"{result['latent_distance']:.3g} apart in the latent space")
    _picture(result)


def prior_fitted(result: Mapping[str, Any]) -> None:
    """What fitting a prior came to, and how to draw from it."""
    shape = " x ".join(map(str, result["latent_shape"]))
    of = "" if result.get("classes") is None else f" in {result['classes']} classes"
    print(f"{result['prior']} on {result['latents']:,} latents of {shape}{of}; {result['parameters']:,} parameters")
    each = "map of codes" if result["prior"] == "autoregressive" else "latent vector"
    for part, density in (result.get("log_density") or {}).items():
        print(f"log density of the {part} part: {density:.2f} nats per {each}, higher is better")
    if result.get("loss") is not None:
        print(f"{result['steps']:,} steps, loss at the end {result['loss']:.2f} nats per {each}")
    if result.get("run") is not None:
        print(f"next      latentia sample {near(result['run'])} --prior {result['prior']}")
    _picture(result)


def onnx_exported(result: Mapping[str, Any]) -> None:
    """Where the ONNX files are, and how near they are to PyTorch."""
    for name in ("encoder", "decoder"):
        print(f"{name}   {near(result[name])}  ({result['bytes'][name] / 2**20:.1f} MiB)")
    print(f"says      {near(result['description'])}")
    _checked(result["check"])


def page_exported(result: Mapping[str, Any]) -> None:
    """Where the page is, how large, and how near its decoder is to PyTorch."""
    print(f"page      {near(result['page'])}  ({result['bytes'] / 1e6:.1f} MB; open it in a browser)")
    _checked(result["check"])


def _checked(check: Mapping[str, Any]) -> None:
    print(
        f"differs from PyTorch by at most {check['max_difference']:.1e}, on {check['real']:,} samples of the "
        f"{check['split']} part and {check['random']:,} random inputs ({check['tolerance']:g} is allowed)"
    )


def diagnosed(result: Mapping[str, Any]) -> None:
    """What the doctor found: each finding with its figures, and what to change."""
    for finding in result["findings"]:
        print(f"{finding['name']} ({finding['severity']})")
        for text in (finding["message"], finding["remedy"]):
            print(textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="  ", break_long_words=False))
        if finding["evidence"]:
            figures = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in finding["evidence"].items())
            print(f"  evidence: {', '.join(figures)}")
        for setting in finding["settings"]:
            print(f"  --set {shlex.quote(setting)}")
        print()
    if not result["findings"]:
        print("nothing wrong was found")
    for sentence in result["missing"]:
        print(f"note: {sentence}")


def denoised(result: Mapping[str, Any]) -> None:
    """What noise did to data, what the model made of that, and where the picture is."""
    if result["noisy"] is None:
        print(
            f"{result['n']:,} samples of {result['source']}, taken as noisy: without the clean ones nothing is scored"
        )
    else:
        print(f"{result['scored']:,} {result['source']}: {result['corruption']} (seed {result['seed']})")
        table = _table("", "noisy", "denoised", "unit")
        for name in ("mse", "psnr", "ssim"):
            if result["noisy"][name] is None:  # which vectors and data beyond [0, 1] have none of
                continue
            noisy, clean = (figure(f"{part}_{name}", result[part][name]) for part in ("noisy", "denoised"))
            table.add_row(name, noisy, clean, QUANTITIES[f"noisy_{name}"].unit)
        _show(table)
    for note in result["notes"]:
        print(f"note: {note}")
    _picture(result)


def traversed(result: Mapping[str, Any]) -> None:
    """The dimensions in the order shown, and where the picture is."""
    table = _table("dimension", "rate (nats)", "spread", "", numbers=(0, 1, 2))
    for row in result["dimensions"]:
        state = "" if row["active"] else "hardly varies" if row["rate"] is None else "at most 0.01 nats"
        table.add_row(f"z{row['dimension']}", figure("", row["rate"]), figure("", row["spread"]), state)
    _show(table)
    print(f"measured on {result['measured_on']:,} of {result['source']}; spread: standard deviation of the means")
    if result["class"] is not None:
        print(f"all decoded as class {result['class']}")
    _picture(result)


def mapped(result: Mapping[str, Any]) -> None:
    """Which plane was decoded, and where its picture is."""
    for name, axis in (("across", "horizontal"), ("up", "vertical")):
        low, high = result[axis]
        print(f"{name:<10}{result['axes'][name == 'up']}, {low:.3g} to {high:.3g}")
    print(f"{'points':<10}{result['size']} x {result['size']}, {_SPACING[result['spacing']]}")
    _picture(result)


_SPACING = {"quantiles": "at normal quantiles", "linear": "equally spaced"}


def decoded(result: Mapping[str, Any]) -> None:
    """Where decoded points are."""
    print(f"{result['n']:,} point{'s' if result['n'] != 1 else ''} decoded")
    _picture(result)


def calculated(result: Mapping[str, Any]) -> None:
    """What was added up, and where its picture is."""
    for term in result["terms"]:
        of = f"mean of {term['samples']:,}" if term["samples"] != 1 or term["name"][:1] != "#" else "one sample"
        print(f"{term['factor']:+g} x {term['name']}  ({of})")
    _picture(result)


def classified(result: Mapping[str, Any]) -> None:
    """How many were taken for something else, from latents and from the data."""
    table = _table("from", "error", "over draws", numbers=(1, 2))
    for name, spread in result["error"].items():
        deviation = spread["standard_deviation"]
        table.add_row(name, f"{spread['mean']:.2%}", "" if deviation is None else f"± {deviation:.2%}")
    draws = len(next(iter(result["error"].values()))["values"])
    print(
        f"{result['labels']} labels, {result['method']}, {result['unlabelled']:,} samples without labels; "
        f"{result['n']:,} of the {result['split']} part, {draws} draw{'s' if draws > 1 else ''} of labels"
    )
    _show(table)
    _picture(result)


def compared(result: Mapping[str, Any]) -> None:
    """The figures of several runs, which of them compare, and where the pictures are."""
    print(f"{result['n']:,} {result['source']}")
    names = ("latent_dim", "active_units", "mse", "squared_error", "rate", "beta_effective", "distortion", "elbo")
    heads = [name.replace("_", " ") + ("" if result["comparable"][name] else " *") for name in names]
    table = _table("run", *heads, numbers=range(1, len(names) + 1))
    for row in result["runs"]:
        table.add_row(row["name"], *(figure(name, row[name]) for name in names))
    _show(table)
    if not all(result["comparable"].values()):
        print("* does not compare between these runs")
    for note in result["notes"]:
        print(f"note: {note}")
    files(result, "images", "latents", "table")


def reparameterised(result: Mapping[str, Any]) -> None:
    """How near draws come to their normal, and gradients to theirs."""
    table = _table(f"{result['n']:,} draws", "exact", "measured")
    for name in ("mean", "standard_deviation"):
        table.add_row(name.replace("_", " "), *(f"{result[name][which]:.2f}" for which in ("exact", "measured")))
    _show(table)
    gradient = result["gradient_of_squared_mean"]
    print(f"gradient of E[z^2] by mu, exactly {gradient['exact']:g}, from {gradient['draws_each']} draws each:")
    for name in ("through_z", "score_function"):
        mean, spread = gradient[name]["mean"], gradient[name]["standard_deviation"]
        print(f"  {name.replace('_', ' ')}: mean {mean:.2f}, spread {NONE if spread is None else f'{spread:.2f}'}")
    _pictures(result)


def reduced(result: Mapping[str, Any]) -> None:
    """The effective beta of each way to reduce, and the weight that would make it 1."""
    table = _table(
        "distortion", "KL", "beta, cross-entropy", "beta, squared error", "weights for beta 1", numbers=(2, 3, 4)
    )
    for row in result["reductions"]:
        beta, weight = row["beta_effective"], row["kl_weight_for_beta_1"]
        table.add_row(
            row["distortion"],
            row["kl"],
            *(f"{beta[name]:,.4g}" for name in ("cross_entropy", "squared_error")),
            " / ".join(f"{weight[name]:.4g}" for name in ("cross_entropy", "squared_error")),
        )
    _show(table)
    _pictures(result)


def swept(result: Mapping[str, Any]) -> None:
    """Distortion and rate of each beta."""
    table = _table("beta", "distortion", "rate", "in use", "unit", numbers=(0, 1, 2, 3))
    for row in result["betas"]:
        figures = [figure(name, row[name]) for name in ("distortion", "rate")]
        table.add_row(
            f"{row['beta']:g}", *figures, f"{row['dimensions_in_use']} of {result['latent_dim']}", "nats per sample"
        )
    _show(table)
    print(f"{result['preset']} on {result['data']}, seed {result['seed']}: one training each")
    _pictures(result)


def _pictures(result: Mapping[str, Any]) -> None:
    for path in result["pictures"]:
        print(f"picture   {near(path)}")


def _picture(result: Mapping[str, Any]) -> None:
    files(result, "picture", "animation", "array")


def files(result: Mapping[str, Any], *names: str) -> None:
    """Where the files of a result are, those that were written."""
    for name in names:
        if result.get(name) is not None:
            print(f"{name:<10}{near(result[name])}")


def preset_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """The named systems."""
    table = _table("preset", "family", "what it is", numbers=())
    for row in rows:
        table.add_row(row["name"], row["family"], row["description"])
    _show(table)


def config(described: Mapping[str, Any]) -> None:
    """A preset's whole config as TOML, with where each value comes from."""
    from latentia.recipes import make_config, to_toml

    name = described["name"]
    print(f"# {name}: {described['description']}\n# From: {described['source']}")
    if described["same_as"]:
        print(f"# The same system: {', '.join(described['same_as'])}")
    for note in described["notes"]:
        print(f"# Note: {note}")
    print(f"# What is marked is set by {name}, after that source; all else is a default of Latentia.")
    section = ""
    for line in to_toml(make_config(described["config"])).splitlines():
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]") + "."
        key, equals, _ = line.partition(" = ")
        print(line + (_origin(described, section + key) if equals else ""))


def _origin(described: Mapping[str, Any], key: str) -> str:
    if described["origins"].get(key) != "preset":
        return ""
    defaults = described["defaults"]
    default = f"; the default is {_short(defaults[key])}" if key in defaults else ""
    return f"  # from the preset{default}"


def _short(value: Any) -> str:
    return "none" if value is None else f"'{value}'" if isinstance(value, str) else f"{value}"


def run_table(rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """The runs in a folder, and below them what is wrong with some."""
    if not rows:
        print(f"no runs in {folder}")
        return
    table = _table("run", "preset", "data", "seed", "state", "steps", "elbo", "mse", "last sign", numbers=(3, 5, 6, 7))
    for row in rows:
        names = [
            quoted(str(row[name] if row[name] is not None else NONE))
            for name in ("name", "preset", "data", "seed", "state")
        ]
        figures = [figure(name, row[name]) for name in ("step", "elbo", "mse")]
        table.add_row(*names, *figures, row["heartbeat"] or NONE)
    _show(table)
    for row in rows:
        if row["fault"]:
            print(f"{quoted(row['name'])}: {quoted(row['fault'])}")


def data(described: Mapping[str, Any]) -> None:
    """What a data set holds."""
    table = _table("", "", numbers=())
    table.show_header = False
    table.add_row("data", described["name"])
    table.add_row("what", described["description"])
    table.add_row("range", f"{described['low']:g} to {described['high']:g}")
    for name, part in described["splits"].items():
        counts = sorted(part.get("per_class", {}).values())
        spread = f", {counts[0]:,} to {counts[-1]:,} of each class" if counts else ""
        table.add_row(name, f"{samples(part['n'])}{spread}")
    if described["classes"]:
        table.add_row("classes", ", ".join(described["classes"]))
    table.add_row("fingerprint", described["fingerprint"])
    for note in described["notes"]:
        table.add_row("note", note)
    if described.get("picture") is not None:
        table.add_row("picture", near(described["picture"]))
    _show(table)


def _figures(values: Mapping[str, Any], names: Iterable[str], *, title: str) -> Table:
    table = _table(title, "", "unit", "what it is", numbers=(1,))
    for name in names:
        if name in values:
            quantity = QUANTITIES[name]
            table.add_row(name.replace("_", " "), figure(name, values[name]), quantity.unit, quantity.meaning)
    return table


def _spreads(spreads: Mapping[str, Mapping[str, Any]]) -> Table:
    """Mean and standard deviation over seeds."""
    table = _table("over seeds", "mean", "standard deviation", "unit")
    for name in (name for name in (*SUMMARY, "nll", "bits_per_dim") if name in spreads):
        values, deviation = spreads[name]["values"], spreads[name]["standard_deviation"]
        spread = NONE if deviation is None else f"{deviation:.2g}"
        table.add_row(name.replace("_", " "), figure(name, statistics.fmean(values)), spread, QUANTITIES[name].unit)
    return table


def _table(*columns: str, numbers: Sequence[int] = (1, 2)) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in numbers else "left", overflow="fold")
    return table


def _show(table: Table) -> None:
    """Print a table; a pipe has no width, so nothing is folded there."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 200
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())


def _words(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    return str(value)
