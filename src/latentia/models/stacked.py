"""A latent-variable model on the latents of another: M1 beneath, M2 on top.

Owns how two models become one; must not know losses, data sets or training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from latentia.errors import ConfigError
from latentia.models.latent_variable import LatentVariableModel
from latentia.models.trace import Level, Trace
from latentia.parts.conditioning import LabelConditioning


class StackedModel(nn.Module):
    r"""p(x, z1, z2 given y) = p(x given z1) p(z1 given z2, y) p(z2), and q(z1 given x) q(z2 given z1, y).

    Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014, https://arxiv.org/abs/1406.5298,
    section 2, "Stacked generative semi-supervised model (M1+M2)": M1 is trained first, and M2 takes its latents z1 for
    data. It has the interface of :class:`~latentia.models.latent_variable.LatentVariableModel`, with z2 as its z:

    - ``encode`` and ``classify`` see the mean of q(z1 given x);
    - ``decode`` gives p(x given z1) at the mean of p(z1 given z2, y);
    - ``trace`` draws both, so that its bound is one on ln p(x given y) of the whole; its levels are z2 and z1.

    The model beneath is held fixed: its weights have no gradients, and it stays in evaluation mode.

    Args:
        base: M1, the model of x. Its posterior is no single point, and its latents are a vector.
        top: M2, a model of vectors of the base's latent shape.

    Raises:
        ConfigError: If the two do not fit.
    """

    def __init__(self, base: LatentVariableModel, top: LatentVariableModel) -> None:
        super().__init__()
        if getattr(base.posterior, "deterministic", False) or base.conditional or not base.has_prior:
            raise ConfigError("the model beneath must be a VAE without labels, such as that of the preset m1")
        if top.event_shape != base.latent_shape:
            raise ConfigError(
                f"the model on top takes {top.event_shape}, and the one beneath gives {base.latent_shape}"
            )
        self.base = base.requires_grad_(False)
        self.top = top

    def train(self, mode: bool = True) -> StackedModel:
        """Set the mode of the model on top; the one beneath stays in evaluation mode."""
        super().train(mode)
        self.base.eval()
        return self

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one x."""
        return self.base.event_shape

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one z2."""
        return self.top.latent_shape

    @property
    def latent_dim(self) -> int:
        """The number of dimensions of z2."""
        return self.top.latent_dim

    @property
    def posterior(self) -> Any:
        """The head of q(z2 given z1, y)."""
        return self.top.posterior

    @property
    def prior(self) -> Any:
        """p(z2)."""
        return self.top.prior

    @property
    def likelihood(self) -> Any:
        """p(x given z1)."""
        return self.base.likelihood

    @property
    def conditioning(self) -> LabelConditioning | None:
        """How labels are joined to z1 and z2."""
        return self.top.conditioning

    @property
    def label_posterior(self) -> nn.Module | None:
        """q(y given z1)."""
        return self.top.label_posterior

    @property
    def has_prior(self) -> bool:
        """Whether there is a p(z2)."""
        return self.top.has_prior

    @property
    def discrete(self) -> bool:
        """Whether z2 are codes."""
        return self.top.discrete

    @property
    def conditional(self) -> bool:
        """Whether the model depends on labels y."""
        return self.top.conditional

    @property
    def classifies(self) -> bool:
        """Whether the model says of which class data are, by :meth:`classify`."""
        return self.top.classifies

    def encode(self, x: Tensor, y: Tensor | None = None) -> Any:
        """q(z2 given z1, y) at the mean of q(z1 given x); arguments as those of ``LatentVariableModel.encode``."""
        return self.top.encode(self.base.encode(x).mean, y)

    def classify(self, x: Tensor) -> Tensor:
        """ln q(y given z1) at the mean of q(z1 given x), (B, C), nats."""
        return self.top.classify(self.base.encode(x).mean)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """p(x given z1) at the mean of p(z1 given z2, y); arguments as those of ``LatentVariableModel.decode``."""
        return self.base.decode(self.top.decode(z, y).mean)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The mean of p(x given z1), (B, *event), where z1 is the reconstruction of its mean by the model on top."""
        return self.base.decode(self.top.reconstruct(self.base.encode(x).mean, y)).mean

    def sample(
        self,
        n: int,
        y: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        prior: Any = None,
    ) -> Tensor:
        """Decode ``n`` draws of z2 to means of p(x given z1); arguments as those of ``LatentVariableModel.sample``."""
        z1 = self.top.sample(n, y, generator=generator, temperature=temperature, prior=prior)
        return self.base.decode(z1).mean

    def draw_noise(
        self, batch: int, k: int = 1, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> tuple[Tensor, ...]:
        """Draw the noise of z2 and that of z1, (K, B, *latent) each, as :meth:`trace` needs it."""
        return (
            *self.top.draw_noise(batch, k, generator, device),
            *self.base.draw_noise(batch, k, generator, device),
        )

    @torch.no_grad()
    def beneath(self, x: Tensor, noise: Sequence[Tensor], k: int = 1) -> Trace:
        """The trace of the model beneath, from the last of :meth:`draw_noise`'s tensors; without gradients."""
        return self.base.trace(x, None, noise[-1:], k)

    def trace(self, x: Tensor, y: Tensor | None = None, noise: Sequence[Tensor] = (), k: int = 1) -> Trace:
        """Draw K times z1 and z2 for each x; see ``LatentVariableModel.trace``.

        Without y, that which q(y given z1) finds most likely at the mean of q(z1 given x) is taken.

        Returns:
            The levels z2, with the closed form of its rate, and z1, whose rate is estimated.
        """
        if y is None and self.classifies:
            y = self.classify(x).argmax(1)
        below = self.beneath(x, noise, k)
        (lower,) = below.levels
        rows = len(lower.z)  # K*B, sample-major
        above = self.top.trace(
            lower.z,
            None if y is None else y.repeat(k),
            [eps.reshape(1, rows, *eps.shape[2:]) for eps in noise[:-1]],
        )
        (upper,) = above.levels
        if upper.kl is not None:
            upper = replace(upper, kl=upper.kl.view(k, len(x), *upper.kl.shape[1:]).mean(0))
        middle = Level(z=lower.z, posterior=lower.posterior, prior=above.likelihood, known_log_q=lower.known_log_q)
        return Trace(levels=(upper, middle), likelihood=below.likelihood, k=k)
