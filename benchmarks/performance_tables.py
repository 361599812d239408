"""What the scripts that measure speed recorded under ``results/``, as rows of words and as parts of a page.

Knows the shape of the records and nothing of how they were measured; a contender or record that is absent is left out.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Table = tuple[list[str], list[list[str]]]
"""Columns and rows."""
NONE = "-"
SYSTEMS = {"vae": "the 784-400-20 VAE", "conv-vae-32": "the convolutional VAE of 32 latents"}
RULES: dict[str, list[tuple[str, str, float]]] = {
    "vae": [
        ("ours", "tutorial", 5.0),
        ("ours", "floor", 0.7),
        ("ours-fp32", "floor-fp32", 0.9),
    ],
    "conv-vae-32": [("ours", "tutorial", 1.6)],
}
"""Who is to be at least how many times as fast as whom."""
NATS, THIRD, PEAK_GIGABYTES, FLAT = 0.2, 1 / 3, 1.0, 0.1
POINTER_MS, FRAMES, OPEN_SECONDS, WATCHED = 16.0, 30.0, 1.0, 0.05


# --- speed ------------------------------------------------------------------------------------------------------------


def ratio(section: Record, name: str, other: str) -> float | None:
    """The median over the rounds of one contender's speed by another's."""
    contenders = section["contenders"]
    if name not in contenders or other not in contenders:
        return None
    pairs = zip(contenders[name]["rounds"], contenders[other]["rounds"], strict=True)
    return statistics.median(a / b for a, b in pairs)


def its_floor(name: str, found: Record) -> str:
    """The floor of a contender's own precision; one that does not say it has it in its name."""
    precision = found.get("precision", "bf16" if name.endswith("bf16") else "fp32")
    return "floor" if precision == "bf16" else "floor-fp32"


def speed_table(section: Record, elbo: Record | None) -> Table:
    """The speeds, everybody's ratios to the rivals and to the floor of its precision, memory, and test ELBO."""
    contenders = section["contenders"]
    others = [name for name in ("tutorial", "pythae", "lightning") if name in contenders]
    trained = {} if elbo is None else elbo["contenders"]
    columns = ["", "images/s", *(f"/ {name}" for name in others), "/ its floor", "peak, MB", "before, s", "test ELBO"]
    rows = []
    for name, found in contenders.items():
        ratios = [ratio(section, name, other) for other in [*others, its_floor(name, found)]]
        cells = [name, f"{found['images_per_second']:,.0f}"]
        cells += [NONE if value is None else f"{value:.2f}" for value in ratios]
        cells += [f"{found['peak_megabytes']:,.0f}", f"{found['seconds_before']:.1f}"]
        rows.append([*cells, f"{trained[name]['elbo']:.2f}" if name in trained else NONE])
    return columns, rows


def kernel_table(section: Record) -> Table | None:
    """The kernels of the floors, by themselves."""
    floors = {
        name: found["kernel_microseconds"]
        for name, found in section["contenders"].items()
        if "kernel_microseconds" in found
    }
    if not floors:
        return None
    names = dict.fromkeys(kernel for kernels in floors.values() for kernel in kernels)
    rows = [[kernel, *(f"{kernels[kernel]:,.0f}" for kernels in floors.values())] for kernel in names]
    return ["kernel", *(f"{name}, µs" for name in floors)], rows


def speed_rules(system: str, section: Record) -> Table:
    """What is asked of the ratios, and whether it is so."""
    rows = []
    for name, other, least in RULES[system]:
        value = ratio(section, name, other)
        if value is not None:
            rows.append([f"{name} / {other}", f"≥ {least:g}", f"{value:.2f}", _holds(value >= least)])
    return ["ratio", "asked", "measured", "holds"], rows


def elbo_table(section: Record) -> Table:
    """The test ELBOs after whole trainings, and how far they are on average from the eager fp32 loop's."""
    contenders = section["contenders"]
    base = contenders.get("eager")
    rows = []
    for name, found in contenders.items():
        runs = found["runs"]
        spread = f" ± {statistics.stdev(run['elbo'] for run in runs):.2f}" if len(runs) > 1 else ""
        distance, holds = NONE, NONE
        if base is not None and name != "eager":
            pairs = list(zip(runs, base["runs"], strict=False))  # a slow rival may have been trained with fewer seeds
            mean = statistics.fmean(run["elbo"] - other["elbo"] for run, other in pairs)
            distance, holds = f"{mean:+.2f}", _holds(abs(mean) < NATS) if name.startswith("ours") else NONE
        seconds = statistics.median(run["seconds"] for run in runs)
        compilation = [run["facts"]["seconds"].get("compilation", 0.0) for run in runs if "seconds" in run["facts"]]
        compiling = f"{statistics.median(compilation):.1f}" if compilation else NONE
        cells = [name, f"{found['elbo']:.2f}{spread}", str(len(runs)), distance, holds]
        rows.append([*cells, f"{seconds:.1f}", compiling])
    columns = ["", "test ELBO, nats", "seeds", "minus eager's", f"within {NATS}", "seconds", "of them compilation"]
    return columns, rows


def flat_table(section: Record) -> Table:
    """The time per image by the number of images."""
    relative = section["relative_to_smallest"]
    rows = [
        [
            f"{int(size):,}",
            f"{statistics.median(times):.2f}",
            f"{relative[size]:.3f}",
            _holds(abs(relative[size] - 1) <= FLAT),
        ]
        for size, times in section["microseconds_per_image"].items()
    ]
    return ["images", "µs per image", "of the smallest", "within 10 %"], rows


def whole_table(record: Record) -> Table:
    """The wall times of whole commands."""
    rows = [
        [f"`{found['command']}`", f"{statistics.median(found['seconds']):.1f}", f"{found['peak_megabytes']:,.0f}"]
        for found in record["measured"].values()
    ]
    return ["command", "seconds", "peak, MB"], rows


def _holds(value: bool) -> str:
    return "yes" if value else "**no**"


# --- the page ---------------------------------------------------------------------------------------------------------

Draw = Callable[..., str]
"""Columns, rows -> a table in Markdown."""


def rivals_lines(record: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    """The part of the page on ``results/rivals.json``."""
    lines: list[str] = []
    for system, section in record.get("speed", {}).items():
        elbo = record.get("elbo", {}).get(system)
        rounds = len(next(iter(section["contenders"].values()))["rounds"])
        warm, timed = section["steps"]
        lines += [
            f"## Beside the others: {SYSTEMS[system]}",
            "",
            f"Batch 128, Adam at 1e-3, BCE + KL, {section['threads']} threads; {timed} whole training steps after "
            f"{warm}, each measurement a process of its own, everybody in turn; medians of {rounds} rounds, ratios "
            "being the medians of those within the rounds. `before` is everything before the timed steps: start, "
            "imports, data, compilation (cached from the second round on), the first steps. Peaks are of resident "
            "memory. The floor is the kernels below, one after the other, and nothing else. `test ELBO`, in nats, is "
            "that of whole trainings, where they were recorded.",
            "",
            *_tables(table, speed_table(section, elbo), speed_rules(system, section)),
            *_tables(table, kernel_table(section)),
            _made(section, machine),
            "",
        ]
    for system, section in record.get("elbo", {}).items():
        lines += [
            f"## The same result: {SYSTEMS[system]}",
            "",
            f"Whole trainings of {section['epochs']} epochs; the test ELBO of all by one function: the rate in closed "
            "form, the distortion over the same four draws of noise for each of the 10,000 test images, fp32.",
            "",
            *_tables(table, elbo_table(section)),
            _made(section, machine),
            "",
        ]
    if "flat" in record:
        lines += _flat_lines(record["flat"], table, machine)
    return lines


def _flat_lines(section: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    peak = section["peak_memory"]["resident_gigabytes"]
    return [
        "## Memory, and time by the number of images",
        "",
        f"`latentia train vae --data mnist --epochs 15`, evaluation and pictures included: peak of resident memory "
        f"{peak:.2f} GB (under {PEAK_GIGABYTES:g} GB: {_holds(peak < PEAK_GIGABYTES)}). Generated 8-bit images of "
        f"{section['image_bytes']} pixels, in memory:",
        "",
        *_tables(table, flat_table(section)),
        _made(section, machine),
        "",
    ]


def whole_lines(record: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    """The part of the page on ``results/whole_command.json``."""
    value = record["ratio"]
    return [
        "## The whole command",
        "",
        "From the start of a process to its end, with imports, compilation if any, evaluation and pictures; "
        f"{record['emptied']}. Medians of {record['rounds']} rounds in turn. Ours takes {value:.2f} of the time of the "
        f"tutorial's script (at most a third: {_holds(value <= THIRD)}).",
        "",
        *_tables(table, whole_table(record)),
        _made(record, machine),
        "",
    ]


def seeds_table(record: Record) -> Table:
    """The wall time of all seeds, by both ways."""
    rows = [
        [name, f"{statistics.median(seconds):.1f}", f"{min(seconds):.1f} - {max(seconds):.1f}"]
        for name, seconds in (
            ("together", record["together_seconds"]),
            ("one after the other", record["apart_seconds"]),
        )
    ]
    return ["", "median, s", "from - to, s"], rows


def seeds_lines(record: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    """The part of the page on ``results/seeds_together.json``."""
    threads = ", ".join(map(str, record["threads_of_each"]))
    differences = ", ".join(f"{name} {value:.1e}" for name, value in record["largest_difference"].items())
    alike = max(record["difference_with_as_many_threads"].values())
    return [
        "## Several seeds together",
        "",
        f"`latentia train PRESET --seeds {len(record['threads_of_each'])}` against as many commands one after the "
        f"other ({record['what']}): whole commands, with evaluation, pictures and report of every seed; medians of "
        f"{record['rounds']} rounds in turn. Together they take {record['ratio']:.2f} of the time (less than 1: "
        f"{_holds(record['ratio'] < 1)}). Together the seeds have {threads} threads, a command by itself "
        f"{record['threads']}, so that the two differ by rounding (in {record['precision']}), on the test part by at "
        f"most {differences}; with as many threads by {alike:.0e}.",
        "",
        *_tables(table, seeds_table(record)),
        _made(record, machine),
        "",
    ]


def streaming_lines(record: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    """The part of the page on ``results/streaming.json``."""
    speed, peak = record["speed"], record["peak_memory"]["mapped"]["anonymous_gigabytes"]
    kept = speed["speed_mapped_to_loaded"]
    rows = [
        [f"{int(size):,}", mode, f"{statistics.median(times):.2f}", f"{speed['relative_to_smallest'][mode][size]:.3f}"]
        for mode, sizes in speed["microseconds_per_image"].items()
        for size, times in sizes.items()
    ]
    return [
        "## Data on the disk",
        "",
        f"A generated file of {record['file_gigabytes']:g} GB, {speed['images']:,} 8-bit images, in the page cache: "
        f"mapped data train at {kept:.2f} of the speed of loaded ones (at least 0.8: {_holds(kept >= 0.8)}), with "
        f"{peak:.2f} GB of anonymous memory at most (under 1.5: {_holds(peak < 1.5)}).",
        "",
        *_tables(table, (["images", "where", "µs per image", "of the smallest"], rows)),
        _made(record, machine),
        "",
    ]


def studio_lines(record: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    """The part of the page on ``results/studio.json``."""
    beside, opened = record.get("beside"), record["open"]
    rows = [
        [f"{found['bytes']:,}", *(f"{found[key]:.1f}" for key in ("first_ms", "median_ms", "p95_ms", "worst_ms"))]
        for found in record["decode"]
    ]
    lines = [
        "## The studio's server",
        "",
        f"From sending a point over the WebSocket to having its pixels, {record['decode'][0]['points']} points one "
        f"after the other, in milliseconds; the log of {opened['steps']:,} logged steps comes in "
        f"{opened['first_s']:.2f} s at first and in {opened['best_s']:.2f} s at best.",
        "",
        *_tables(table, (["bytes of the picture", "first", "median", "95 %", "worst"], rows)),
    ]
    if beside is not None:
        ratio = beside["watched_over_alone"]
        lines += [
            f"A training of {beside['steps']:,} eager steps alone and with the studio and one page that watches it, "
            f"{len(beside['images_per_second_alone'])} alternating pairs: {beside['medians'][1]:,.0f} against "
            f"{beside['medians'][0]:,.0f} images/s in the median, {ratio:.3f} of the speed (within "
            f"{WATCHED:.0%}: {_holds(ratio >= 1 - WATCHED)}).",
            "",
        ]
    return [*lines, _made(record, machine), ""]


def browser_lines(record: Record, table: Draw, machine: Callable[[Record], str]) -> list[str]:
    """The part of the page on ``results/studio_browser.json``."""
    rows = []
    for found, name in zip(
        record["walk"], ("pointer to pixels, 28 x 28", "pointer to pixels, 64 x 64 x 3"), strict=True
    ):
        value = found["p95_ms"]
        shown = f"{value:.1f} ms at 95 %, {found['median_ms']:.1f} in the median, {found['worst_ms']:.1f} at worst"
        rows.append([name, f"≤ {POINTER_MS:g} ms at 95 %", shown, _holds(value <= POINTER_MS)])
    pan, opened = record["pan"], record["open"]
    rate = pan["frames_per_second"]
    rows.append([f"panning {pan['points']:,} points", f"≥ {FRAMES:g} frames/s", f"{rate:.0f}", _holds(rate >= FRAMES)])
    seconds = opened["first_s"]
    shown = f"{seconds:.2f} s at first, {opened['median_s']:.2f} in the median of five"
    rows.append(
        [f"opening {opened['steps']:,} logged steps", f"< {OPEN_SECONDS:g} s", shown, _holds(seconds < OPEN_SECONDS)]
    )
    return [
        "## The studio's pages",
        "",
        f"{record['browser']}, server and browser on the same two cores. From the time stamp of the pointer's move in "
        f"the latent plane to the end of the `putImageData` of what was decoded there, {record['walk'][0]['moves']} "
        "moves; moves that the next one overtook are never sent, nor counted "
        f"({' and '.join(str(found['shown']) for found in record['walk'])} were shown).",
        "",
        *_tables(table, (["", "asked", "measured", "holds"], rows)),
        _made(record, machine),
        "",
    ]


PARTS: dict[str, Callable[[Record, Draw, Callable[[Record], str]], list[str]]] = {
    "rivals.json": rivals_lines,
    "whole_command.json": whole_lines,
    "seeds_together.json": seeds_lines,
    "streaming.json": streaming_lines,
    "studio.json": studio_lines,
    "studio_browser.json": browser_lines,
}
"""File under ``results/`` -> the part of the page that it becomes, in order."""


def _tables(draw: Draw, *tables: Table | None) -> list[str]:
    return [line for found in tables if found is not None and found[1] for line in (draw(*found), "")]


def _made(section: Record, machine: Callable[[Record], str]) -> str:
    commands = ", ".join(f"`{command}`" for command in section.get("commands") or [section["command"]])
    return f"{commands}. Machine: {machine(section)}; load average at the start {section.get('load', NONE)}."


# --- for a terminal ---------------------------------------------------------------------------------------------------


def lines_of(found: Table | None) -> list[str]:
    """A table in plain text."""
    if found is None or not found[1]:
        return []
    columns, rows = found
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    return [_padded(cells, widths) for cells in [columns, *rows]]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([cells[0].ljust(widths[0]), *rest])
