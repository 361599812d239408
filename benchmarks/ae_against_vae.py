"""Autoencoder against VAE: what each is worth for reconstructing, for drawing new images and for walking between them.

Reads finished runs of the tutorials' systems, three seeds each, as `latentia reproduce` leaves them:

    LATENTIA_DATA_DIR=... latentia reproduce ae-2d vae-2d ae-32 vae-400-20 --seeds 3 --out reproduction
    LATENTIA_DATA_DIR=... python benchmarks/ae_against_vae.py [--runs reproduction/runs] [--seeds 0 1 2] [--n 10000]
                                                              [--out FILE] [--picture FILE]

A mixture of Gaussians is fitted to the latents of each run that has none yet (`latentia fit-prior RUN gmm`, kept in the
run). Every figure is of the test images or of as many generated ones, judged by the digit classifier that ships with
the package (`latentia judge`). Prints a table, writes every figure as JSON, and draws images of the first seed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from recording import circumstances, command, options, write
from torch import Tensor

import latentia as lt
from latentia.data.dataset import DataSpec
from latentia.evaluation.encoding import draw_latents, evaluating
from latentia.evaluation.judge import NAME, judge_card
from latentia.exploration.images import enlarge, mosaic, to_rgb
from latentia.exploration.style import INK, MUTED, new_figure, save_figure, styled
from latentia.maths import mean_and_deviation
from latentia.runs.priors import fitted_names

SYSTEMS = ("ae-2d", "vae-2d", "ae-32", "vae-400-20")
PRIOR = "gmm"
SHOWN = 8  # images in a row of the picture
ENDS = (30, 84)  # test images of a 3 and of an 8
MEASURES = (
    ("mse of the reconstructions", "mse", 4),
    ("standard deviation of q(z given x)", "posterior_deviation", 3),
    ("mse between two draws for the same image", "draw_distance", 4),
    ("standard deviation of all latents", "latent_deviation", 2),
    ("Fréchet distance: reconstructions", "reconstructions_frechet", 0),
    ("Fréchet distance: prior N(0, I)", "standard_normal_frechet", 0),
    ("Fréchet distance: fitted prior", "gmm_frechet", 0),
    ("Fréchet distance: half way", "half_way_frechet", 0),
    ("Fréchet distance: box", "box_frechet", 0),
    ("confidence: reconstructions", "reconstructions_confidence", 3),
    ("confidence: prior N(0, I)", "standard_normal_confidence", 3),
    ("confidence: fitted prior", "gmm_confidence", 3),
    ("confidence: half way", "half_way_confidence", 3),
    ("confidence: box", "box_confidence", 3),
)
"""What each row of the table is called, its figure, and its digits."""


def measure(run: lt.Run, n: int) -> dict[str, Any]:
    """What one run is worth: figures of its latents and of its images."""
    if PRIOR not in fitted_names(run):
        run.fit_prior(PRIOR)
    judged = run.judge(n).to_json()
    priors = judged["priors"]
    images = {
        "reconstructions": judged["reconstructions"],
        "standard_normal": priors.get("standard-normal", priors.get("model")),
        PRIOR: priors[PRIOR],
        "half_way": judged["half_way"],
        "box": judged["box"],
    }
    return {
        "mse": run.measure()["mse"],
        "posterior_deviation": posterior_deviation(run),
        "draw_distance": draw_distance(run),
        "latent_deviation": latent_deviation(run),
        **{f"{name}_frechet": found["frechet_distance"] for name, found in images.items()},
        **{f"{name}_confidence": found["confidence"] for name, found in images.items()},
    }


def first_images(run: lt.Run, n: int) -> Tensor:
    """The first test images, as the model takes them."""
    return run.reconstruct(n, write=False).x


def posterior_deviation(run: lt.Run, n: int = 1000) -> float:
    """The standard deviation of q(z given x), mean over latent dimensions and test images; 0 for a point."""
    with evaluating(run.model):
        return float(run.model.encode(first_images(run, n)).stddev.mean())


def draw_distance(run: lt.Run, n: int = 1000) -> float:
    """The mean squared difference of the pixels when the same image goes through the model twice, with z drawn."""
    x, source = first_images(run, n), torch.Generator().manual_seed(0)
    with evaluating(run.model):
        q = run.model.encode(x)
        first, second = (run.model.decode(q.sample(generator=source)).mean for _ in range(2))
    return float((first - second).square().mean())


def latent_deviation(run: lt.Run) -> float:
    """The standard deviation of z drawn from q(z given x) over the test part, root mean square over dimensions."""
    z = draw_latents(run.model, run.dataset, "test").flatten(1).double()
    return float(z.var(0, correction=0).mean().sqrt())


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over seeds of every figure of every system."""
    summary: dict[str, Any] = {}
    for system in dict.fromkeys(row["system"] for row in rows):
        own = [row for row in rows if row["system"] == system]
        summary[system] = {
            name: mean_and_deviation([row[name] for row in own]) for name in own[0] if name not in ("system", "seed")
        }
    return summary


def table(record: dict[str, Any]) -> str:
    """The table of the page on both, from the recorded figures."""
    systems = list(record["summary"])
    lines = ["| | " + " | ".join(f"`{name}`" for name in systems) + " |", "|---" * (len(systems) + 1) + "|"]
    for words, key, digits in MEASURES:
        found = [record["summary"][name][key] for name in systems]
        cells = [f"{one['mean']:.{digits}f} ± {one['standard_deviation']:.{digits}f}" for one in found]
        cells = ["0" if one["mean"] == 0 else cell for one, cell in zip(found, cells, strict=True)]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


# --- the picture ------------------------------------------------------------------------------------------------------


def shown(run: lt.Run) -> dict[str, Tensor]:
    """A row of images for each way to make them, (8, 1, H, W)."""
    between = run.interpolate(images=ENDS, steps=SHOWN, write=False).frames
    return {
        "test images": first_images(run, SHOWN),
        "reconstructions": run.reconstruct(SHOWN, write=False).reconstruction,
        "draws, prior N(0, I)": run.sample(SHOWN, prior="standard-normal", write=False).x,
        "draws, fitted mixture": run.sample(SHOWN, prior=PRIOR, write=False).x,
        "between two images": between,
    }


def draw(runs: dict[str, lt.Run], path: Path) -> None:
    """Draw the rows of every system, two systems side by side."""
    height = 1.95
    with styled():
        figure = new_figure(10.0, height * (len(runs) / 2) + 0.35)
        figure.suptitle("The same ways to make digits, autoencoders (left) and VAEs (right)", color=INK)
        grid = figure.subplots(len(runs) // 2, 2, squeeze=False)
        for (name, run), axes in zip(runs.items(), grid.flat, strict=True):
            rows = shown(run)
            picture = mosaic(pictured(torch.cat(list(rows.values())), run.spec), SHOWN, gap=(6, 6))
            axes.imshow(picture)
            axes.set_title(name)
            step = picture.shape[0] / len(rows)
            axes.set_yticks([step * (i + 0.5) for i in range(len(rows))], list(rows), color=MUTED)
            axes.tick_params(left=False, bottom=False, labelbottom=False)
            axes.spines[:].set_visible(False)
        save_figure(figure, path)


def pictured(x: Tensor, spec: DataSpec) -> Any:
    """Colours of grey images, all of one size."""
    return enlarge(to_rgb(x, spec.low, spec.high), 56)


# --- the command ------------------------------------------------------------------------------------------------------


def main() -> None:
    """Measure every run, print the table, write the results after each."""
    parser = options(__doc__, "results/ae_against_vae.json", seeds=range(3), runs=True)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--picture", type=Path, default=Path("docs/systems/ae-against-vae.png"))
    arguments = parser.parse_args()
    places = {(name, seed): arguments.runs / name / f"seed-{seed}" for name in SYSTEMS for seed in arguments.seeds}
    missing = [str(place) for place in places.values() if not place.is_dir()]
    if missing:
        sys.exit(f"no runs {', '.join(missing)}: make them by `latentia reproduce {' '.join(SYSTEMS)}`")
    rows: list[dict[str, Any]] = []
    for (name, seed), place in places.items():
        rows.append({"system": name, "seed": seed, **measure(lt.open_run(place), arguments.n)})
        figures = "  ".join(f"{key} {value:.4g}" for key, value in rows[-1].items() if isinstance(value, float))
        print(f"{name} seed {seed}: {figures}", flush=True)
        record = {
            "command": command(__file__),
            "runs": f"latentia reproduce {' '.join(SYSTEMS)} --seeds {len(arguments.seeds)}",
            "what": f"MNIST, {arguments.n:,} images of each kind against as many test images",
            "extractor": NAME,
            "extractor_accuracy": judge_card()["test_accuracy"],
            "prior": PRIOR,
            **circumstances(),
            "summary": summarise(rows),
            "rows": rows,
        }
        write(arguments.out, record)
    draw({name: lt.open_run(places[name, arguments.seeds[0]]) for name in SYSTEMS}, arguments.picture)


if __name__ == "__main__":
    main()
