"""What a tutorial's reader runs: a VAE on MNIST as a plain PyTorch script, for comparison. Latentia is not imported.

The data set is one of decoded pictures: each image of a batch becomes a PIL image and then a tensor, as torchvision's
MNIST with ToTensor does it, and a DataLoader without workers puts the batches together. The loss of every step is
fetched by ``.item()`` for the log; fp32, eager, PyTorch's own Adam. At the end come the tutorial's two figures.

    python benchmarks/tutorial_vae.py --data-dir DIR --out DIR [--epochs 15] [--system vae|conv-vae-32] [--seed 0]
"""

from __future__ import annotations

import argparse
import gzip
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

BATCH, RATE = 128, 1e-3
FILES = {"train": "train", "test": "t10k"}


# --- the data ---------------------------------------------------------------------------------------------------------


def read_idx(path: Path, header: int) -> Tensor:
    """The bytes of an IDX file, packed or not, without its header."""
    packed = path.with_name(f"{path.name}.gz")
    content = gzip.decompress(packed.read_bytes()) if packed.is_file() else path.read_bytes()
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).copy())


def read_mnist(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """The images (N, 28, 28) and labels (N,) of MNIST's ``train`` or ``test`` part, uint8, from ``folder/mnist``."""
    stem = folder / "mnist" / FILES[part]
    images = read_idx(stem.with_name(f"{stem.name}-images-idx3-ubyte"), 16).reshape(-1, 28, 28)
    return images, read_idx(stem.with_name(f"{stem.name}-labels-idx1-ubyte"), 8)


class Pictures(Dataset):
    """Images that are decoded one by one when they are asked for."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One image (1, 28, 28) in [0, 1] and its label."""
        picture = Image.fromarray(self.images[index].numpy())
        pixels = torch.from_numpy(np.array(picture)).unsqueeze(-1)  # (H, W, C), as pictures are stored
        return pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255), int(self.labels[index])


# --- the models -------------------------------------------------------------------------------------------------------


class PlainVAE(nn.Module, ABC):
    """What both models share: draw z and decode it."""

    event: tuple[int, ...]
    latents: int

    @abstractmethod
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z given x)."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Logits of the pixels."""

    def reparameterise(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """A draw of z."""
        return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction in (0, 1), mean and log-variance of a batch."""
        mu, logvar = self.encode(x)
        return torch.sigmoid(self.decode(self.reparameterise(mu, logvar))), mu, logvar


class VAE(PlainVAE):
    """784-400-20, fully connected."""

    event, latents = (784,), 20

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(784, 400)
        self.mu, self.logvar = nn.Linear(400, 20), nn.Linear(400, 20)
        self.up, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z given x)."""
        h = functional.relu(self.hidden(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z: Tensor) -> Tensor:
        """Logits of the pixels."""
        return self.out(functional.relu(self.up(z)))


class ConvVAE(PlainVAE):
    """Three convolutions down to 4 x 4, 32 latents, three transposed convolutions up again."""

    event, latents = (1, 28, 28), 32

    def __init__(self) -> None:
        super().__init__()
        down = []
        for inner, outer in ((1, 32), (32, 64), (64, 128)):
            down += [nn.Conv2d(inner, outer, 3, 2, 1), nn.BatchNorm2d(outer), nn.LeakyReLU(0.2)]
        self.down = nn.Sequential(*down)
        self.mu, self.logvar = nn.Linear(2048, 32), nn.Linear(2048, 32)
        self.linear = nn.Linear(32, 2048)
        self.up = nn.Sequential(
            *(nn.ConvTranspose2d(128, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2)),
            *(nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.BatchNorm2d(32), nn.LeakyReLU(0.2)),
            nn.ConvTranspose2d(32, 1, 3, 2, 1, 1),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z given x)."""
        h = self.down(x).flatten(1)
        return self.mu(h), self.logvar(h)

    def decode(self, z: Tensor) -> Tensor:
        """Logits of the pixels."""
        return self.up(self.linear(z).unflatten(1, (128, 4, 4)))


MODELS: dict[str, type[PlainVAE]] = {"vae": VAE, "conv-vae-32": ConvVAE}


def loss_function(reconstruction: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """BCE + KL, summed over pixels and latents, mean over images."""
    bce = functional.binary_cross_entropy(reconstruction, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kl) / len(x)


# --- training and figures ---------------------------------------------------------------------------------------------


def train(model: PlainVAE, data: Dataset, epochs: int, stepped: Callable[[int], None] = lambda images: None) -> None:
    """The tutorial's loop; ``stepped`` is told after each step how many images it saw."""
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for x, _ in loader:
            x = x.view(len(x), *model.event)
            reconstruction, mu, logvar = model(x)
            loss = loss_function(reconstruction, x, mu, logvar)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            stepped(len(x))
        print(f"epoch {epoch + 1}: mean loss {total / len(loader):.2f}", flush=True)


@torch.no_grad()
def draw(model: PlainVAE, images: Tensor, out: Path) -> None:
    """Ten originals over their reconstructions, and an 8 x 8 grid of samples."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    model.eval()
    x = images[:10].float() / 255
    pairs = torch.cat([x, model(x.view(10, *model.event))[0].view(10, 28, 28)])
    samples = torch.sigmoid(model.decode(torch.randn(64, model.latents))).view(64, 28, 28)
    for name, pictures, columns in (("reconstructions.png", pairs, 10), ("samples.png", samples, 8)):
        figure, axes = pyplot.subplots(len(pictures) // columns, columns, figsize=(columns, len(pictures) // columns))
        for axis, picture in zip(axes.flat, pictures, strict=True):
            axis.imshow(picture, cmap="gray")
            axis.axis("off")
        figure.savefig(out / name)
        pyplot.close(figure)


def main() -> None:
    """Train and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LATENTIA_DATA_DIR"), help="holds mnist/")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--system", choices=list(MODELS), default="vae")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.data_dir is None:
        parser.error("say with --data-dir which folder holds mnist/ with MNIST's original files")
    torch.manual_seed(arguments.seed)
    model = MODELS[arguments.system]()
    train(model, Pictures(*read_mnist(arguments.data_dir, "train")), arguments.epochs)
    arguments.out.mkdir(parents=True, exist_ok=True)
    draw(model, read_mnist(arguments.data_dir, "test")[0], arguments.out)


if __name__ == "__main__":
    main()
