"""Is training ``vae`` at least as fast as a plain in-memory eager PyTorch loop of the same model?

Both train the 784-400-20 VAE on MNIST (batch 128, Adam 1e-3, fused) in the same process, in turn, at the same
precision; each round is one whole training of each, 15 epochs. Prints a table and writes medians and ratios as JSON.

    LATENTIA_DATA_DIR=... python benchmarks/train_vae.py [--rounds 5] [--epochs 15] [--precision fp32 bf16] [--out FILE]
"""

from __future__ import annotations

import statistics
import time

import torch
from recording import circumstances, options, write
from torch.nn import functional
from tutorial_vae import VAE

from latentia.data import DataSettings, load
from latentia.objectives import Elbo
from latentia.recipes import build_model, find_preset
from latentia.training import Execution, TrainingSettings, fit

BATCH = 128


def plain_training(x: torch.Tensor, precision: str, epochs: int) -> float:
    """Train by the plain loop, from the data as a float tensor in memory; returns images per second."""
    torch.manual_seed(0)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    steps = len(x) // BATCH
    began = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for step in range(steps):
            batch = x[order[step * BATCH : (step + 1) * BATCH]]
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                mu, logvar = model.encode(batch)
                logits = model.decode(model.reparameterise(mu, logvar))
            mu, logvar = mu.float(), logvar.float()
            bce = functional.binary_cross_entropy_with_logits(logits.float(), batch, reduction="sum")
            kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss = (bce + kl) / BATCH
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return epochs * steps * BATCH / (time.perf_counter() - began)


def our_training(dataset, precision: str, epochs: int) -> float:
    """Train by Latentia's loop, logging included; returns images per second."""
    config = find_preset("vae").config()
    model = build_model(config.model, dataset.spec, seed=0)
    steps = epochs * (len(dataset.split("train")) // BATCH)
    settings = TrainingSettings(steps=steps, epochs=None, batch_size=BATCH)
    began = time.perf_counter()
    fit(model, Elbo(), dataset, settings, execution=Execution("cpu", precision, torch.get_num_threads()))
    return steps * BATCH / (time.perf_counter() - began)


def main() -> None:
    """Run the rounds, print the table, write the results."""
    parser = options(__doc__, "results/train_vae.json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=["fp32", "bf16"])
    arguments = parser.parse_args()
    dataset = load(DataSettings(source="mnist", validation=0.0))
    x = dataset.split("train").x.flatten(1).float() / 255
    results = {}
    for precision in arguments.precision:
        plain_training(x, precision, 1)  # warm up both: allocator, kernels
        our_training(dataset, precision, 1)
        epochs = arguments.epochs
        rounds = [
            (our_training(dataset, precision, epochs), plain_training(x, precision, epochs))
            for _ in range(arguments.rounds)
        ]
        ours, plain = (statistics.median(values) for values in zip(*rounds, strict=True))
        ratio = statistics.median(a / b for a, b in rounds)
        results[precision] = {
            "ours_images_per_second": round(ours),
            "plain_images_per_second": round(plain),
            "ratio": round(ratio, 3),
            "rounds": [[round(a), round(b)] for a, b in rounds],
        }
        print(f"{precision}: ours {ours:9,.0f} images/s   plain eager loop {plain:9,.0f} images/s   ratio {ratio:.2f}")
    record = {
        "command": f"python benchmarks/train_vae.py --rounds {arguments.rounds} --epochs {arguments.epochs}",
        "what": "784-400-20 VAE, MNIST, batch 128, fused Adam; medians over rounds, both in turn in one process",
        **circumstances(),
        "seed": 0,
        "results": results,
    }
    write(arguments.out, record)


if __name__ == "__main__":
    main()
