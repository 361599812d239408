"""Few labels: the test error of classifiers that see 100 labels of MNIST and 59,900 images without.

Fixed before the first error on test data was seen: the label draws (seeds 0 to 4 of `latentia classify --seed 0`, the
same for every method), the sizes of M1 and M2 (Kingma et al. 2014, https://arxiv.org/abs/1406.5298, section 4, as in
the presets), the weight alpha = 0.1 N of their equation 9, and label spreading with its defaults as the classifier of
M1 and of the pixels. Other classifiers are recorded beside it; the settings of `svm` and `logistic` are chosen by
cross-validation over the 100 labels. One thing came later: M2 as in the paper, where samples without labels count from
the start, erred on 73 to 80 % of the test images after 2,000 steps (three draws), and was given a warm-up; that it has
one was chosen by `--hold-out`, the error on 20 of draw 0's 100 labels after training with the other 80.

- `pixels`: the classifier on the images themselves.
- `m1`: the same classifier on the latent means of preset `m1`, trained once without labels.
- `m2`: preset `m2`, its own q(y given x), one training for each draw.
- `m1-m2`: preset `m1-m2`, M2 on the latents of that `m1`, likewise.

Prints a table and writes every error as JSON; methods measured before stay in the file.

    LATENTIA_DATA_DIR=... python benchmarks/few_labels.py [--methods pixels m1 m2 m1-m2] [--draws 0 1 ...] [--m1 RUN]
                                                          [--steps m2=N m1-m2=N] [--threads N] [--out FILE]
    LATENTIA_DATA_DIR=... python benchmarks/few_labels.py --methods m2 --hold-out 20 [--warm-ups 0 0.5] [...]
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from recording import circumstances, command, options, plus_minus, write

import latentia as lt
from latentia import storage
from latentia.data import labels
from latentia.data.seeds import derive_seed
from latentia.data.settings import DataSettings
from latentia.data.sources import load
from latentia.maths import mean_and_deviation

LABELS = 100
NAMED = "spreading"
OTHERS = ("nearest", "logistic", "svm")
METHODS = ("pixels", "m1", "m2", "m1-m2")
BUDGET = ("steps", "epochs", "parameters", "threads")
SEED = 0  # of M1, M2 and the draws


def spread_of(errors: list[float]) -> dict[str, Any]:
    """Mean and standard deviation of the errors of several label draws."""
    return {**mean_and_deviation(errors), "values": errors}


def with_classifiers(run: Any, draws: int) -> dict[str, dict[str, Any]]:
    """Errors of M1 and of pixels, by every classifier; of the named one first."""
    found: dict[str, dict[str, Any]] = {"pixels": {}, "m1": {}}
    for method in (NAMED, *OTHERS):
        began = time.perf_counter()
        result = run.classify(LABELS, draws=draws, method=method, unlabelled=60_000, seed=SEED, write=False)
        seconds = round(time.perf_counter() - began, 1)
        for name, errors in (("pixels", result.errors["data"]), ("m1", result.errors["latents"])):
            error = spread_of(errors)
            found[name][method] = error
            print(f"{name:<7} {method:<10} {error['mean']:.2%}  {[f'{e:.2%}' for e in errors]}", flush=True)
        print(f"        ({seconds} s)", flush=True)
    return found


def trained_with(preset: str, draw: int, steps: int | None, m1: Path | None, settings: dict[str, Any]) -> lt.Run:
    """M2 or M1+M2, trained with a draw of labels."""
    chosen: dict[str, Any] = {"data.labels": LABELS, "data.label_seed": derive_seed(SEED, draw), **settings}
    if preset == "m1-m2" and m1 is not None:
        chosen |= {"training.base_run": str(m1), "training.base_epochs": None}
    return lt.train(preset, "mnist", directory=None, steps=steps, seed=SEED, settings=chosen)


def trained(preset: str, draws: list[int], steps: int | None, m1: Path | None, settings: dict[str, Any]) -> Any:
    """Errors of M2 or M1+M2, a training for each draw of labels."""
    errors, seconds = [], []
    for draw in draws:
        began = time.perf_counter()
        run = trained_with(preset, draw, steps, m1, settings)
        errors.append(run.classify(write=False).error)
        seconds.append(round(time.perf_counter() - began, 1))
        print(f"{preset:<7} draw {draw}: {errors[-1]:.2%}  ({seconds[-1]:.0f} s)", flush=True)
        yield errors, seconds, run


def with_held_out(
    preset: str, n: int, warm_up: float, steps: int | None, m1: Path | None, more: dict[str, Any]
) -> None:
    """Print the error on n of draw 0's labels, equally many of each class, after training with the others alone."""
    images = load(DataSettings(source="mnist", validation=0.0)).split("train")
    assert images.y is not None
    y = images.y.numpy()
    chosen = labels.choose_labelled(y, LABELS, derive_seed(SEED, 0))
    order = np.random.default_rng(SEED).permutation(chosen)
    held = np.concatenate([order[y[order] == label][: n // 10] for label in range(10)])
    ramp = {"name": "linear", "start": 0.0, "end": 1.0, "until": warm_up}
    settings = {**more, "data.labels": LABELS - len(held), "objective.labelled": LABELS - len(held)}
    with mock.patch.object(labels, "choose_labelled", return_value=np.setdiff1d(chosen, held)):
        run = trained_with(preset, 0, steps, m1, settings | {"objective.unlabelled": ramp if warm_up else 1.0})
    rows = torch.from_numpy(held)
    with torch.no_grad():
        log_q = run.model.classify(run.preparation(images.x[rows]))
    wrong = (log_q.argmax(1) != images.y[rows]).double().mean().item()
    loss = torch.nn.functional.nll_loss(log_q, images.y[rows]).item()
    print(f"{preset:<7} warm-up {warm_up:g}: {wrong:.0%} of {len(held)} held out, {loss:.3f} nats", flush=True)


def main() -> None:
    """Measure, print, and write the results after every training."""
    parser = options(__doc__, "results/few_labels.json", threads=True)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--m1", type=Path, help="a finished run of preset m1 on mnist; trained anew if not given")
    parser.add_argument("--steps", nargs="+", default=[], metavar="PRESET=N", help="other budgets than the presets'")
    parser.add_argument(
        "--hold-out", type=int, metavar="N", help="choose by N of draw 0's labels; measures nothing else"
    )
    parser.add_argument("--warm-ups", nargs="+", type=float, default=[0.0, 0.5], help="fractions of the run, to choose")
    arguments = parser.parse_args()
    steps = {name: int(count) for name, _, count in (entry.partition("=") for entry in arguments.steps)}
    settings = {} if arguments.threads is None else {"training.threads": arguments.threads}
    if arguments.hold_out is not None:
        for name in (name for name in ("m2", "m1-m2") if name in arguments.methods):
            for warm_up in arguments.warm_ups:
                with_held_out(name, arguments.hold_out, warm_up, steps.get(name), arguments.m1, settings)
        return
    record: dict[str, Any] = {"methods": {}}
    if arguments.out.is_file():
        record = storage.read_json(arguments.out)
    record["what"] = f"test error on MNIST's 10,000 test images from {LABELS} labels and 59,900 images without"
    record["m1_command"] = "latentia train m1 --data mnist --out RUN --set training.threads=1, RUN given as --m1"
    record["named_beforehand"] = f"{NAMED} on pixels and on m1; the model's own q(y given x) for m2 and m1-m2"

    def keep(name: str, value: dict[str, Any]) -> None:
        record["methods"][name] = value | {
            "command": command(__file__),
            "seed": SEED,
            "label_seeds": [derive_seed(SEED, draw) for draw in range(len(value["error"]["values"]))],
            **circumstances(),
        }
        write(arguments.out, record)

    if {"pixels", "m1"} & set(arguments.methods):
        run: Any = None
        if arguments.m1 is not None:
            run = lt.open_run(arguments.m1)
        else:
            run = lt.train("m1", "mnist", directory=None, seed=SEED, settings=settings)
        for name, found in with_classifiers(run, arguments.draws).items():
            others = {method: error for method, error in found.items() if method != NAMED}
            budget = {key: run.summary[key] for key in BUDGET} | {"seed": run.summary["seed"]}
            keep(name, {"error": found[NAMED], "classifier": NAMED, "other_classifiers": others, "m1": budget})
    for name in ("m2", "m1-m2"):
        if name in arguments.methods:
            draws = list(range(arguments.draws))
            for errors, seconds, trained_run in trained(name, draws, steps.get(name), arguments.m1, settings):
                budget = {key: trained_run.summary[key] for key in BUDGET}
                keep(name, {"error": spread_of(errors), "seconds": seconds, "budget": budget})
    print()
    for name, value in record["methods"].items():
        error = value["error"]
        spread = error["standard_deviation"]
        print(f"{name:<7} {plus_minus(error['mean'], spread, '.2%', over=' over label draws')}")


if __name__ == "__main__":
    main()
