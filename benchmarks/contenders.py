"""Who is compared by ``rivals.py``: each trains the same model, batch, data and optimiser in its own way.

A contender is called as ``contender(task, watch)``, tells ``watch`` after every step (ours: after every logged line)
how many images it has seen, and returns the trained model as a pair of functions: x (N, 784) -> mean and log-variance
of q(z given x), and z -> logits (N, 784). In a measurement of speed ``watch`` ends it by raising :class:`Enough`.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from floor import floor
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from tutorial_vae import BATCH, MODELS, RATE, Pictures, PlainVAE, read_mnist, train

DRAWS, BLOCK = 4, 1000
REMEDY = "is not installed: pip install -e '.[bench]', or leave it out with --contenders"


class Enough(Exception):
    """All steps that are timed have been taken."""


@dataclass(frozen=True)
class Task:
    """What is trained: the system's name, the folder that holds mnist/, the planned epochs, the seed."""

    system: str
    data_dir: str
    epochs: int
    seed: int

    def model(self) -> PlainVAE:
        """The plain model, its weights drawn from the seed."""
        torch.manual_seed(self.seed)
        return MODELS[self.system]()

    def train_images(self) -> Tensor:
        """The training images as the plain model takes them: (N, *event), float32 in [0, 1]."""
        images = read_mnist(Path(self.data_dir), "train")[0]
        return images.float().div_(255).view(len(images), *MODELS[self.system].event)


@dataclass
class Watch:
    """Times the steps from ``first`` to ``last``, and ends the training there if ``stops``.

    Attributes:
        rate: Images per second of these steps, once they are taken.
        peak: The most memory resident until then, MB.
        before: When the process was started; after the first steps, the seconds that they and all before them took.
        facts: What else a contender has to say of itself.
    """

    first: int
    last: int
    stops: bool = True
    steps: int = 0
    images: int = 0
    began: tuple[int, float] | None = None
    rate: float | None = None
    peak: float | None = None
    before: float = field(default_factory=time.time)
    facts: dict[str, Any] = field(default_factory=dict)

    def stepped(self, images: int) -> None:
        """A step over so many images was taken."""
        self.mark(self.steps + 1, self.images + images)

    def mark(self, step: int, images: int) -> None:
        """So many steps were taken in all, over so many images in all."""
        self.steps, self.images = step, images
        if self.began is None:
            if step >= self.first:
                self.began = images, time.perf_counter()
                self.before = time.time() - self.before
        elif step >= self.last and self.rate is None:
            self.rate = (images - self.began[0]) / (time.perf_counter() - self.began[1])
            self.peak = peak_megabytes()
            if self.stops:
                raise Enough


@dataclass(frozen=True)
class Trained:
    """A trained model as two functions."""

    posterior: Callable[[Tensor], tuple[Tensor, Tensor]]
    logits: Callable[[Tensor], Tensor]


def peak_megabytes() -> float | None:
    """The most memory that this process has had resident, in MB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


@torch.no_grad()
def elbo_on(trained: Trained, images: Tensor) -> dict[str, float]:
    """Distortion, rate and ELBO of a model on images (N, 28, 28), uint8; nats per image, fp32, for everybody alike.

    The rate is the closed form; the distortion is the mean over the same few draws of noise for everybody.
    """
    source = torch.Generator().manual_seed(0)
    sums = torch.zeros(2, dtype=torch.float64)
    for start in range(0, len(images), BLOCK):
        x = images[start : start + BLOCK].flatten(1).float() / 255
        mu, logvar = trained.posterior(x)
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        bce = torch.zeros(())
        for _ in range(DRAWS):
            z = mu + torch.randn(mu.shape, generator=source) * torch.exp(0.5 * logvar)
            logits = trained.logits(z)
            bce += functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / DRAWS
        sums += torch.stack([bce, kl]).double()
    distortion, rate = (sums / len(images)).tolist()
    return {"elbo": -(distortion + rate), "distortion": distortion, "rate": rate}


def plainly(model: PlainVAE) -> Trained:
    """A plain model in evaluation mode."""
    model.eval()
    return Trained(lambda x: model.encode(x.view(len(x), *model.event)), lambda z: model.decode(z).flatten(1))


# --- the rivals -------------------------------------------------------------------------------------------------------


def tutorial(task: Task, watch: Watch) -> Trained:
    """The tutorial's loop: a picture decoded at a time, a DataLoader, ``.item()`` at every step."""
    model = task.model()
    train(model, Pictures(*read_mnist(Path(task.data_dir), "train")), task.epochs, watch.stepped)
    return plainly(model)


def plain_loss(model: PlainVAE, x: Tensor, precision: str) -> Tensor:
    """BCE on logits + KL, summed over pixels and latents, mean over images; networks in a precision, sums in fp32."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        mu, logvar = (value.float() for value in model.encode(x))
        logits = model.decode(model.reparameterise(mu, logvar))
    bce = functional.binary_cross_entropy_with_logits(logits.float(), x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kl) / len(x)


def eager(task: Task, watch: Watch, precision: str = "fp32") -> Trained:
    """A plain loop over a float tensor in memory, with the fused Adam and nothing fetched."""
    model, x = task.model(), task.train_images()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    for _ in range(task.epochs):
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            batch = x[order[start : start + BATCH]]
            loss = plain_loss(model, batch, precision)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            watch.stepped(len(batch))
    return plainly(model)


def pythae(task: Task, watch: Watch) -> Trained:
    """pythae's VAE and BaseTrainer, with the plain model's layers as its encoder and decoder."""
    try:
        from pythae.data.datasets import BaseDataset
        from pythae.models import VAE, VAEConfig
        from pythae.models.base.base_utils import ModelOutput
        from pythae.models.nn import BaseDecoder, BaseEncoder
        from pythae.trainers import BaseTrainer, BaseTrainerConfig
        from pythae.trainers.training_callbacks import TrainingCallback
    except ImportError as error:
        raise SystemExit(f"pythae {REMEDY} ({error})") from error

    class Encoder(BaseEncoder):
        def __init__(self, plain: PlainVAE) -> None:
            super().__init__()
            self.plain = plain

        def forward(self, x: Tensor) -> Any:
            mu, logvar = self.plain.encode(x)
            return ModelOutput(embedding=mu, log_covariance=logvar)

    class Decoder(BaseDecoder):
        def __init__(self, plain: PlainVAE) -> None:
            super().__init__()
            self.plain = plain

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=torch.sigmoid(self.plain.decode(z)))

    class Told(TrainingCallback):
        def on_train_step_end(self, training_config: Any, **_: Any) -> None:
            seen = min(len(x), (watch.steps % per_epoch + 1) * BATCH) - watch.steps % per_epoch * BATCH
            watch.stepped(seen)

    plain, x = task.model(), task.train_images()
    per_epoch = math.ceil(len(x) / BATCH)
    config = VAEConfig(input_dim=plain.event, latent_dim=plain.latents, reconstruction_loss="bce")
    model = VAE(config, Encoder(plain), Decoder(plain))
    with tempfile.TemporaryDirectory() as folder:
        training = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=task.epochs,
            learning_rate=RATE,
            per_device_train_batch_size=BATCH,
            optimizer_cls="Adam",
            seed=task.seed,
            no_cuda=True,
        )
        data = BaseDataset(x, read_mnist(Path(task.data_dir), "train")[1])
        BaseTrainer(model, data, training_config=training, callbacks=[Told()]).train()
    return plainly(plain)


def lightning(task: Task, watch: Watch, precision: str = "fp32") -> Trained:
    """Lightning's Trainer over a TensorDataset, with logging, checkpoints, bar and summary off."""
    try:
        import lightning
    except ImportError as error:
        raise SystemExit(f"lightning {REMEDY} ({error})") from error

    class Wrapped(lightning.LightningModule):
        def __init__(self, plain: PlainVAE) -> None:
            super().__init__()
            self.plain = plain

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return plain_loss(self.plain, batch[0], precision)

        def on_train_batch_end(self, outputs: Any, batch: list[Tensor], batch_idx: int) -> None:
            watch.stepped(len(batch[0]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=RATE)

    model = task.model()
    loader = DataLoader(TensorDataset(task.train_images()), batch_size=BATCH, shuffle=True)
    trainer = lightning.Trainer(
        max_epochs=task.epochs,
        accelerator="cpu",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Wrapped(model), loader)
    return plainly(model)


# --- ours -------------------------------------------------------------------------------------------------------------


def ours(task: Task, watch: Watch, settings: Mapping[str, Any] | None = None) -> Trained:
    """``latentia.train`` at its defaults, or with further settings; it logs every hundred steps.

    With as many epochs planned as here, the defaults compile the step.
    """
    import latentia
    from latentia.training import Events

    class Told(Events):
        def started(self, plan: Mapping[str, Any]) -> None:
            watch.facts["precision"] = plan["precision"]

        def logged(self, row: Mapping[str, Any]) -> None:
            watch.mark(row["step"], row["step"] * BATCH)

    run = latentia.train(
        task.system,
        data="mnist",
        data_dir=task.data_dir,
        directory=None,
        epochs=task.epochs,
        seed=task.seed,
        settings=settings or {},
        events=Told(),
    )
    watch.facts |= {"compiled": run.summary["compiled"], "seconds": run.summary["seconds"]}
    return by_us(run.model)


def by_us(model: Any) -> Trained:
    """One of our models in evaluation mode."""
    model.eval()

    def posterior(x: Tensor) -> tuple[Tensor, Tensor]:
        q = model.encode(x.view(-1, 1, 28, 28))
        return q.loc, q.logvar

    return Trained(posterior, lambda z: model.decode(z).logits.flatten(1))


FP32, UNCOMPILED = {"training.precision": "fp32"}, {"training.compile": "off"}
CONTENDERS: dict[str, Callable[[Task, Watch], Any]] = {
    "tutorial": tutorial,
    "pythae": pythae,
    "lightning": lightning,
    "lightning-bf16": partial(lightning, precision="bf16"),
    "eager": eager,
    "eager-bf16": partial(eager, precision="bf16"),
    "ours": ours,
    "ours-fp32": partial(ours, settings=FP32),
    "ours-uncompiled": partial(ours, settings=UNCOMPILED),
    "ours-uncompiled-fp32": partial(ours, settings=UNCOMPILED | FP32),
    "floor": partial(floor, precision="bf16"),
    "floor-fp32": partial(floor, precision="fp32"),
}
"""By name; floors train nothing."""
