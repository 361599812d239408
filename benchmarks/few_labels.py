"""Few labels: the test error of classifiers that see 100 labels of MNIST and 59,900 images without.

Everything was fixed before the first error on test data was seen: the label draws (seeds 0 to 4 of
`latentia classify --seed 0`, the same for every method), the sizes of M1 and M2 (Kingma et al. 2014,
https://arxiv.org/abs/1406.5298, section 4, as in the presets), the weight alpha = 0.1 N of their equation 9, the
budgets below, and label spreading with its defaults as the classifier of M1 and of the pixels. Other classifiers are
recorded beside it; the settings of `svm` and `logistic` are chosen by cross-validation over the 100 labels.

- `pixels`: the classifier on the images themselves.
- `m1`: the same classifier on the latent means of preset `m1`, trained once without labels.
- `m2`: preset `m2`, its own q(y given x), one training for each draw.
- `m1-m2`: preset `m1-m2`, M2 on the latents of that `m1`, likewise.

Prints a table and writes every error as JSON; methods measured before stay in the file.

    LATENTIA_DATA_DIR=... python benchmarks/few_labels.py [--methods pixels m1 m2 m1-m2] [--draws 0 1 ...] [--m1 RUN]
                                                          [--steps m2=N m1-m2=N] [--threads N] [--out FILE]
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from recording import circumstances, command, options, plus_minus, write

import latentia as lt
from latentia import storage
from latentia.data.seeds import derive_seed
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


def trained(preset: str, draws: list[int], steps: int | None, m1: Path | None, settings: dict[str, Any]) -> Any:
    """Errors of M2 or M1+M2, a training for each draw of labels."""
    errors, seconds = [], []
    for draw in draws:
        chosen = {"data.labels": LABELS, "data.label_seed": derive_seed(SEED, draw), **settings}
        if preset == "m1-m2" and m1 is not None:
            chosen |= {"training.base_run": str(m1), "training.base_epochs": None}
        began = time.perf_counter()
        run = lt.train(preset, "mnist", directory=None, steps=steps, seed=SEED, settings=chosen)
        errors.append(run.classify(write=False).error)
        seconds.append(round(time.perf_counter() - began, 1))
        print(f"{preset:<7} draw {draw}: {errors[-1]:.2%}  ({seconds[-1]:.0f} s)", flush=True)
        yield errors, seconds, run


def main() -> None:
    """Measure, print, and write the results after every training."""
    parser = options(__doc__, "results/few_labels.json", threads=True)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--m1", type=Path, help="a finished run of preset m1 on mnist; trained anew if not given")
    parser.add_argument("--steps", nargs="+", default=[], metavar="PRESET=N", help="other budgets than the presets'")
    arguments = parser.parse_args()
    steps = {name: int(count) for name, _, count in (entry.partition("=") for entry in arguments.steps)}
    settings = {} if arguments.threads is None else {"training.threads": arguments.threads}
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
