"""Write ``docs/figures.md`` from the recorded results, so that the page says what was measured and nothing else.

Run as ``python benchmarks/table.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROWS = ["vae", "ae", "conv-ae", "conv-vae-2", "conv-vae-30"]

HEAD = """# Measured figures

Made by `python benchmarks/table.py` from the JSON files under `results/`; each of those names its command, the seeds,
the versions and the kind of machine. Nothing here was chosen on test data: these presets train on all 60,000 images,
and the last weights are the model.

## The tutorials' systems on MNIST

`reference` is what a direct transcription of the tutorial reaches in fp32 on the same 60,000/10,000 split, full test
set, evaluation mode. `measured` is the mean of the seeds with their standard deviation. A row holds if the mean is
within 2 % (squared errors) or 0.3 nats (`conv-vae`) of the reference or better, `vae` if it is at least -104.7 nats.
Pixels are in [0, 1]; nats are summed over pixels and latent dimensions and averaged over images, one draw of z per
image. Grey pixels under a Bernoulli are a cross-entropy and no normalised likelihood: these ELBOs do not compare with
those of binarised MNIST.
"""

SPEED = """
## Training speed

`python benchmarks/train_vae.py`: the 784-400-20 VAE, MNIST, batch 128, Adam; ours and a plain in-memory eager PyTorch
loop of the same model (data as a float tensor in memory, fused Adam) in turn in one process, nothing else running;
medians over rounds of one whole training each, the ratio being the median of the rounds' ratios.
"""


def read(name: str) -> dict[str, Any]:
    """One recorded result."""
    return json.loads((ROOT / "results" / name).read_text(encoding="utf-8"))


def machine(record: dict[str, Any]) -> str:
    """The kind of machine and the versions, in words."""
    kind, versions = record["machine"], record["versions"]
    return (
        f"{kind['processor']}, {kind['cores']} cores, {kind['device']}; Python {versions['python']}, "
        f"PyTorch {versions['torch']}"
    )


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| system | epochs | figure | reference | measured | seeds | precision | holds |", "|" + "---|" * 8]
    for name in ROWS:
        record = read(f"tutorials/{name}.json")
        run = record["runs"][0]
        digits = 2 if record["unit"].startswith("nats") else 5
        figure = "test ELBO, nats" if digits == 2 else "test mse"
        lines.append(
            f"| `{run['preset']}` | {run['epochs']:.0f} | {figure} | {record['reference']:.{digits}f} | "
            f"{record['mean']:.{digits}f} ± {record['standard_deviation']:.{digits}f} | {len(record['values'])} | "
            f"{run['precision']} | {'yes' if record['holds'] else 'no'} |"
        )
    record = read("tutorials/vae.json")
    lines += ["", f"Machine: {machine(record)}.", SPEED]
    lines += ["| precision | ours, images/s | plain loop, images/s | ratio | rounds |", "|" + "---|" * 5]
    speed = read("train_vae.json")
    for precision, result in speed["results"].items():
        lines.append(
            f"| {precision} | {result['ours_images_per_second']:,} | {result['plain_images_per_second']:,} | "
            f"{result['ratio']:.2f} | {len(result['rounds'])} |"
        )
    lines += ["", f"Machine: {machine(speed)}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    (ROOT / "docs" / "figures.md").write_text(page(), encoding="utf-8")
