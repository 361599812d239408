"""A batch that is divided among processes: what it takes for its loss and gradient to be those of the whole batch.

- Gradients are averaged over processes by PyTorch's DistributedDataParallel; the shares are equal, so that the mean of
  the means is the mean.
- What a step draws from the default generator, such as dropout and corruption, is drawn for the whole batch and cut.
- Batch normalisation, and whatever else asks ``latentia.data.whole``, sees the whole batch.
- Once, before the first step, the loss of a few samples in shares is compared with that of the same samples together,
  so that an objective for which all this is not enough is refused and not silently changed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.overrides import TorchFunctionMode

from latentia.data.whole import gathered_by, whole
from latentia.errors import ConfigError
from latentia.training.distributed import Ranks
from latentia.training.execution import default_generator
from latentia.training.phases import BatchLoss, Phase

_PROBED = 4  # samples of each process whose loss is compared
_TOLERANCE = 3e-5  # relative, in float32


class Gather(torch.autograd.Function):
    """All processes' tensors in a row, with gradients of any order.

    A process's part counts in the losses of all of them, so that its gradient is the sum of theirs:
    :class:`Scatter`, whose own gradient is this again.
    """

    @staticmethod
    def forward(ctx: Any, part: Tensor, rank: int, world: int) -> Tensor:
        """Concatenate along the first axis."""
        ctx.rank, ctx.world = rank, world
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(world)]
        dist.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Sum over processes, and take this one's part."""
        return Scatter.apply(gradients[0], ctx.rank, ctx.world), None, None  # type: ignore[return-value]


class Scatter(torch.autograd.Function):
    """This process's part of the sum of all processes' tensors."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, rank: int, world: int) -> Tensor:
        """Sum, and take a part along the first axis."""
        ctx.rank, ctx.world = rank, world
        total = rows.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(world)[rank].contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Concatenate all processes' gradients."""
        return Gather.apply(gradients[0], ctx.rank, ctx.world), None, None  # type: ignore[return-value]


def batch_norm(module: Any, x: Tensor) -> Tensor:
    r"""Batch normalisation over the whole batch, as ``torch.nn.BatchNorm1d`` and its kin do it over theirs.

    .. math:: \mu = \mathrm{mean}_w \mu_w, \quad \sigma^2 = \mathrm{mean}_w (\sigma_w^2 + (\mu_w - \mu)^2)

    over W processes with equally many values. ``torch.nn.SyncBatchNorm`` does this on GPUs alone.

    Args:
        module: The layer; its running statistics are updated in training mode.
        x: This process's part, (B, C, ...).

    Returns:
        (B, C, ...), in the precision of x.
    """
    if not module.training:
        return type(module).forward(module, x)
    axes = [0, *range(2, x.dim())]
    values = x.float()
    loc, variance = values.mean(axes), values.var(axes, unbiased=False)  # (C,) each
    parts = whole(torch.stack([loc, variance]).unsqueeze(0))  # (W, 2, C)
    loc = parts[:, 0].mean(0)
    variance = (parts[:, 1] + (parts[:, 0] - loc).square()).mean(0)
    if module.track_running_stats:
        with torch.no_grad():
            count = len(parts) * values.numel() // values.shape[1]
            module.num_batches_tracked.add_(1)
            momentum = module.momentum
            momentum = 1 / float(module.num_batches_tracked) if momentum is None else momentum
            module.running_mean.lerp_(loc, momentum)
            module.running_var.lerp_(variance * count / max(count - 1, 1), momentum)
    shape = (1, -1, *[1] * (x.dim() - 2))
    scale = torch.rsqrt(variance + module.eps)
    normal = (values - loc.view(shape)) * scale.view(shape)
    if module.affine:
        normal = normal * module.weight.view(shape) + module.bias.view(shape)
    return normal.to(x.dtype)


@contextmanager
def sharing(model: nn.Module) -> Iterator[None]:
    """Let a model's batch normalisation see the whole batch within the block, in which it is trained in shares."""
    layers = _batch_norms(model)
    try:
        for layer in layers:
            layer.forward = partial(batch_norm, layer)
        with warnings.catch_warnings():  # of kernels with one channel, whose strides have two spellings
            warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides", UserWarning)
            yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


def _batch_norms(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


class Draws(TorchFunctionMode):
    """Draws what a step takes from the default generator for the whole batch, and cuts this process's share.

    A draw is of the batch if its first axis is that of B or K*B samples (sample-major). Others are left alone: the
    default generators of all processes have the same state, so that they draw the same.

    Args:
        rank: This process's number.
        world: How many there are.
        share: B, of each process.
        k: K, the draws per sample.

    Attributes:
        drawn: Whether anything was drawn for the batch.
    """

    def __init__(self, rank: int, world: int, share: int, k: int) -> None:
        super().__init__()
        self.rank, self.world, self.share, self.k = rank, world, share, k
        self.drawn = False
        self._ours = {(share,), (k * share,)}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Replace draws; pass everything else on."""
        kwargs = kwargs or {}
        if func in _DROPOUTS:
            return self._dropout(func, *args, **kwargs)
        if func in _FACTORIES and kwargs.get("generator") is None:
            size = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
            size = tuple(kwargs.get("size", size))
            if size[:1] in self._ours:
                rest = {name: value for name, value in kwargs.items() if name != "size"}
                return self._cut(func((self.world * size[0], *size[1:]), **rest))
        if func in _LIKE and kwargs.get("generator") is None and args[0].shape[:1] in self._ours:
            return self._cut(func(self._enlarged(args[0]), *args[1:], **kwargs))
        return func(*args, **kwargs)

    def _dropout(self, func: Any, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if not training or p == 0 or input.shape[:1] not in self._ours:
            return func(input, p, training, inplace)
        return input * self._cut(func(self._enlarged(input).fill_(1), p, True))

    def _enlarged(self, part: Tensor) -> Tensor:
        """An empty tensor as the whole batch's would be."""
        shape = (self.world * len(part), *part.shape[1:])
        channels_last = part.dim() == 4 and part.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last and not part.is_contiguous() else torch.contiguous_format
        return torch.empty(shape, dtype=part.dtype, device=part.device, memory_format=layout)

    def _cut(self, rows: Tensor) -> Tensor:
        self.drawn = True
        first = self.rank * self.share
        if len(rows) == self.world * self.share:
            return rows[first : first + self.share]
        return rows.unflatten(0, (self.k, -1))[:, first : first + self.share].flatten(0, 1)


_FUNCTIONAL = nn.functional
_DROPOUTS = {_FUNCTIONAL.dropout, _FUNCTIONAL.dropout1d, _FUNCTIONAL.dropout2d, _FUNCTIONAL.dropout3d}
_FACTORIES = {torch.rand, torch.randn}
_LIKE = {torch.rand_like, torch.randn_like}


class _Watched(nn.Module):
    """A phase's loss as a module: DistributedDataParallel watches a forward pass and the parameters of a module."""

    def __init__(self, phase: Phase, loss: BatchLoss) -> None:
        super().__init__()
        self.changed = nn.ParameterList(phase.parameters)
        self.loss = loss

    def forward(self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]) -> Any:
        """The phase's terms."""
        return self.loss(x, y, noise, coefficients)


class Shares:
    """The losses of a step of which each process has a share.

    Args:
        ranks: The processes.
        model: What is trained; the same weights in all of them.
        objective: Gives the terms.
        phases: Of a step.
        batch_size: B of the whole batch.
        device: Where the model is.

    Attributes:
        mine: Which samples of the whole batch are this process's.
        losses: For each phase, (x, y, noise, coefficients) -> terms, whose gradients are averaged over processes.
    """

    def __init__(
        self, ranks: Ranks, model: Any, objective: Any, phases: Sequence[Phase], batch_size: int, device: torch.device
    ) -> None:
        self.ranks, self.model, self.objective, self.phases = ranks, model, objective, phases
        self.device, self._default = device, default_generator(device)
        self.share = batch_size // ranks.world
        self.mine = slice(ranks.rank * self.share, (ranks.rank + 1) * self.share)
        self._plain: list[BatchLoss] = [partial(phase.loss, model) for phase in phases]
        self.losses: list[BatchLoss] = self._plain
        self._draws = True

    @contextmanager
    def step(self) -> Iterator[None]:
        """The context of a step's losses and gradients."""
        with ExitStack() as stack:
            stack.enter_context(self.ranks.guarded())
            stack.enter_context(gathered_by(self._gather))
            if self._draws:
                stack.enter_context(self._drawing(self.share))
            yield

    def describe(self) -> str:
        """Say how a batch is divided, and what of the model sees all of it."""
        names = ["batch normalisation"] if _batch_norms(self.model) else []
        names += ["the codebook"] if getattr(self.model, "discrete", False) else []
        more = f"; {' and '.join(names)} {'see' if len(names) > 1 else 'sees'} the whole of it" if names else ""
        return f"{self.ranks.world} processes share every batch, {self.share} samples each{more}"

    def prepare(self, x: Tensor, y: Tensor | None, seed: int) -> None:
        """Compare shares with the whole on a few samples, then wrap the losses.

        Args:
            x: This process's share of a batch, (B, *event).
            y: Its labels.
            seed: Of the noise that is used for it; the same in every process.

        Raises:
            ConfigError: If the loss of a batch in shares is not that of the batch.
        """
        kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        training = self.model.training
        self.model.train()
        unused = False
        try:
            for phase, loss in zip(self.phases, self._plain, strict=True):
                unused |= self._probe(phase, loss, x[:_PROBED], None if y is None else y[:_PROBED], seed)
        finally:
            self.model.train(training)
            self.model.load_state_dict(kept)
        self.losses = [
            DistributedDataParallel(
                _Watched(phase, loss),
                gradient_as_bucket_view=True,
                find_unused_parameters=unused,
            )
            for phase, loss in zip(self.phases, self._plain, strict=True)
        ]

    def _probe(self, phase: Phase, loss: BatchLoss, x: Tensor, y: Tensor | None, seed: int) -> bool:
        """Refuse a loss that sharing changes; say whether it leaves parameters without a gradient at any time."""
        n, rank = len(x), self.ranks.rank
        source = torch.Generator(self.device).manual_seed(seed)
        noise = self.model.draw_noise(n * self.ranks.world, self.objective.k, source, self.device)
        mine = [eps[:, rank * n : (rank + 1) * n] for eps in noise]
        unused = False
        for progress in (0.0, 1.0):
            coefficients = self.objective.coefficients_at(progress)
            with self.ranks.guarded(), gathered_by(self._gather), self._drawing(n) as draws:
                self._default.manual_seed(seed)
                total = loss(x, y, mine, coefficients).total()
                gradients = torch.autograd.grad(total, phase.parameters, allow_unused=True)
                unused |= any(gradient is None for gradient in gradients)
                with torch.no_grad():
                    self._default.manual_seed(seed)
                    shared = loss(x, y, mine, coefficients).total()
        self._draws = draws.drawn
        self.ranks.mean_(shared)
        with self.ranks.guarded(), torch.no_grad():
            xs, ys = self._gather(x), None if y is None else self._gather(y)
            self._default.manual_seed(seed)
            together = loss(xs, ys, noise, coefficients).total()
        difference = abs(float(shared) - float(together))
        if difference > _TOLERANCE * max(1.0, abs(float(together))):
            name = type(self.objective).__name__
            raise ConfigError(
                f"{name} cannot be trained by several processes: its loss of a batch is not the mean of its losses of "
                f"the batch's parts (it would differ by {difference:.2g}); train it in one process, without torchrun"
            )
        return unused

    def _gather(self, part: Tensor) -> Tensor:
        return Gather.apply(part, self.ranks.rank, self.ranks.world)  # type: ignore[return-value]

    def _drawing(self, share: int) -> Draws:
        return Draws(self.ranks.rank, self.ranks.world, share, self.objective.k)
