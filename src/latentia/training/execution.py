"""What a run is executed with: device, precision, threads. Decided once, stored, reused by resume."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from latentia.data.seeds import exact_convolutions
from latentia.errors import ConfigError, EnvironmentFault, RunError, did_you_mean
from latentia.training.settings import TrainingSettings

BF16_PARAMETERS = 200_000  # below this, casting the weights costs more than the faster products give back

COMPILED_STEPS = 7_000  # at 1.5 to 4 ms saved in each about what a first compilation takes; a cached one takes 3 s


@dataclass(frozen=True)
class Execution:
    """What ``auto`` was decided to mean.

    Attributes:
        device: ``cpu``, ``cuda:0``, ``mps`` ...
        precision: ``fp32`` or ``bf16``: of matrix products and convolutions; weights, sums and optimiser are fp32.
        threads: CPU threads within an operation; results are bit-identical only for the same number.
        compiled: Whether the step is to be compiled.
    """

    device: str
    precision: str
    threads: int
    compiled: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Execution:
        """Read back what :meth:`to_json` gave.

        Raises:
            RunError: If it is something else.
        """
        try:
            return cls(str(value["device"]), str(value["precision"]), int(value["threads"]), bool(value["compiled"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RunError("the run's meta.json does not say how it was executed: it is damaged") from error

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which networks run in this precision; it must be left before the weights change."""
        if self.precision == "bf16":
            return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Use this many threads, and on CUDA deterministic fp32 convolutions, within the block; then put all back.

        Raises:
            EnvironmentFault: If this machine has no such device.
        """
        resolve_device(self.device)
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with exact_convolutions(self.device):
                yield
        finally:
            torch.set_num_threads(before)


def decide_execution(
    settings: TrainingSettings, model: nn.Module, steps: int = 0, *, compilable: bool = True
) -> Execution:
    """Decide what ``auto`` means on this machine for this model, from facts and not from timings.

    bf16 is chosen where the processor multiplies it natively and the model has at least 200,000 parameters; compilation
    where the run has at least ``COMPILED_STEPS`` steps, which can be one graph, and there is what compiles them.

    Args:
        settings: What was asked for.
        model: What is to be trained.
        steps: How many steps are planned.
        compilable: Whether a step is known to do the same for every batch, in one process.

    Raises:
        ConfigError: If a device's name is not known.
        EnvironmentFault: If the device or the precision is not to be had here, or compilation was asked for and cannot
            be had.
    """
    device = resolve_device(settings.device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    precision = settings.precision
    if precision == "auto":
        precision = "bf16" if parameters >= BF16_PARAMETERS and has_native_bf16(device) else "fp32"
    elif precision == "bf16" and device.type == "mps":
        raise EnvironmentFault("bf16 is not supported on mps: use --precision fp32")
    missing = missing_for_compilation(device)
    if settings.compile == "on" and missing is not None:
        raise EnvironmentFault(f"the step cannot be compiled ({missing}): use --set training.compile=off")
    pays = compilable and steps >= COMPILED_STEPS and missing is None
    compiled = settings.compile == "on" or (settings.compile == "auto" and pays)
    return Execution(str(device), precision, settings.threads or torch.get_num_threads(), compiled)


def resolve_device(name: str) -> torch.device:
    """Find a device by name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: If the name is not a device's.
        EnvironmentFault: If this machine has no such device.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda:0")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, index = name.partition(":")
    kinds = ("auto", "cpu", "cuda", "mps")
    if not re.fullmatch(r"cpu|mps|cuda(:[0-9]{1,3})?", name):
        hint = " Did you mean 'cuda'?" if name.lower() == "gpu" else did_you_mean(name, kinds)
        raise ConfigError(f"unknown device '{name}': use auto, cpu, cuda, cuda:N or mps.{hint}")
    if kind == "cuda" and (not torch.cuda.is_available() or int(index or 0) >= torch.cuda.device_count()):
        raise EnvironmentFault(f"this machine has no device '{name}' that PyTorch can use: try --device cpu")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise EnvironmentFault("this machine has no device 'mps' that PyTorch can use: try --device cpu")
    return torch.device(f"{kind}:{int(index or 0)}" if kind == "cuda" else kind)


def has_native_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 numbers itself instead of converting them."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16"))


def missing_for_compilation(device: torch.device) -> str | None:
    """What this machine lacks for compiling steps on a device, in words; ``None`` if nothing."""
    if device.type == "cpu":
        compilers = ("cl",) if sys.platform == "win32" else ("g++", "clang++", "c++")
        return None if any(shutil.which(name) for name in compilers) else "there is no C++ compiler on the PATH"
    if device.type == "cuda":  # without a compiler a step's kernels are still launched as one
        return None
    return f"compiled steps are for cpu and cuda, not {device.type}"


def describe_machine(device: str) -> dict[str, Any]:
    """The kind of machine, without anything that names this one: processor, cores, device, versions."""
    kind = torch.device(device).type
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name(device) if kind == "cuda" else kind,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def default_generator(device: torch.device) -> torch.Generator:
    """The generator that modules such as dropout draw from on a device."""
    if device.type == "cuda":
        torch.cuda.init()  # before that there are no generators
        return torch.cuda.default_generators[device.index or 0]
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()
    return torch.default_generator


@contextlib.contextmanager
def default_generator_kept(device: str) -> Iterator[None]:
    """Put the device's default generator back as it was."""
    source = default_generator(torch.device(device))
    state = source.get_state()
    try:
        yield
    finally:
        source.set_state(state)
