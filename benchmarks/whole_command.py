"""How long does one wait for ``latentia train vae --data mnist`` as a whole, beside the tutorial's script as a whole?

Both are commands of their own, in turn, several rounds, from the start of the process to its end: imports, data, 15
epochs, compilation if any; then evaluation, pictures and report of ours, and the tutorial's two figures. Every run gets
empty folders for compiled code (TORCHINDUCTOR_CACHE_DIR, TRITON_CACHE_DIR), for the fonts that matplotlib finds
(MPLCONFIGDIR) and for whatever else is cached (XDG_CACHE_HOME). Python's bytecode, which installing leaves behind, and
the page cache stay: a short run of each beforehand makes them, and is not measured. Linux only.

    LATENTIA_DATA_DIR=... python benchmarks/whole_command.py [--rounds 5] [--epochs 15] [--out FILE]

Prints a table and writes ``results/whole_command.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from performance_tables import lines_of, whole_table
from rivals import THREADS, circumstances, parsed_data_dir

EMPTIED = (
    "every run with empty caches of compiled code, fonts and everything else under XDG_CACHE_HOME, while bytecode and "
    "the page cache are warm"
)
CACHES = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME")
COMMANDS = {
    "ours": "latentia train vae --data mnist",
    "tutorial": "python benchmarks/tutorial_vae.py",
}


def words(name: str, length: Sequence[str], folder: Path) -> list[str]:
    """The words of a command that leaves what it makes in a folder."""
    if name == "ours":
        return ["-m", "latentia", "train", "vae", "--data", "mnist", "--json", *length, "--out", str(folder / "run")]
    return [str(Path(__file__).with_name("tutorial_vae.py")), *length, "--out", str(folder / "figures")]


def run(name: str, length: Sequence[str], threads: int) -> tuple[float, float, dict[str, Any]]:
    """Run a command with empty caches: its seconds, its peak of resident memory in MB, and the JSON that it printed.

    Raises:
        SystemExit: If it failed.
    """
    with tempfile.TemporaryDirectory(prefix="latentia-whole-") as place:
        folder = Path(place)
        caches = {variable: str(folder / variable) for variable in CACHES}
        environment = {**os.environ, **caches, **dict.fromkeys(THREADS, str(threads))}
        command = [sys.executable, *words(name, length, folder)]
        with open(folder / "out", "w+b") as out, open(folder / "said", "w+b") as said:
            began = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=said)
            _, code, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(code)
            if process.returncode:
                said.seek(0)
                raise SystemExit(f"{' '.join(command)} failed:\n{said.read().decode()[-3000:]}")
            out.seek(0)
            printed = json.loads(out.read()) if name == "ours" else {}
    return seconds, usage.ru_maxrss * 1024 / 1e6, printed


def main(arguments_given: Sequence[str] | None = None) -> None:
    """Run the rounds, print the table, write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LATENTIA_DATA_DIR"), help="holds mnist/")
    parser.add_argument("--out", type=Path, default=Path("results/whole_command.json"))
    arguments = parser.parse_args(arguments_given)
    parsed_data_dir(parser, arguments)
    options = f"--rounds {arguments.rounds} --epochs {arguments.epochs} --threads {arguments.threads}"
    record = circumstances(f"python benchmarks/whole_command.py {options}", arguments.threads)
    length = ["--epochs", str(arguments.epochs)]
    run("ours", ["--steps", "1"], arguments.threads)
    run("tutorial", ["--epochs", "1"], arguments.threads)
    found: dict[str, list[tuple[float, float, dict[str, Any]]]] = {name: [] for name in COMMANDS}
    for number in range(arguments.rounds):
        for name, rows in found.items():
            rows.append(run(name, length, arguments.threads))
            print(f"round {number + 1}: {name:10} {rows[-1][0]:7.2f} s", file=sys.stderr)
    ours = found["ours"][-1][2]
    record |= {
        "rounds": arguments.rounds,
        "emptied": EMPTIED,
        "measured": {
            name: {
                "command": f"{COMMANDS[name]} {' '.join(length)}",
                "seconds": [round(row[0], 2) for row in rows],
                "peak_megabytes": round(statistics.median(row[1] for row in rows)),
            }
            for name, rows in found.items()
        },
        "ratio": round(statistics.median(a[0] / b[0] for a, b in zip(*found.values(), strict=True)), 3),
        "our_last_run": {key: ours[key] for key in ("precision", "compiled", "images_per_second", "seconds", "test")},
    }
    print("\n".join(lines_of(whole_table(record))))
    print(f"ours / tutorial: {record['ratio']:.3f}; seconds of our last run: {ours['seconds']}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
