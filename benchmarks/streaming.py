"""Does training on data larger than memory stay small in memory, and as fast as training on data in memory?

Generates a file of 8-bit 28 x 28 images (4 GB) in a temporary folder, deletes it at the end, and measures

- the peak memory of ``latentia train vae --data mnist --epochs 1`` (all of it, evaluation and pictures included);
- the largest anonymous memory (RssAnon in /proc/PID/status, every 20 ms) of ``latentia train vae`` on the file;
- the speed of training steps on the file, mapped and loaded, in turn, with the file in the page cache;
- the time per image for 10,000 to 4,000,000 images of it, mapped and loaded, in turn. Where the measured steps are less
  than an epoch, the time that drawing an epoch's order takes is counted in, image by image.

Prints a table and writes medians over the rounds as JSON. Linux only.

    LATENTIA_DATA_DIR=... python benchmarks/streaming.py [--rounds 5] [--steps 3000] [--gigabytes 4] [--out FILE]
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recording import circumstances, options, write

from latentia.data import Dataset, DataSettings, IndexStream, Split, load
from latentia.data.mapped import Mapped
from latentia.objectives import Elbo
from latentia.recipes import build_model, find_preset
from latentia.training import TrainingSettings, fit
from latentia.training.events import Events
from latentia.training.execution import decide_execution

BATCH = 128
SIDE = 28
WARM = 100  # steps that are not counted
SIZES = (10_000, 100_000, 1_000_000, 4_000_000)
MODES = ("map", "load")


def generate(path: Path, gigabytes: float) -> int:
    """Write a file of pseudo-random images; returns how many."""
    count = int(gigabytes * 1e9) // SIDE**2
    block = np.random.default_rng(0).integers(0, 256, (65536, SIDE, SIDE), np.uint8)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE))
    for start in range(0, count, len(block)):
        piece = file[start : start + len(block)]
        piece[:] = block[: len(piece)] ^ np.uint8(start // len(block) % 256)
    file.flush()
    return count


def warm(path: Path) -> None:
    """Read a file once, so that the page cache holds it."""
    with open(path, "rb", buffering=0) as file:
        while file.read(2**24):
            pass


def peak_of(arguments: list[str], folder: Path) -> dict[str, float]:
    """Run a latentia command and watch its memory, in GB."""
    command = [sys.executable, "-m", "latentia", *arguments, "--out", str(folder / "run"), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    anonymous, status = 0, Path(f"/proc/{process.pid}/status")
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        anonymous = max(anonymous, int(lines.get("RssAnon", "0 kB").split()[0]))
        time.sleep(0.02)
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    said = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return {"anonymous_gigabytes": anonymous * 1024 / 1e9, "resident_gigabytes": usage.ru_maxrss * 1024 / 1e9}


class Watch(Events):
    """Notes when lines of metrics were made."""

    def __init__(self) -> None:
        self.marks: list[tuple[int, float]] = []

    def logged(self, row: Mapping[str, Any]) -> None:
        """Remember the step and the time."""
        if row["step"] >= WARM:
            self.marks.append((row["step"], time.perf_counter()))


def seconds_per_image(dataset: Dataset, steps: int, precision: str, threads: int | None) -> float:
    """Train by Latentia's loop; the time of steps after the first hundred, with the drawing of orders."""
    model = build_model(find_preset("vae").config().model, dataset.spec, seed=0)
    settings = TrainingSettings.model_validate(
        {"steps": WARM + steps, "batch_size": BATCH, "precision": precision, "threads": threads}
    )
    watch, n = Watch(), len(dataset.split("train"))
    fit(model, Elbo(), dataset, settings, execution=decide_execution(settings, model), events=watch)
    (first, began), (last, ended) = watch.marks[0], watch.marks[-1]
    images, before = (last - first) * BATCH, first * BATCH
    drawn = (before + images) // n - before // n  # orders drawn while the clock ran
    return (ended - began + (images / n - drawn) * order_seconds(n)) / images


def order_seconds(n: int) -> float:
    """How long drawing the order of one epoch takes."""
    stream = IndexStream(n, BATCH, 1, "order")
    began = time.perf_counter()
    stream.indices(0)
    return time.perf_counter() - began


def first(dataset: Dataset, n: int) -> Dataset:
    """The same data cut down to their first n samples, without a copy."""
    x = dataset.split("train").x
    part = x.subset(torch.arange(n)) if isinstance(x, Mapped) else x[:n]
    return replace(dataset, splits={"train": Split(part)})


def measure_speed(path: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """The time per image by size and by where the data are, and the ratios within each round."""
    whole = {
        mode: load(DataSettings(source=str(path), memory=mode, validation=0.0, test_fraction=0.0)) for mode in MODES
    }
    count = len(whole["map"].split("train"))
    sizes = [size for size in arguments.sizes if size < count] + [count]
    found: dict[tuple[str, int], list[float]] = {(mode, size): [] for size in sizes for mode in MODES}
    for number in range(arguments.rounds + 1):  # the first warms everything up
        for mode, size in found:
            gc.collect()
            spent = seconds_per_image(first(whole[mode], size), arguments.steps, arguments.precision, arguments.threads)
            if number:
                found[mode, size].append(spent)
    rounds = range(arguments.rounds)
    result: dict[str, Any] = {"images": count, "microseconds_per_image": {}, "relative_to_smallest": {}}
    for mode in MODES:
        base = found[mode, sizes[0]]
        result["microseconds_per_image"][mode] = {
            str(size): [round(1e6 * value, 3) for value in found[mode, size]] for size in sizes
        }
        result["relative_to_smallest"][mode] = {
            str(size): round(statistics.median(found[mode, size][i] / base[i] for i in rounds), 3) for size in sizes
        }
    ratios = [found["load", count][i] / found["map", count][i] for i in rounds]
    result["speed_mapped_to_loaded"] = round(statistics.median(ratios), 3)
    result["images_per_second"] = {mode: round(1 / statistics.median(found[mode, count])) for mode in MODES}
    return result


def main() -> None:
    """Measure, print the table, write the results."""
    parser = options(__doc__, "results/streaming.json", threads=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3000, help="training steps of each measurement")
    parser.add_argument("--gigabytes", type=float, default=4.0, help="size of the generated file")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of images to compare")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--folder", type=Path, default=None, help="where the file is generated; it is deleted again")
    arguments = parser.parse_args()
    memory: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="latentia-streaming-", dir=arguments.folder) as name:
        folder = Path(name)
        path = folder / "images.npy"
        common = [] if arguments.threads is None else ["--set", f"training.threads={arguments.threads}"]
        try:
            load(DataSettings(source="mnist"))
        except Exception as error:
            print(f"no MNIST here, its memory is not measured ({error})", file=sys.stderr)
            memory["mnist"] = None
        else:
            (folder / "mnist").mkdir()
            memory["mnist"] = peak_of(["train", "vae", "--data", "mnist", "--epochs", "1", *common], folder / "mnist")
        generate(path, arguments.gigabytes)
        warm(path)
        steps = ["--steps", str(arguments.steps), "--set", "data.test_fraction=0.001", "--set", "data.validation=0.001"]
        command = ["train", "vae", "--data", str(path), *steps, "--set", "data.memory=map", *common]
        memory["mapped"] = peak_of(command, folder)
        speed = measure_speed(path, arguments)
    given = f"--rounds {arguments.rounds} --steps {arguments.steps} --gigabytes {arguments.gigabytes:g}"
    record = {
        "command": f"python benchmarks/streaming.py {given} --precision {arguments.precision}",
        "what": f"preset vae, {SIDE} x {SIDE} 8-bit images, batch {BATCH}; ratios within rounds, medians over them",
        **circumstances(numpy=np.__version__),
        "threads": arguments.threads or torch.get_num_threads(),
        "file_gigabytes": arguments.gigabytes,
        "peak_memory": memory,
        "speed": speed,
    }
    print_table(record)
    write(arguments.out, record)


def print_table(record: Mapping[str, Any]) -> None:
    """The measurements for a person."""
    for name, peak in record["peak_memory"].items():
        if peak is not None:
            print(
                f"{name:8} peak memory {peak['resident_gigabytes']:.2f} GB resident, "
                f"{peak['anonymous_gigabytes']:.2f} GB anonymous"
            )
    speed = record["speed"]
    print(
        f"{record['file_gigabytes']:g} GB, {speed['images']:,} images: mapped {speed['images_per_second']['map']:,}/s, "
        f"loaded {speed['images_per_second']['load']:,}/s, ratio {speed['speed_mapped_to_loaded']:.2f}"
    )
    for mode, values in speed["microseconds_per_image"].items():
        for size, spent in values.items():
            ratio = speed["relative_to_smallest"][mode][size]
            middle = statistics.median(spent)
            print(f"{mode:4} {int(size):>10,} images: {middle:7.2f} us per image, {ratio:.3f} of the smallest")


if __name__ == "__main__":
    main()
