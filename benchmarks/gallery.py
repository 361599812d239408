"""Write ``docs/gallery.md`` and ``docs/performance.md`` from the recorded results, and the pictures from the runs.

Without an option the pages are made again from ``results/`` and from the pictures that are in ``docs/gallery/``.
``--runs DIR`` names the ``--out`` of `latentia reproduce`: its records are copied to ``results/reproduce/`` and every
picture whose runs are finished there is made anew, by the commands that the page shows. What is missing is a dash in
the tables, and no picture.

    LATENTIA_DATA_DIR=... python benchmarks/gallery.py [--runs DIR] [--only WORD ...]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gallery_pictures import SECTIONS, Picture
from performance_tables import PARTS

from latentia.recipes import PRESETS, PUBLISHED
from latentia.recipes.published import FIGURES, PublishedSystem
from latentia.runs.reproduction import digits_of, spread

ROOT = Path(__file__).resolve().parent.parent
RESULTS, DOCS = ROOT / "results", ROOT / "docs"
PICTURES = DOCS / "gallery"
RUNS = "reproduction"  # what the commands on the page call the folder of the runs
WIDTH, COLOURS, BYTES = 900, (256, 128, 64, 32, 16), 120_000  # of a committed picture: as many colours as there is room
INTO_FOLDERS = ("anomaly", "compare", "embed")  # commands whose --out is a folder
NONE = "-"
"""Stands for what was not measured or does not exist."""

HEAD = """# The gallery

The systems of five public tutorials, trained at the tutorials' own sizes and budgets on all 60,000 images of MNIST, and
what they are good for. Made by `python benchmarks/gallery.py` from the JSON files under `results/`, each of which names
its command, its seeds, the versions and the kind of machine; `latentia presets NAME` prints the whole config of a row,
where each value comes from, and what is wrong in the tutorial. What each system is, and its equation:
[the systems](systems/README.md); which is whose: [the tutorials](systems/tutorials.md).
What an autoencoder's latent space is worth beside a VAE's: [measured](systems/ae-against-vae.md).

## Published, reference and measured

`published` is what the tutorial prints. `reference` is what a direct transcription of its code reaches in fp32 on the
same 60,000/10,000 split, full test set, evaluation mode, or the published test figure where there is no transcription.
`measured` is the mean of the seeds ± their standard deviation. A row holds if the mean is within 0.3 nats or 2 % of a
squared error of the reference, or better; other rules are said below the table. Nothing was chosen on test data: these
presets train on all training images, and the last weights are the model.

Nats are summed over pixels and latent dimensions and averaged over images, with one draw of z for each image; SSE is
the squared error summed over pixels, and mse its mean over pixels and images, which lie in [0, 1]. Grey pixels under a
Bernoulli have a cross-entropy and no normalised likelihood: these ELBOs do not compare with those of binarised MNIST.
Seconds are the wall time of one seed with evaluation and pictures, while other work ran on the same machine; how fast
training is when nothing else runs is measured in [performance.md](performance.md). These runs took eager steps; since,
runs of 7,000 steps and more are compiled by default, which changes figures by rounding: `--set training.compile=off`
gives these ones.
"""

PERFORMANCE = """# Training speed

Made by `python benchmarks/gallery.py` from the JSON files under `results/`, each of which names its command, the
versions and the kind of machine. Ratios compare; images per second are those of one machine on one day.

## What a step does

The option `--profile` of `latentia train` shows where the time of a training went; the tables below say what all this
gives together.

In every step: samples stay 8-bit in memory and one gather makes a batch; products are bf16 where the processor
multiplies bf16 itself and the model is large enough to repay the casts, while weights, log-likelihood sums and the
optimiser are fp32; Adam is one call of the fused kernel; vanished moments are set to zero before they slow the
processor down; figures stay on the device until they are logged; and nothing waits for the device.

In compiled steps (`training.compile`), everything from the stored batch to the new weights is one graph:

- Loss and gradients: activations, likelihood, its gradient and all sums over the batch become few passes over memory.
- The update of the weights: its pass reads a gradient as the product left it, in bf16, which was widened in a pass of
  its own before; and it divides once for each weight, where the fused kernel divides twice.
- Weights in bf16 beside those in fp32: written by the pass that updates them. Autocast rounds them all in every step.
- From 8 bits to numbers: part of the passes that use the batch.
- Biases: added by what follows a product. `torch.addmm` on a CPU copies them into a whole product first.
- The calls of the kernels: on a CPU compiled as well, since Python would take part of a small model's time.
- Convolutions on a CPU: the compiler lays them out with channels last by itself.
- Batches and noise of up to 16 steps: on a CPU, of data in memory, made together, since a step leaves nothing of Python
  in the processor's caches.

Left out, and why:

- Moments in bf16 and figures of some steps only: they change what is computed or reported.
- Compiling the model's forward pass alone: the casts of weights and gradients stay outside.
- Running the graph without a compiler: the same bits as eager steps, and little faster; the passes are what counts.
- Other sizes of the pieces that each thread takes, and a second way of gathering a batch: no difference.
- Compiling while eager steps go on: results would depend on how fast the machine compiles; or, were the number of
  those steps fixed, a run whose graph is cached would take them for nothing.
- Multiplications in the place of divisions, which cost as much: these passes wait for memory.
- Objectives whose shapes depend on what is in a batch (`semi-supervised`) or that look into it for what to update
  (`quantized`) cannot be written down as one graph and stay eager; so do the steps of several processes.

On CUDA the same graph is compiled by Triton, where that is installed, and then captured as a CUDA graph: a step is a
few copies and one launch (`training/captured.py`). Before it is used, one replay is compared with the step itself, and
training goes on without where they differ. No GPU was there to measure on: the capture is tested on a stand-in, which
replays by calling, and on CUDA where there is one.

`auto` compiles where a run is about long enough to repay a compilation of which nothing is cached (`COMPILED_STEPS` in
`training/execution.py`: 15 epochs of all images of MNIST are). It is decided by the number of steps, the kind of
objective and whether there is a compiler, so that on one machine a command gives the same numbers however busy it is
and whatever was compiled there before; the decision is kept for `resume`. A shorter run gains from
`--set training.compile=on` where the same graph was compiled before. The compiler is spared what one graph does not
repay: it is told which instructions PyTorch found the processor to have, where it would build and load half a dozen
programs to find out; the kernels and what calls them are built at once, and without warnings that nobody sees; its
table of types is made once, not for every operation; its pattern matching and precompiled headers are left out; and
Python's collector waits until all is done.

Data that stay on the disk (`data.memory`) are read ahead by a thread, up to 16 batches at once. Two things made that
three times as slow as data in memory at first: the thread drew the epoch's order by an operation that PyTorch runs in
parallel, and with more threads than processors OpenMP lets all sleep at a barrier; and it woke up for every batch.
"""

PLAIN = """## Whole trainings beside a plain loop

From `results/train_vae.json`, which `python benchmarks/train_vae.py` writes: the 784-400-20 VAE, MNIST, batch 128,
Adam; ours and a plain in-memory eager PyTorch loop of the same model (data as a float tensor in memory, fused Adam) in
turn in one process, nothing else running; medians over rounds of one whole training each, the ratio being the median of
the rounds' ratios.
"""


def read(name: str) -> dict[str, Any] | None:
    """One recorded result, or ``None`` if it is not there yet."""
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 1) -> str:
    """A table in Markdown, whose columns from ``numbers`` on are set to the right."""
    aligned = [":--" if place < numbers else "--:" for place in range(len(columns))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [columns, aligned, *rows])


def machine(record: Mapping[str, Any]) -> str:
    """The kind of machine and the versions, in words."""
    kind, versions = record["machine"], record["versions"]
    return (
        f"{kind['processor']}, {kind['cores']} cores, {kind['device']}; Python {versions['python']}, "
        f"PyTorch {versions['torch']}"
    )


def plus_minus(mean: float | None, deviation: float | None, digits: int) -> str:
    """Mean and standard deviation."""
    if mean is None:
        return NONE
    return f"{mean:.{digits}f}" + ("" if deviation is None else f" ± {deviation:.{digits}f}")


def yes_or_no(value: bool | None) -> str:
    """Whether a rule holds."""
    return {True: "yes", False: "**no**", None: NONE}[value]


def rules(record: Mapping[str, Any]) -> list[str]:
    """Whether each rule of a record holds; ``None`` where it was measured on too few seeds to say."""
    undecided = "no verdict from fewer than three seeds"
    return [f"- {rule}: {undecided if holds is None else yes_or_no(holds)}" for rule, holds in record["rules"].items()]


# --- the tables -------------------------------------------------------------------------------------------------------


def records() -> dict[str, dict[str, Any] | None]:
    """The record of each published system, in order."""
    return {name: read(f"reproduce/{name}.json") for name in PUBLISHED}


def compared() -> list[str]:
    """The table of published, reference and measured figures, and what must be known of its rows."""
    found = records()
    rows = [_compared_row(PUBLISHED[name], record) for name, record in found.items()]
    columns = ["system", "figure", "published", "reference", "measured", "rule", "holds"]
    lines = [table([*columns, "seeds", "epochs", "parameters", "seconds"], rows, 2), ""]
    for name, system in PUBLISHED.items():
        remarks = [system.remark, f"judged by: {system.reason}" if system.reason else "", _older(found[name])]
        if any(remarks):
            lines.append(f"- `{name}`: {'; '.join(filter(None, remarks))}.")
    kinds = dict.fromkeys(machine(record) for record in found.values() if record is not None)
    return [*lines, "", *(f"Machine: {kind}." for kind in kinds)]


def _older(record: Mapping[str, Any] | None) -> str:
    """What must be said of a row that a former command measured."""
    if record is None or record["command"].startswith("latentia reproduce"):
        return ""
    return (
        f"measured by `{record['command']}`, before `latentia reproduce` took that script's place; three systems that "
        "both measured agree in every digit"
    )


def _compared_row(system: PublishedSystem, record: Mapping[str, Any] | None) -> list[str]:
    title, _, higher_is_better = FIGURES[system.figure]
    shape = record or {"figure": title}
    reference, rule = NONE, NONE
    if system.reference is not None:
        reference = f"{system.reference:.{digits_of(shape)}f}"
    if system.allowed is not None:
        rule = f"{'≥' if higher_is_better else '≤'} {system.allowed:.{digits_of(shape)}f}"
    head = [f"`{system.name}`", title, system.published or NONE, reference]
    if record is None:
        return [*head, NONE, rule, *[NONE] * 5]
    seeds, first = len(record["values"]), record["runs"][0]
    measured = [spread(record), rule, yes_or_no(record["holds"]), str(seeds)]
    size = [f"{first['epochs']:.0f}", f"{first['parameters']:,}", f"{record['seconds'] / seeds:,.0f}"]
    return head + measured + size


FURTHER = [  # name in the records, heading, digits
    ("distortion", "distortion, nats", 2),
    ("rate", "rate, nats", 2),
    ("mse", "mse", 5),
    ("psnr", "PSNR, dB", 2),
    ("active_units", "active latents", 1),
    ("perplexity", "perplexity of codes", 1),
]
DENOISING = [("mse", "mse", 5), ("psnr", "PSNR, dB", 2), ("ssim", "SSIM", 4)]


def further() -> list[str]:
    """What else was measured of each system, and of the denoisers."""
    found = {name: record["figures"] for name, record in records().items() if record and record.get("figures")}
    if not found:
        return []
    lines = [
        "## What else was measured of them",
        "",
        "On the clean test images, mean ± standard deviation over the seeds. Mse and PSNR are of the reconstruction at "
        "the posterior mean. A Gaussian's distortion (those of the `ae` kind among them) has sigma = 1 and includes "
        "its normalising constant, so that it compares with a Bernoulli's in no way.",
        "",
        table(
            ["system", *(heading for _, heading, _ in FURTHER)],
            [
                [f"`{name}`", *(_figure(figures, key, digits) for key, _, digits in FURTHER)]
                for name, figures in found.items()
            ],
        ),
        "",
    ]
    noisy = {name: figures for name, figures in found.items() if "noisy_mse" in figures}
    if noisy:
        columns = [f"{part} {heading}" for _, heading, _ in DENOISING for part in ("noisy", "denoised")]
        rows = [
            [f"`{name}`"]
            + [
                _figure(figures, f"{part}_{key}", digits)
                for key, _, digits in DENOISING
                for part in ("noisy", "denoised")
            ]
            for name, figures in noisy.items()
        ]
        lines += [
            "Of the test images under Gaussian noise of sigma 0.5, clamped to [0, 1]:",
            "",
            table(["system", *columns], rows),
            "",
        ]
    return lines


def _figure(figures: Mapping[str, Mapping[str, float | None]], key: str, digits: int) -> str:
    return plus_minus(figures[key]["mean"], figures[key]["standard_deviation"], digits) if key in figures else NONE


def one_class(record: Mapping[str, Any]) -> list[str]:
    """AUROC of one-class MNIST."""
    digits = list(map(str, range(10)))
    rows = []
    for name, found in record["summary"].items():
        preset, score = name.split(" ", 1)
        mean = plus_minus(found["mean"], found["standard_deviation_over_seeds"], 4)
        cells = [f"{found['per_digit'][digit]:.3f}" if digit in found["per_digit"] else NONE for digit in digits]
        named = name == record["named_beforehand"]
        rows.append([f"`{preset}`", score, f"**{mean}**" if named else mean, *cells])
    return [
        "## Anomalies: one-class MNIST",
        "",
        "A model is trained on one digit alone, for 20 epochs, and its score must tell the other nine from it: the "
        "area under the ROC curve on the official test split. The score in bold was named beforehand and must be at "
        "least 0.96; nothing was chosen on test data. The mean is over the ten digits, ± the standard deviation over "
        f"{len(next(iter(record['summary'].values()))['per_seed'])} seeds; the columns are the normal digit.",
        "",
        table(["preset", "score", "mean AUROC", *digits], rows, 2),
        "",
        *(f"- `{command}`" for command in dict.fromkeys(row["command"] for row in record["rows"])),
        "",
        f"Machine: {machine(record)}.",
        "",
    ]


def fitted_priors(record: Mapping[str, Any]) -> list[str]:
    """Samples from priors that were fitted to the latents of trained models."""
    samples = {
        preset: {row["samples"] for row in record["rows"] if row["preset"] == preset} for preset in record["summary"]
    }
    rows = []
    for preset, figures in record["summary"].items():
        counts = ", ".join(f"{count:,}" for count in sorted(samples[preset]))
        for name, found in figures.items():
            digits = 5 if name.endswith("mse") else 1
            measured = plus_minus(found["mean"], found["standard_deviation"], digits)
            words = name.replace("_", " ").replace("Frechet", "Fréchet")
            rows.append([f"`{preset}`", words, measured, str(found["seeds"]), counts])
    return [
        "## Priors fitted to trained models",
        "",
        "Fréchet distances between samples and as many test images, on the features of a small digit classifier of our "
        f"own ({record['features']}, test accuracy {record['features_accuracy']:.2%}): the smaller, the more alike; "
        "they compare between equal numbers of samples alone. Mean ± standard deviation over the seeds.",
        "",
        table(["preset", "figure", "measured", "seeds", "samples"], rows, 2),
        "",
        *rules(record),
        "",
        *(f"- `{command}`" for command in dict.fromkeys(row["command"] for row in record["rows"])),
        "",
        f"Machine: {machine(record)}.",
        "",
    ]


def conditional(record: Mapping[str, Any]) -> list[str]:
    """Whether conditional samples are what was asked for."""
    rows = []
    for preset, figures in record["summary"].items():
        for name in figures:
            if name.endswith(" as_asked"):
                source = name.removesuffix(" as_asked")
                keys = {"as_asked": 4, "variance_ratio": 3, "frechet_distance": 1}
                found = {key: figures[f"{source} {key}"] for key in keys}
                measured = [
                    plus_minus(found[key]["mean"], found[key]["standard_deviation"], digits)
                    for key, digits in keys.items()
                ]
                rows.append([f"`{preset}`", source, *measured])
    seeds = len({row["seed"] for row in record["rows"]})
    return [
        "## Samples of a wished class",
        "",
        f"Of {record['what'][0].lower()}{record['what'][1:]}. The judge is {record['judge']}, whose test accuracy is "
        f"{record['judge_accuracy']:.2%}; {record['samples']:,} samples from each prior, mean ± standard deviation "
        f"over {seeds} seeds.",
        "",
        table(["preset", "samples from", "as asked", "variance ratio", "Fréchet distance"], rows, 2),
        "",
        *rules(record),
        "",
        f"`{record['command']}`. Machine: {machine(record)}.",
        "",
    ]


METHODS = {
    "pixels": "label spreading on the pixels",
    "m1": "M1: label spreading on the latents of a VAE",
    "m2": "M2: a VAE with the class among its latents",
    "m1-m2": "M1 + M2: M2 on the latents of M1",
}


def few_labels(record: Mapping[str, Any]) -> list[str]:
    """Test errors with a hundred labels."""
    found = record["methods"]
    rows = []
    for name, method in found.items():
        error = method["error"]
        values = ", ".join(f"{100 * value:.2f}" for value in error["values"])
        percent = [None if error[key] is None else 100 * error[key] for key in ("mean", "standard_deviation")]
        rows.append([METHODS.get(name, name), plus_minus(percent[0], percent[1], 2), values])
    first = next(iter(found.values()))
    return [
        "## Few labels",
        "",
        f"{record['what'][0].upper()}{record['what'][1:]}, in percent, mean ± standard deviation over the draws of the "
        f"labels. Settings were chosen without test data; named beforehand: {record['named_beforehand']}.",
        "",
        table(["method", "test error, %", "of each draw"], rows),
        "",
        *(f"- `{command}`" for command in dict.fromkeys(method["command"] for method in found.values())),
        "",
        f"Machine: {machine(first)}.",
        "",
    ]


TABLES: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "one_class.json": one_class,
    "conditional.json": conditional,
    "fitted_priors.json": fitted_priors,
    "few_labels.json": few_labels,
}
"""File under ``results/`` -> the section that it becomes, in the order of the page."""


# --- the pages --------------------------------------------------------------------------------------------------------


def page() -> str:
    """The whole gallery."""
    lines = [HEAD, *compared(), "", *further()]
    for name, section in TABLES.items():
        record = read(name)
        lines += section(record) if record is not None else []
    return "\n".join([*lines, *pictures()])


def pictures() -> list[str]:
    """Every picture that is there, with its command and what to look at."""
    lines = [
        "## Pictures",
        "",
        f"Of seed 0 of each system, after `latentia reproduce` has left its runs in `{RUNS}/`; every command says "
        "where its picture went. The committed pictures are reduced in size.",
        "",
    ]
    for title, found in SECTIONS.items():
        there = [picture for picture in found if (PICTURES / picture.name).is_file()]
        if there:
            lines += [f"### {title}", ""]
        if title in PRESETS and there:
            lines += [PRESETS[title].description, ""]
        former = ""
        for picture in there:
            commands = [*(line for line, _ in picture.before), picture.command]
            lines += [picture.sentence, ""]
            if picture.command not in ("", former):
                lines += ["```console", *commands, "```", ""]
            lines += [f"![{picture.title}](gallery/{picture.name})", ""]
            former = picture.command
    return lines


def performance() -> str:
    """The page of training speed."""
    lines = [PERFORMANCE]
    for name, part in PARTS.items():
        record = read(name)
        lines += part(record, table, machine) if record is not None else []
    speed = read("train_vae.json")
    return "\n".join([*lines, *(plain_loop(speed) if speed is not None else [])])


def plain_loop(speed: Mapping[str, Any]) -> list[str]:
    """Ours beside a plain loop, by precision."""
    rows = [
        [
            precision,
            f"{result['ours_images_per_second']:,}",
            f"{result['plain_images_per_second']:,}",
            f"{result['ratio']:.2f}",
            str(len(result["rounds"])),
        ]
        for precision, result in speed["results"].items()
    ]
    columns = ["precision", "ours, images/s", "plain loop, images/s", "ratio", "rounds"]
    return [PLAIN, table(columns, rows), "", f"Machine: {machine(speed)}.", ""]


# --- the pictures -----------------------------------------------------------------------------------------------------


def draw(picture: Picture, runs: Path, drawn: Path, prepare: bool = True) -> str:
    """Run a picture's commands and put it into ``docs/gallery/``; say what came of it.

    Args:
        picture: Which.
        runs: The ``--out`` of `latentia reproduce`.
        drawn: A folder for what commands draw; one that has run already is not run again.
        prepare: Whether to run what must be done before, if it was not.
    """
    from latentia.cli.entry import run

    def there(path: str) -> str:
        return path.replace(RUNS, str(runs), 1) if path.startswith(f"{RUNS}/") else path

    lines = [*(line for line, _ in picture.before), *([picture.command] if picture.command else [])]
    made = [there(place) for _, place in picture.before]
    commands = [[there(word) for word in shlex.split(line)] for line in lines]
    for word in (word for command in [*commands, [there(picture.file)]] for word in command):
        if word.startswith(str(runs)) and word not in made and not finished(Path(word)):
            return f"needs {word}"
    for command, place in zip(commands, made, strict=False):
        if not Path(place).exists():
            if not prepare:
                return f"needs {place}"
            if code := run(command[1:]):
                return f"failed to prepare with exit code {code}"
    source = Path(there(picture.file))
    if picture.command:
        folder, ending = drawn / hashlib.sha256(picture.command.encode()).hexdigest(), Path(picture.name).suffix
        place = folder if commands[-1][1] in INTO_FOLDERS else folder / f"out{ending}"
        if not folder.exists() and (code := run([*commands[-1][1:], "--out", str(place)])):
            return f"failed with exit code {code}"
        source = next(folder.glob(picture.file or f"out{ending}"))
    content = source.read_bytes() if source.suffix == ".gif" else reduced(source)
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / picture.name).write_bytes(content)
    return f"{len(content) / 1000:.0f} kB"


def finished(path: Path) -> bool:
    """Whether a run, or what lies in it, is finished."""
    status = path / "status.json"
    return path.is_file() or (
        status.is_file() and json.loads(status.read_text(encoding="utf-8"))["state"] == "finished"
    )


def reduced(path: Path) -> bytes:
    """A picture as PNG of at most 256 colours, no wider than the page."""
    from PIL import Image

    image = Image.open(path).convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    content = b""
    for colours in COLOURS:
        stream = io.BytesIO()
        image.quantize(colours, kmeans=1, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        content = stream.getvalue()
        if len(content) <= BYTES:
            break
    return content


def copy_records(runs: Path) -> None:
    """Take over the records of `latentia reproduce`, as far as they compare with the published figures."""
    for name in PUBLISHED:
        source = runs / f"{name}.json"
        if source.is_file() and json.loads(source.read_text(encoding="utf-8"))["compares"]:
            (RESULTS / "reproduce").mkdir(parents=True, exist_ok=True)
            (RESULTS / "reproduce" / source.name).write_bytes(source.read_bytes())


def main() -> None:
    """Copy records and draw pictures if asked to, and write the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, help="the --out of `latentia reproduce`")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="draw only pictures with one of these in their names")
    parser.add_argument("--unprepared", action="store_true", help="no picture that must train something first")
    arguments = parser.parse_args()
    if arguments.runs is not None:
        copy_records(arguments.runs)
        chosen = [
            picture
            for found in SECTIONS.values()
            for picture in found
            if not arguments.only or any(word in picture.name for word in arguments.only)
        ]
        with tempfile.TemporaryDirectory() as folder:
            for picture in chosen:
                with contextlib.redirect_stdout(io.StringIO()):
                    said = draw(picture, arguments.runs, Path(folder), not arguments.unprepared)
                print(f"{picture.name:<40} {said}", flush=True)
    (DOCS / "gallery.md").write_text(page(), encoding="utf-8")
    (DOCS / "performance.md").write_text(performance(), encoding="utf-8")


if __name__ == "__main__":
    main()
