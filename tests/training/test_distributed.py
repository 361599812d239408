"""Two real processes, joined by gloo, follow one. This file is also what they run: see the end.

They are forked from a server that has imported everything once, since most of what a short training takes is importing;
torchrun itself starts fresh ones in a test of its own.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from latentia.cli import entry
from latentia.data.corruption import GaussianCorruption
from latentia.data.dataset import Dataset
from latentia.data.settings import DataSettings
from latentia.data.sources import load
from latentia.errors import ConfigError, EnvironmentFault, Interrupted
from latentia.objectives.autoencoder import AutoencoderObjective
from latentia.objectives.elbo import Elbo
from latentia.objectives.quantized import QuantizedObjective
from latentia.objectives.terms import LossTerms
from latentia.recipes.build import build_model
from latentia.recipes.config import make_config
from latentia.runs.directory import RunDirectory
from latentia.runs.fitting import resume
from latentia.training.checkpoint import CheckpointStore
from latentia.training.distributed import Alone, Ranks, joined
from latentia.training.events import Events
from latentia.training.execution import Execution
from latentia.training.interrupt import InterruptRequest
from latentia.training.launch import Launch, launched
from latentia.training.loop import fit
from latentia.training.metrics import MetricsFile
from latentia.training.settings import TrainingSettings

CPU = Execution("cpu", "fp32", 1)
STOP_AT = 7
IMPORTED = ["pytest", "sklearn.datasets", "torch.distributed", "latentia.cli.app", "latentia.runs.fitting"]


def images() -> Dataset:
    x = torch.randint(0, 256, (60, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8).numpy()
    return load(DataSettings(source="arrays", validation=0.2, test_fraction=0.1), arrays=x)


def mlp(**more: Any) -> dict[str, Any]:
    return {"name": "mlp", "hidden": [8], **more}


CONVOLUTIONS = {
    "latent_dim": 3,
    "encoder": {"name": "conv", "channels": [4, 8], "norm": "batch"},
    "decoder": {"name": "conv", "channels": [8, 4], "norm": "batch"},
}
DROPPING = {"latent_dim": 2, "encoder": mlp(dropout=0.3), "decoder": mlp(dropout=0.2)}
SIGMOID = {"name": "deterministic", "activation": "sigmoid"}
CODES = {
    "latent_dim": "none",
    "encoder": {"name": "conv-stack", "layers": [{"channels": 4, "kernel": 4}], "norm": "none"},
    "decoder": {"name": "transposed-stack", "layers": [{"kernel": 4}]},
    "posterior": {"name": "vector-quantizer", "codes": 6, "dimension": 3, "revive_below": 0.5},
    "prior": "none",
}
CASES: dict[str, tuple[dict[str, Any], Any, dict[str, Any]]] = {
    "clipped and averaged": (
        {"latent_dim": 2, "encoder": mlp(), "decoder": mlp()},
        Elbo(),
        {"ema": 0.9, "clip_norm": 5.0, "patience": 50, "evaluate_every": 6},
    ),
    "dropout and corruption": (DROPPING, Elbo(samples=2, corruption=GaussianCorruption(0.3)), {}),
    "free bits": ({"latent_dim": 2, "encoder": mlp(), "decoder": mlp()}, Elbo(free_bits=0.05), {}),
    "batch normalisation": (CONVOLUTIONS, Elbo(), {"evaluate_every": 5}),
    "penalties": (
        {"latent_dim": 3, "encoder": mlp(), "decoder": mlp(), "posterior": SIGMOID, "prior": "none"},
        AutoencoderObjective(contractive=0.1, kl_sparsity=0.2),
        {},
    ),
    "contraction through batch normalisation": (
        {**CONVOLUTIONS, "posterior": {"name": "deterministic"}, "prior": "none"},
        AutoencoderObjective(contractive=0.1),
        {},
    ),
    "vector quantiser": (CODES, QuantizedObjective(), {}),
}


class NormOfTheBatch(Elbo):
    """A loss that is not the mean over the parts of a batch."""

    def __call__(self, model: Any, x: Any, y: Any, noise: Any, coefficients: Any) -> LossTerms:
        terms = super().__call__(model, x, y, noise, coefficients)
        return LossTerms(terms.loss, terms.distortion, terms.rate, batch=x.mean(0).square().sum())


class StopsAt(Events):
    """Wishes, in one process, to stop soon after a step."""

    def __init__(self, interrupt: InterruptRequest) -> None:
        self.interrupt = interrupt

    def logged(self, row: Any) -> None:
        if row["split"] == "train" and row["step"] == STOP_AT:
            self.interrupt.request()


def trained(folder: Path, name: str, ranks: Ranks, *, stop: bool = False) -> nn.Module:
    """Train a case for some steps, with files, from its checkpoint if there is one."""
    dataset = images()
    parts, objective, more = CASES[name]
    model = build_model(make_config({"model": parts}).model, dataset.spec, seed=0)
    settings = {"steps": 24, "batch_size": 8, "log_every": 1, "checkpoint_every": 10, **more}
    interrupt = InterruptRequest()
    fit(
        model,
        objective,
        dataset,
        TrainingSettings.model_validate(settings),
        execution=CPU,
        store=CheckpointStore(folder / "checkpoints"),
        metrics=MetricsFile(folder / "metrics.jsonl"),
        events=StopsAt(interrupt) if stop else None,
        interrupt=interrupt,
        ranks=ranks,
    )
    return model


def folder_of(base: Path, name: str) -> Path:
    path = base / name.replace(" ", "-")
    path.mkdir(parents=True, exist_ok=True)
    return path


def work(base: Path) -> None:
    """What each of the two processes does."""
    said: dict[str, str] = {}
    with joined("cpu") as ranks:
        assert ranks.tell(ranks.rank * "ä") == ["", "ä"]
        assert ranks.sums({"a": 1.0} if ranks.main else {"a": 2.0, "b": 0.5}) == {"a": 3.0, "b": 0.5}
        for name in CASES:
            model = trained(folder_of(base, name), name, ranks)
            weights = {key: value.tolist() for key, value in model.state_dict().items()}
            assert all(other == weights for other in ranks.tell(weights)), "the processes' weights differ"
            if ranks.main:
                (folder_of(base, name) / "weights.json").write_text(json.dumps(weights), encoding="utf-8")
        for kind in ("stopped by two", "stopped by one"):
            try:
                trained(folder_of(base, kind), "clipped and averaged", ranks, stop="two" in kind)
            except Interrupted as error:
                said[kind] = str(error)
        dataset = images()
        model = build_model(make_config({"model": CASES["free bits"][0]}).model, dataset.spec, seed=0)
        for key, objective, batch in (("objective", NormOfTheBatch(), 8), ("batch", Elbo(), 7)):
            try:
                settings = TrainingSettings(steps=3, batch_size=batch)
                fit(model, objective, dataset, settings, execution=CPU, ranks=ranks)
            except ConfigError as error:
                said[key] = str(error)
        try:
            ranks.agree(numbers_of_seeds=ranks.rank)
        except ConfigError as error:
            said["agree"] = str(error)
        with joined("cpu") as inner:
            assert inner is ranks
    with joined("cpu") as ranks:  # a second time in the same process
        assert ranks.from_main(ranks.rank) == 0
    (base / f"said-{launched().rank}.json").write_text(json.dumps(said), encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Forked:
    """One of two processes, which runs this file as ``__main__``."""

    def __init__(self, rank: int, port: int, base: Path, arguments: tuple[str, ...]) -> None:
        self.said = base / f"output-{rank}"
        job = {"rank": rank, "port": port, "base": base, "arguments": arguments, "output": self.said}
        context = multiprocessing.get_context("forkserver")
        self.process = context.Process(target=runpy.run_path, args=(__file__, {"JOB": job}, "__main__"))
        self.process.start()

    @property
    def output(self) -> str:
        return self.said.read_text(encoding="utf-8") if self.said.exists() else ""

    def poll(self) -> int | None:
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout: float) -> str:
        """All that it has said when it has ended."""
        self.process.join(timeout)
        assert self.process.exitcode is not None, f"still running after {timeout} s: {self.output}"
        return self.output


@pytest.fixture(scope="module", autouse=True)
def server() -> None:
    """The process that two others are forked from, without threads, which do not survive a fork."""
    multiprocessing.set_forkserver_preload(IMPORTED)
    with pytest.MonkeyPatch.context() as patch:
        for library in ("OMP", "OPENBLAS", "MKL"):
            patch.setenv(f"{library}_NUM_THREADS", "1")
        forkserver.ensure_running()


def start(base: Path, *arguments: str) -> list[Forked]:
    """Two processes, without torchrun, that run a command or, without arguments, the work above."""
    port = free_port()
    return [Forked(rank, port, base, arguments) for rank in range(2)]


def forked(job: dict[str, Any]) -> None:
    """What a forked process does: it says where it belongs, as torchrun does, and runs what it is asked to."""
    for stream in (1, 2):
        os.dup2(os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": job["port"], "WORLD_SIZE": 2, "RANK": job["rank"]}
    os.environ.update({name: str(value) for name, value in place.items()})
    if job["arguments"]:
        sys.argv = ["latentia", *job["arguments"]]
        entry.main()
    else:
        work(job["base"])


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return MetricsFile(folder / "metrics.jsonl").read()


def assert_follow(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    """The same rows, with terms that agree to 1e-5."""
    assert [(row["step"], row["split"]) for row in theirs] == [(row["step"], row["split"]) for row in ours]
    for a, b in zip(theirs, ours, strict=True):
        for name in a.keys() - {"seconds", "split"}:
            assert b[name] == pytest.approx(a[name], rel=1e-5, abs=1e-7), (a["step"], name)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have left."""
    base = tmp_path_factory.mktemp("two")
    with pytest.raises(Interrupted):
        trained(folder_of(base, "stopped by one"), "clipped and averaged", Alone(), stop=True)
    processes = start(base)
    outputs = [process.wait(900) for process in processes]
    assert [process.poll() for process in processes] == [0, 0], "\n".join(outputs)
    assert "arning" not in "".join(outputs)
    return base


@pytest.mark.parametrize("name", CASES)
def test_two_processes_follow_one(two: Path, tmp_path: Path, name: str):
    model = trained(tmp_path, name, Alone())
    normalised = "normalisation" in name
    theirs, ours = rows_of(tmp_path), rows_of(folder_of(two, name))
    if (
        normalised
    ):  # biases before it have no gradient but rounding, of which Adam makes steps: running means lag behind
        theirs, ours = ([row for row in rows if row["split"] == "train"] for rows in (theirs, ours))
    assert_follow(theirs, ours)
    weights = json.loads((folder_of(two, name) / "weights.json").read_text(encoding="utf-8"))
    for key, value in model.state_dict().items():
        if not (normalised and key.endswith(("bias", "running_mean"))):
            torch.testing.assert_close(torch.tensor(weights[key], dtype=value.dtype), value, rtol=1e-4, atol=2e-6)


def test_a_run_of_two_processes_goes_on_in_one_and_back(two: Path, tmp_path: Path):
    trained(tmp_path, "clipped and averaged", Alone())
    said = json.loads((two / "said-1.json").read_text(encoding="utf-8"))
    assert said["stopped by two"].startswith("interrupted after step ")  # process 1 hears what 0 wished
    assert "stopped by one" not in said
    assert_follow(rows_of(tmp_path), rows_of(folder_of(two, "stopped by one")))
    trained(folder_of(two, "stopped by two"), "clipped and averaged", Alone())
    assert_follow(rows_of(tmp_path), rows_of(folder_of(two, "stopped by two")))


def test_what_processes_cannot_share_is_refused_in_all_of_them(two: Path):
    for rank in range(2):
        said = json.loads((two / f"said-{rank}.json").read_text(encoding="utf-8"))
        assert "NormOfTheBatch cannot be trained by several processes" in said["objective"]
        assert "choose a multiple of 2" in said["batch"]
        assert "different numbers of seeds" in said["agree"]


TRAINING = ["train", "vae", "--data", "digits", "--steps", "1000000", "--device", "cpu"]
TRAINING += ["--set", "training.batch_size=32", "--set", "training.checkpoint_every=20", "--set", "training.threads=1"]


def wait_for_checkpoint(run: Path, *processes: Forked | subprocess.Popen[str]) -> None:
    until = time.monotonic() + 600
    while not (run / "checkpoints" / "last").exists():
        assert time.monotonic() < until
        for process in processes:
            assert process.poll() is None, process.output if isinstance(process, Forked) else process.communicate()[0]
        time.sleep(0.05)


@pytest.mark.parametrize("victim", [0, 1])
def test_killing_one_process_ends_the_other_with_a_checkpoint(tmp_path: Path, victim: int):
    run = tmp_path / "run"
    processes = start(tmp_path, *TRAINING, "--out", str(run))
    try:
        wait_for_checkpoint(run, *processes)
        processes[victim].kill()
        output = processes[1 - victim].wait(30)
    finally:
        for process in processes:
            process.kill()
            process.wait(30)
    assert processes[1 - victim].poll() == 1
    lines = [line for line in output.splitlines() if line.startswith("latentia:")]
    assert len(lines) == 1 and "Traceback" not in output
    found = CheckpointStore(run / "checkpoints").load()
    assert found is not None and found.tensors["model"]
    assert f"step {found.step} is saved, from which `latentia resume {run}` goes on" in lines[0]
    assert "the other process of this training has ended" in lines[0]


def test_a_fault_of_one_process_is_told_by_process_0_alone(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "foreign").touch()  # which process 0 alone looks at
    processes = start(tmp_path, *TRAINING, "--out", str(tmp_path / "run"))
    outputs = [process.wait(300) for process in processes]
    assert [process.poll() for process in processes] == [1, 1]
    assert "is not empty" in outputs[0] and outputs[0].count("latentia:") == 1
    assert "latentia:" not in outputs[1]


def test_torchrun_is_interrupted_and_its_run_goes_on_in_one_process(tmp_path: Path):
    run = tmp_path / "run"
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port())]
    process = subprocess.Popen(
        [sys.executable, *launcher, "-m", "latentia", *TRAINING, "--out", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for_checkpoint(run, process)
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=120)[0]
    finally:
        process.kill()
        process.communicate()
    directory = RunDirectory(run)
    assert directory.state() == "interrupted", output
    assert output.count("latentia: interrupted after step") == 1
    assert directory.meta()["processes"] == 2
    epochs = (directory.last_step() + 2) * 32 / directory.meta()["data"]["splits"]["train"]
    assert resume(run, epochs=epochs).summary["processes"] == 1
    assert directory.state() == "finished"


def test_how_a_process_was_started():
    assert launched({"WORLD_SIZE": "1", "RANK": "0"}) == Launch()
    place = {"MASTER_ADDR": "a", "MASTER_PORT": "1"}
    assert launched({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", **place}) == Launch(3, 4, 1)
    with pytest.raises(EnvironmentFault, match="MASTER_ADDR is not set"):
        launched({"RANK": "0", "WORLD_SIZE": "2"})
    with pytest.raises(EnvironmentFault, match="RANK and WORLD_SIZE"):
        launched({"RANK": "2", "WORLD_SIZE": "2", **place})


def test_one_process_tells_nobody():
    with joined() as ranks:
        assert isinstance(ranks, Alone) and ranks.main and ranks.world == 1
        assert ranks.tell(3) == [3] and ranks.sums({"a": 1.0}) == {"a": 1.0}
        assert ranks.wish(1, True) and not ranks.wish(2, False)
        assert ranks.placed(CPU) is CPU


if __name__ == "__main__":
    forked(globals()["JOB"])
