"""How fast is Latentia beside the others, and beside the bare kernels? One command, everybody in turn, several rounds.

All train the same model on MNIST (batch 128, Adam 1e-3, BCE + KL, 60,000 images, two threads); see ``contenders.py``
for what each of them is, and ``floor.py`` for the kernels of the floor. Every measurement is a process of its own, so
that the peaks of resident memory (VmHWM) are its own. Compiled code is cached from round to round, in a folder that is
empty at first; whole trainings begin with an empty one each. Linux only.

    LATENTIA_DATA_DIR=... python benchmarks/rivals.py [--system vae|conv-vae-32] [--rounds 5] [--contenders NAME ...]
        images/s over a fixed number of whole training steps after a warm-up; medians, ratios within rounds
    LATENTIA_DATA_DIR=... python benchmarks/rivals.py --epochs 15 [--seeds 3] [--contenders NAME ...]
        whole trainings: the test ELBO of each, by one function on the same 10,000 images; nothing need be quiet
    LATENTIA_DATA_DIR=... python benchmarks/rivals.py --flat [--rounds 5]
        our peak memory for MNIST, and our time per image from 10,000 to 4,000,000 images in memory

Prints tables and writes ``results/rivals.json``, of which each command replaces its own part; whole trainings of as
many epochs are added to those that are there. The rivals come with ``pip install -e '.[bench]'``; what is not installed
can be left out with --contenders.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from performance_tables import elbo_table, flat_table, kernel_table, lines_of, speed_rules, speed_table

OF_ALL = ("tutorial", "eager", "eager-bf16", "ours", "ours-fp32", "ours-uncompiled", "ours-uncompiled-fp32")
FLOORS = ("floor", "floor-fp32")
SYSTEMS: dict[str, tuple[str, ...]] = {
    "vae": (OF_ALL[0], "pythae", "lightning", "lightning-bf16", *OF_ALL[1:], *FLOORS),
    "conv-vae-32": (*OF_ALL, *FLOORS),
}
"""Who takes part, in the order of their turns."""
STEPS = {"vae": (100, 600), "conv-vae-32": (100, 200)}
"""Steps of the warm-up, and steps that are timed."""
PACKAGES = ("torch", "numpy", "pythae", "lightning", "latentia")
CACHES = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
BUSY = 0.5


# --- one measurement, in a process of its own -------------------------------------------------------------------------


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a contender in a process of its own; what it has to say.

    Raises:
        SystemExit: If it failed.
    """
    with tempfile.TemporaryDirectory(prefix="latentia-rivals-") as folder:
        environment = {
            **os.environ,
            **dict.fromkeys(THREADS, str(request["threads"])),
            **{name: str(Path(request.get("caches", folder), name)) for name in CACHES},
        }
        command = [sys.executable, __file__, "--one", json.dumps({**request, "started": time.time()})]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{request['contender']} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def one(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the process does: train, and evaluate what was trained to the end."""
    import torch
    from contenders import CONTENDERS, Enough, Task, Watch, elbo_on, peak_megabytes
    from tutorial_vae import read_mnist

    torch.set_num_threads(request["threads"])
    task = Task(request["system"], request["data_dir"], request["epochs"], request["seed"])
    first, count = request["steps"]
    watch = Watch(first, first + count, stops=not request["whole"], before=request["started"])
    trained, began = None, time.perf_counter()
    with contextlib.suppress(Enough):
        trained = CONTENDERS[request["contender"]](task, watch)
    if watch.rate is None:
        raise SystemExit(f"{watch.steps} steps are too few to be timed after {first}: raise --epochs, or lower --steps")
    result = {"images_per_second": watch.rate, "peak_megabytes": watch.peak, "seconds_before": watch.before}
    if trained is not None:
        result |= {"seconds": time.perf_counter() - began, "peak_megabytes": peak_megabytes()}
        result |= elbo_on(trained, read_mnist(Path(task.data_dir), "test")[0])
    return {**result, "facts": watch.facts}


# --- the modes --------------------------------------------------------------------------------------------------------


def speeds(arguments: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Everybody's images per second, round by round, in turn."""
    request = {
        "system": arguments.system,
        "data_dir": str(arguments.data_dir),
        "threads": arguments.threads,
        "epochs": 15 if arguments.system == "vae" else 30,  # planned; ended as soon as the steps are timed
        "steps": arguments.steps,
        "whole": False,
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="latentia-compiled-") as caches:  # empty before the first round
        for number in range(arguments.rounds):
            for name in names:
                result = measure({**request, "contender": name, "seed": number, "caches": caches})
                found[name].append(result)
                print(f"round {number + 1}: {name:20} {result['images_per_second']:10,.0f} images/s", file=sys.stderr)
    return {
        "steps": list(arguments.steps),
        "seeds": list(range(arguments.rounds)),
        "contenders": {name: summary(rows) for name, rows in found.items()},
    }


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rounds of one contender and their medians."""
    keys = {"images_per_second": 0, "peak_megabytes": 0, "seconds_before": 2}
    result: dict[str, Any] = {
        key: round(statistics.median(row[key] for row in rows), digits) for key, digits in keys.items()
    }
    result["rounds"] = [round(row["images_per_second"], 1) for row in rows]
    facts = [row["facts"] for row in rows]
    if "precision" in facts[0]:
        result["precision"] = facts[0]["precision"]
    if "kernel_microseconds" in facts[0]:
        result["kernel_microseconds"] = {
            name: statistics.median(fact["kernel_microseconds"][name] for fact in facts)
            for name in facts[0]["kernel_microseconds"]
        }
    return result


def elbos(arguments: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Everybody's test ELBO after whole trainings, seed by seed."""
    request = {
        "system": arguments.system,
        "data_dir": str(arguments.data_dir),
        "threads": arguments.threads,
        "epochs": arguments.epochs,
        "steps": arguments.steps,
        "whole": True,
    }
    contenders: dict[str, Any] = {}
    for name in (name for name in names if name not in FLOORS):
        rows = []
        for seed in range(arguments.seeds):
            row = {"seed": seed, **measure({**request, "contender": name, "seed": seed})}
            rows.append({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
            print(f"seed {seed}: {name:20} test ELBO {row['elbo']:9.3f}, {row['seconds']:6.1f} s", file=sys.stderr)
        contenders[name] = {"elbo": statistics.fmean(row["elbo"] for row in rows), "runs": rows}
    return {"epochs": arguments.epochs, "contenders": contenders}


def joined(before: Mapping[str, Any] | None, section: dict[str, Any]) -> dict[str, Any]:
    """A section of ELBOs with the contenders of an earlier one of as many epochs, who were not trained again."""
    if before is None or before["epochs"] != section["epochs"]:
        return {**section, "commands": [section["command"]]}
    commands = [*before["commands"], section["command"]]
    contenders = {**before["contenders"], **section["contenders"]}
    return {**section, "commands": list(dict.fromkeys(commands)), "contenders": contenders}


def flat(arguments: argparse.Namespace) -> dict[str, Any]:
    """Our peak memory for MNIST, and our time per image by the number of images in memory."""
    from dataclasses import replace

    import torch
    from streaming import SIDE, SIZES, first, peak_of, seconds_per_image

    from latentia.data import DataSettings, Split, load

    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory(prefix="latentia-rivals-") as folder:
        peak = peak_of(["train", "vae", "--data", "mnist", "--epochs", "15"], Path(folder))
    small = torch.randint(0, 256, (2, SIDE, SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    dataset = load(DataSettings(validation=0.0, test_fraction=0.0), arrays=small.numpy())
    count = max(arguments.sizes or SIZES)
    large = torch.randint(0, 256, (count, *dataset.split("train").x.shape[1:]), dtype=torch.uint8)
    whole = replace(dataset, splits={"train": Split(large)})
    sizes = arguments.sizes or list(SIZES)
    found: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(arguments.rounds + 1):  # the first warms everything up
        for size in sizes:
            spent = seconds_per_image(first(whole, size), sum(arguments.steps), "auto", arguments.threads)
            if number:
                found[size].append(spent)
    ratios = {size: [a / b for a, b in zip(found[size], found[sizes[0]], strict=True)] for size in sizes}
    return {
        "image_bytes": SIDE**2,
        "peak_memory": {name: round(value, 3) for name, value in peak.items()},
        "microseconds_per_image": {str(size): [round(1e6 * t, 3) for t in found[size]] for size in sizes},
        "relative_to_smallest": {str(size): round(statistics.median(ratios[size]), 3) for size in sizes},
    }


# --- what is printed --------------------------------------------------------------------------------------------------


def report(part: str, system: str, section: Mapping[str, Any], elbo: Mapping[str, Any] | None) -> None:
    """What a command measured, for a person."""
    kind = section["machine"]
    print(f"{kind['processor']}, {kind['cores']} cores, {section['threads']} threads, load {section['load']:.2f}")
    if part == "speed":
        tables = [speed_table(section, elbo), speed_rules(system, section), kernel_table(section)]
    elif part == "elbo":
        tables = [elbo_table(section)]
    else:
        print(f"MNIST: peak {section['peak_memory']['resident_gigabytes']:.2f} GB resident")
        tables = [flat_table(section)]
    for found in tables:
        print("\n".join([*lines_of(found), ""]))


# --- the command ------------------------------------------------------------------------------------------------------


def parsed(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--system", choices=list(SYSTEMS), default="vae")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, nargs=2, metavar=("WARM", "TIMED"), help="of each measurement")
    parser.add_argument("--epochs", type=int, help="train to the end, for the test ELBOs")
    parser.add_argument("--seeds", type=int, default=3, help="how many whole trainings of each")
    parser.add_argument("--flat", action="store_true", help="peak memory, and time per image by the number of images")
    parser.add_argument("--sizes", type=int, nargs="+", help="the numbers of images of --flat")
    parser.add_argument("--contenders", nargs="+", metavar="NAME", help="who takes part; everybody if not given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LATENTIA_DATA_DIR"), help="holds mnist/")
    parser.add_argument("--out", type=Path, default=Path("results/rivals.json"))
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    arguments.steps = arguments.steps or STEPS[arguments.system]
    unknown = sorted(set(arguments.contenders or ()) - set(SYSTEMS[arguments.system]))
    if unknown:
        parser.error(f"no contender {unknown[0]}: choose among {', '.join(SYSTEMS[arguments.system])}")
    if arguments.one is None:
        parsed_data_dir(parser, arguments)
    return arguments


def parsed_data_dir(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Insist on the folder of the data, for everybody the same."""
    if arguments.data_dir is None:
        parser.error("say with --data-dir or LATENTIA_DATA_DIR which folder holds mnist/ with MNIST's original files")
    arguments.data_dir = Path(arguments.data_dir).absolute()
    os.environ["LATENTIA_DATA_DIR"] = str(arguments.data_dir)


def command_line(arguments: argparse.Namespace) -> str:
    """The command with what it depends on."""
    words = ["python benchmarks/rivals.py"]
    words += ["--flat"] if arguments.flat else [f"--system {arguments.system}"]
    words += [f"--epochs {arguments.epochs} --seeds {arguments.seeds}"] if arguments.epochs else []
    words += [] if arguments.epochs else [f"--rounds {arguments.rounds}"]
    words += [f"--steps {arguments.steps[0]} {arguments.steps[1]} --threads {arguments.threads}"]
    words += ["--contenders", *arguments.contenders] if arguments.contenders else []
    return " ".join(words)


def circumstances(command: str, threads: int, *, quiet: bool = True) -> dict[str, Any]:
    """Command, machine, versions and load; warns where timings should be quiet and are not."""
    from latentia.training.execution import describe_machine

    load = os.getloadavg()[0]
    if quiet and load > BUSY:
        print(f"something else is running here (load {load:.2f}): these timings will not be quiet", file=sys.stderr)
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    machine = describe_machine("cpu")
    return {"command": command, "machine": machine, "versions": versions, "threads": threads, "load": round(load, 2)}


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, and write the part that was measured."""
    arguments = parsed(words)
    if arguments.one is not None:
        print(json.dumps(one(arguments.one)))
        return
    for name in THREADS:
        os.environ[name] = str(arguments.threads)
    section = circumstances(command_line(arguments), arguments.threads, quiet=not arguments.epochs)
    names = [name for name in SYSTEMS[arguments.system] if not arguments.contenders or name in arguments.contenders]
    part = "flat" if arguments.flat else "elbo" if arguments.epochs else "speed"
    record = json.loads(arguments.out.read_text(encoding="utf-8")) if arguments.out.is_file() else {}
    place = record.setdefault(part, {})
    if part == "flat":
        record[part] = section = {**section, **flat(arguments)}
    elif part == "speed":
        place[arguments.system] = section = {**section, **speeds(arguments, names)}
    else:
        place[arguments.system] = section = joined(place.get(arguments.system), {**section, **elbos(arguments, names)})
    report(part, arguments.system, section, record.get("elbo", {}).get(arguments.system))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
