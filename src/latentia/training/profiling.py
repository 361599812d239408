"""Where the time of a run goes: a lap for each thing that is done, and the operators of some training steps.

Owns the stopwatch and its stages; knows neither models nor files. Everything between two laps belongs to the stage that
the second one names, so that the stages add up to the whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

STAGES: Mapping[str, str] = {
    "start-up": "interpreter, imports, reading the command line",
    "config": "presets, settings",
    "data": "finding, reading, checking and splitting the data",
    "model": "building model and optimiser, files of the run",
    "compilation": "writing down and compiling the step, where it is compiled",
    "batches": "waiting for and gathering samples, to x",
    "noise": "drawing the noise of a step",
    "forward": "networks, likelihood, loss",
    "backward": "gradients",
    "optimiser": "clipping, update of weights and averages",
    "compiled step": "forward, backward and update of weights in one, where they are compiled",
    "metrics": "remembering the terms of a step",
    "logging": "metrics.jsonl, status, progress",
    "validation": "loss on the validation part",
    "checkpoints": "checking for NaN, writing weights and optimiser",
    "profiler": "the traced steps, and working out their operators",
    "evaluation": "figures on the test part",
    "pictures": "figures, model folder, diagnosis",
    "report": "report.html, status",
}
"""What each stage is, in the order in which they are shown."""
WITHIN_STEPS = ("batches", "noise", "forward", "backward", "optimiser", "compiled step", "metrics", "logging")
TRACED = 30  # steps whose operators are looked at ...
BEFORE = 20  # ... after so many others, in which kernels are chosen and memory is allocated
OPERATORS = 12  # that are shown
_LEVEL = "KINETO_LOG_LEVEL"


class Profile:
    """A stopwatch for a run; hand it to :func:`latentia.train` as ``profile``.

    On CUDA each lap within a step waits for the device, so that a stage has the time of its kernels; that makes
    training slower than it is without a profile. Of reading ahead by a thread only the waiting for it is seen.

    Args:
        since: The moment from which time counts, as ``time.perf_counter()`` gives it; None: now.

    Attributes:
        seconds: Stage -> seconds so far.

    Example:
        >>> profile = Profile()
        >>> profile.lap("data"); profile.lap("model")
        >>> found = profile.to_json()
        >>> [row["stage"] for row in found["stages"]], found["operators"]
        (['data', 'model'], None)
    """

    def __init__(self, since: float | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.steps = 0  # that were timed by stages
        self._began = self._last = time.perf_counter() if since is None else since
        self._device: torch.device | None = None
        self._window = (0, 0)
        self._trace: Any = None
        self._operators: dict[str, Any] | None = None

    def lap(self, stage: str) -> None:
        """Count the time since the last lap as this stage's."""
        if self._device is not None:
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        stage = stage if self._trace is None else "profiler"
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    # -- what the training loop tells ---------------------------------------------------------------------------

    def begin(self, steps: int, device: torch.device) -> None:
        """Steps begin: so many, on this device."""
        self.lap("model")
        self._device = device if device.type == "cuda" else None
        before = min(BEFORE, steps // 4)
        self._done, self._window = 0, (before, before + min(TRACED, steps - before))

    def before_step(self) -> bool:
        """Start or end the tracing where it is due; say whether the next step is traced."""
        first, last = self._window
        if self._done == first and first < last:
            self._start()
        elif self._done == last:
            self._stop()
        self._done += 1
        self.steps += self._trace is None
        return self._trace is not None

    def end(self) -> None:
        """Steps have ended, whatever the reason."""
        self._stop()
        self._device = None

    def _start(self) -> None:
        from torch.profiler import ProfilerActivity, profile

        self.lap("profiler")
        activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if self._device is not None else [])
        self._trace = profile(activities=activities, acc_events=True)
        with _quiet():
            self._trace.start()

    def _stop(self) -> None:
        if self._trace is None:
            return
        first, last = self._window
        if self._device is not None:
            torch.cuda.synchronize(self._device)
        with _quiet():
            self._trace.stop()
        self._operators = _operators(self._trace, min(last, self._done) - first, self._device is not None)
        self.lap("profiler")
        self._trace = None

    # -- what came of it ----------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """What ``profile.json`` holds.

        Returns:
            ``seconds`` in all; ``stages``, each with ``stage``, ``what``, ``seconds``, ``share`` and, of those within a
            step, ``milliseconds_per_step``; ``steps`` that were timed by stages; ``operators`` of the traced steps or
            None; and ``notes`` on what was not measured.
        """
        whole = self._last - self._began
        rows: list[dict[str, Any]] = []
        for stage in [name for name in STAGES if name in self.seconds]:
            spent = self.seconds[stage]
            row = {"stage": stage, "what": STAGES[stage], "seconds": round(spent, 4), "share": _share(spent, whole)}
            if stage in WITHIN_STEPS and self.steps:
                row["milliseconds_per_step"] = round(1000 * spent / self.steps, 4)
            rows.append(row)
        notes = []
        if self._operators is not None and self._operators["device"] == "cuda":
            notes.append("each stage waited for the device: without a profile, stages overlap and training is faster")
        return {
            "seconds": round(whole, 4),
            "stages": rows,
            "steps": self.steps,
            "operators": self._operators,
            "notes": notes,
        }


def lap_of(profile: Profile | None) -> Any:
    """The lap of a profile, or a function that does nothing where there is none."""
    return _nothing if profile is None else profile.lap


def process_start() -> float:
    """When this process was started, as ``time.perf_counter()`` would have given it; now, where nobody knows."""
    now = time.perf_counter()
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (AttributeError, OSError, ValueError, IndexError):  # not on Linux
        return now
    return now - age if 0 <= age < 3600 else now


def _nothing(stage: str) -> None:
    """No profile is wanted."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what PyTorch's tracing library writes to stderr from there, unless the user has asked for it."""
    asked = _LEVEL in os.environ
    os.environ.setdefault(_LEVEL, "99")
    try:
        yield
    finally:
        if not asked:
            os.environ.pop(_LEVEL, None)


def _share(part: float, whole: float) -> float:
    return round(part / whole, 5) if whole > 0 else 0.0


def _operators(trace: Any, steps: int, on_device: bool) -> dict[str, Any]:
    """The operators that took the most time of their own, without what they called."""
    found = [
        (event.key, event.count, (event.self_device_time_total if on_device else event.self_cpu_time_total) / 1e6)
        for event in trace.key_averages()
        if not event.key.startswith("ProfilerStep")
    ]
    whole = sum(spent for _, _, spent in found)
    ranked = sorted((row for row in found if row[2] > 0), key=lambda row: (-row[2], row[0]))
    return {
        "steps": steps,
        "device": "cuda" if on_device else "cpu",
        "milliseconds_per_step": round(1000 * whole / max(1, steps), 4),
        "rows": [
            {
                "operator": name,
                "calls_per_step": round(count / max(1, steps), 2),
                "milliseconds_per_step": round(1000 * spent / max(1, steps), 4),
                "share": _share(spent, whole),
            }
            for name, count, spent in ranked[:OPERATORS]
        ],
        "others": max(0, len(ranked) - OPERATORS),
    }
