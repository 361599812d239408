"""What auto means is decided from facts, is written down, and leaves the process as it was."""

from __future__ import annotations

import json
import platform
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from latentia.errors import ConfigError, EnvironmentFault, RunError
from latentia.training import execution as module
from latentia.training.execution import (
    Execution,
    decide_execution,
    default_generator_kept,
    describe_machine,
    has_native_bf16,
    missing_for_compilation,
    resolve_device,
)
from latentia.training.settings import TrainingSettings

NATIVE = "processor : 0\nmodel name\t: Fast CPU 9000\nflags\t\t: fpu sse2 avx512f avx512_bf16 amx_int8\n"
TILES = "processor : 0\nmodel name\t: Tile CPU\nflags\t\t: fpu amx_bf16 amx_tile\n"
PLAIN = "processor : 0\nmodel name\t: Old CPU\nflags\t\t: fpu sse2 avx2 avx512f\n"


def fake_cpuinfo(monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    class Cpuinfo:
        def __init__(self, path: str) -> None:
            assert path == "/proc/cpuinfo"

        def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
            if content is None:
                raise FileNotFoundError(2, "No such file or directory", "/proc/cpuinfo")
            return content

    monkeypatch.setattr(module, "Path", Cpuinfo)


def fake_devices(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def model(parameters: int) -> nn.Module:
    """Of that many weights, one of them frozen."""
    frozen = nn.Parameter(torch.zeros(1), requires_grad=False)
    return nn.ParameterList([nn.Parameter(torch.zeros(parameters - 1)), frozen])


def decide(parameters: int = 10, **values: Any) -> Execution:
    return decide_execution(TrainingSettings.model_validate(values), model(parameters))


# -- devices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(0, False, "cpu"), (1, False, "cuda:0"), (0, True, "mps"), (2, True, "cuda:0")]
)
def test_auto_takes_cuda_then_mps_then_the_cpu(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, expected: str):
    fake_devices(monkeypatch, cuda=cuda, mps=mps)
    assert str(resolve_device("auto")) == expected
    assert str(resolve_device("cpu")) == "cpu"


def test_devices_are_numbered_once_and_for_all(monkeypatch: pytest.MonkeyPatch):
    fake_devices(monkeypatch, cuda=3)
    assert [str(resolve_device(name)) for name in ("cuda", "cuda:0", "cuda:2", "cuda:02")] == [
        "cuda:0",
        "cuda:0",
        "cuda:2",
        "cuda:2",
    ]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("cdua", "cuda"),
        ("cuda0", "cuda"),
        ("cuda:x", "cuda"),
        ("cuda:-1", "cuda"),
        ("cuda:1.5", "cuda"),
        ("cuda:", "cuda"),
        ("cuda:²", "cuda"),
        ("cuda:1:2", "cuda"),
        ("cuda:1\n", "cuda"),
        (" cuda", "cuda"),
        ("mp", "mps"),
        ("autp", "auto"),
        ("auto:1", "auto"),
        ("cpu:0", "cpu"),
        ("mps:0", "mps"),
        ("tpu-v4", None),
        ("", None),
    ],
)
def test_a_device_that_is_none_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, suggestion: str | None
):
    fake_devices(monkeypatch, cuda=4, mps=True)
    with pytest.raises(ConfigError, match="use auto, cpu, cuda, cuda:N or mps") as caught:
        resolve_device(name)
    assert f"unknown device '{name}'" in str(caught.value)
    assert (f"Did you mean '{suggestion}'?" in str(caught.value)) == (suggestion is not None)
    assert caught.value.exit_code == 2
    with pytest.raises(ConfigError):
        decide(device=name)


def test_who_wants_a_gpu_is_not_sent_to_the_cpu():
    with pytest.raises(ConfigError) as caught:
        resolve_device("gpu")
    assert "Did you mean 'cpu'" not in str(caught.value)


@pytest.mark.parametrize(("name", "cuda"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1), ("cuda:999", 8), ("mps", 0)])
def test_a_device_that_is_not_here_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch, name: str, cuda: int):
    fake_devices(monkeypatch, cuda=cuda)
    with pytest.raises(EnvironmentFault, match=f"no device '{name}'.*--device cpu") as caught:
        resolve_device(name)
    assert caught.value.exit_code == 1


# -- precision --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpuinfo", "native"), [(NATIVE, True), (TILES, True), (PLAIN, False), ("", False), (None, False)]
)
@pytest.mark.parametrize(("parameters", "large"), [(10, False), (199_999, False), (200_000, True), (300_000, True)])
def test_auto_precision_needs_native_products_and_a_large_model(
    monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, native: bool, parameters: int, large: bool
):
    fake_cpuinfo(monkeypatch, cpuinfo)
    assert has_native_bf16(torch.device("cpu")) == native
    assert decide(parameters, device="cpu").precision == ("bf16" if native and large else "fp32")
    for asked in ("fp32", "bf16"):
        assert decide(parameters, device="cpu", precision=asked).precision == asked


@pytest.mark.parametrize(("capability", "native"), [((7, 5), False), ((8, 0), True), ((9, 0), True), ((12, 1), True)])
def test_gpus_since_ampere_multiply_bfloat16(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], native: bool
):
    fake_devices(monkeypatch, cuda=2)
    asked: list[Any] = []
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: asked.append(device) or capability)
    chosen = decide(200_000, device="cuda:1")
    assert (chosen.device, chosen.precision) == ("cuda:1", "bf16" if native else "fp32")
    assert asked == [torch.device("cuda:1")]
    assert decide(199_999, device="cuda:1").precision == "fp32"


def test_mps_is_left_at_full_precision(monkeypatch: pytest.MonkeyPatch):
    fake_devices(monkeypatch, mps=True)
    fake_cpuinfo(monkeypatch, NATIVE)
    assert decide(300_000, device="mps") == Execution("mps", "fp32", torch.get_num_threads())
    with pytest.raises(EnvironmentFault, match="not supported on mps: use --precision fp32"):
        decide(device="mps", precision="bf16")


def test_bf16_is_that_of_products_alone():
    a, b = torch.ones(3, 4), torch.ones(4, 2)
    with Execution("cpu", "bf16", 1).autocast():
        assert (a @ b).dtype == torch.bfloat16
        assert (a + 1).dtype == torch.float32
    with Execution("cpu", "fp32", 1).autocast():
        assert (a @ b).dtype == torch.float32
    assert (a @ b).dtype == torch.float32


# -- threads ----------------------------------------------------------------------------------------------------------


def test_threads_are_those_asked_for_or_pytorchs():
    assert decide(device="cpu").threads == torch.get_num_threads()
    assert decide(device="cpu", threads=3).threads == 3


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_the_number_of_threads_is_put_back(error: type[BaseException] | None):
    before = torch.get_num_threads()

    def work() -> None:
        with Execution("cpu", "fp32", before + 2).applied():
            assert torch.get_num_threads() == before + 2
            with Execution("cpu", "fp32", before + 1).applied():
                assert torch.get_num_threads() == before + 1
            assert torch.get_num_threads() == before + 2
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(error):
            work()
    assert torch.get_num_threads() == before


def test_a_run_from_a_machine_with_another_device_is_refused(monkeypatch: pytest.MonkeyPatch):
    fake_devices(monkeypatch)
    before = torch.get_num_threads()
    with pytest.raises(EnvironmentFault, match="no device 'cuda:0'"), Execution("cuda:0", "fp32", 7).applied():
        pytest.fail("there is no such device")
    assert torch.get_num_threads() == before


# -- compilation ------------------------------------------------------------------------------------------------------


def test_a_run_is_compiled_where_it_is_long_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "missing_for_compilation", lambda device: None)
    enough = module.COMPILED_STEPS
    for asked, steps, expected in (
        ("auto", enough - 1, False), ("auto", enough, True), ("on", 1, True), ("off", 10 * enough, False)
    ):  # fmt: skip
        settings = TrainingSettings.model_validate({"compile": asked, "device": "cpu"})
        assert decide_execution(settings, model(10), steps).compiled is expected


def test_nothing_is_compiled_where_there_is_nothing_to_do_it_with(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    settings = TrainingSettings.model_validate({"device": "cpu"})
    assert decide_execution(settings, model(10), 10 * module.COMPILED_STEPS).compiled is False
    with pytest.raises(EnvironmentFault, match=r"no C\+\+ compiler on the PATH.*--set training.compile=off"):
        decide(compile="on", device="cpu")
    assert missing_for_compilation(torch.device("mps")) == "compiled steps are for cpu and cuda, not mps"


# -- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "execution", [Execution("cpu", "fp32", 1), Execution("cuda:1", "bf16", 64), Execution("mps", "fp32", 8, True)]
)
def test_what_was_decided_is_read_back(execution: Execution):
    text = json.dumps(execution.to_json())
    assert Execution.from_json(json.loads(text)) == execution
    assert json.loads(text).keys() == {"device", "precision", "threads", "compiled"}


@pytest.mark.parametrize("value", [{}, None, 3, [], "cpu", {"device": "cpu"}, {"device": "cpu", "threads": "many"}])
def test_a_damaged_decision_is_refused(value: Any):
    with pytest.raises(RunError, match=r"meta\.json .* is damaged"):
        Execution.from_json(value)
    whole = Execution("cpu", "fp32", 1).to_json()
    for name in whole:
        with pytest.raises(RunError):
            Execution.from_json({key: entry for key, entry in whole.items() if key != name})
    with pytest.raises(RunError):
        Execution.from_json({**whole, "threads": None})


# -- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cpuinfo", [NATIVE, "", None])
def test_a_machine_is_described_without_naming_it(monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None):
    uname = platform.uname()
    named = uname._replace(node="secret-host", release="6.1-secret", version="#1 built by secret-user@secret-host")
    monkeypatch.setattr(platform, "uname", lambda: named)
    monkeypatch.setattr(platform, "processor", lambda: "x86_64")
    monkeypatch.setattr(platform, "node", lambda: "secret-host")
    monkeypatch.setattr(socket, "gethostname", lambda: "secret-host")
    for name in ("USER", "LOGNAME", "USERNAME", "HOME", "HOSTNAME"):
        monkeypatch.setenv(name, "/home/secret-user")
    fake_cpuinfo(monkeypatch, None if cpuinfo is None else cpuinfo + "Serial\t\t: secret-serial\n")
    described = describe_machine("cpu")
    assert "secret" not in json.dumps(described)
    assert described.keys() == {"system", "machine", "processor", "cores", "device"}
    assert described["processor"] == ("Fast CPU 9000" if cpuinfo == NATIVE else "x86_64")
    assert described["device"] == "cpu" and described["cores"] >= 1
    assert (described["system"], described["machine"]) == (uname.system, uname.machine)


def test_this_very_machine_is_not_named():
    text = json.dumps(describe_machine("cpu"))
    for name in (socket.gethostname(), str(Path.home()), str(Path.cwd())):
        assert len(name) < 4 or name not in text


def test_a_gpu_is_described_by_its_kind(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA Test ({device})")
    assert describe_machine("cuda:1")["device"] == "NVIDIA Test (cuda:1)"


# -- the default generator --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_the_default_generator_is_put_back(error: type[BaseException] | None):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)

    def work() -> None:
        with default_generator_kept("cpu"):
            torch.manual_seed(99)
            torch.rand(7)
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(error):
            work()
    assert torch.equal(torch.rand(4), expected)
