"""Priors that are fitted to the latents of a trained model: mixtures with full covariances, and diffusion.

They make an autoencoder generative (Ghosh et al., "From Variational to Deterministic Autoencoders", 2020,
https://arxiv.org/abs/1903.12436, section 4) and bring a VAE's prior to its aggregate posterior. Knows neither the model
nor how they are fitted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from latentia.errors import ConfigError
from latentia.maths.diffusion import cosine_alpha_bar, diffuse, step_back, velocity
from latentia.maths.mixtures import ChosenByLabel, CorrelatedMixture
from latentia.parts.networks.denoiser import Denoiser
from latentia.parts.priors import Prior, draw_components, needed_labels, normal_noise


def standardisation(z: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each latent, float64; a latent that never changes has the scale 1.

    Args:
        z: Latents, (N, *latent).

    Example:
        >>> standardisation(torch.tensor([[0.0, 5.0], [4.0, 5.0]]))
        (tensor([2., 5.], dtype=torch.float64), tensor([2., 1.], dtype=torch.float64))
    """
    z = z.double()
    shift, scale = z.mean(0), z.std(0, correction=0)
    return shift, torch.where(scale > 1e-6 * (1 + shift.abs()), scale, torch.ones_like(scale))


class CorrelatedMixturePrior(Prior):
    r"""A mixture of Gaussians with full covariances.

    .. math:: p(z) = \sum_m \pi_m N(z; \mu_m, L_m L_m^\top)

    Args:
        latent_shape: Shape of one latent.
        components: How many Gaussians are mixed, M.

    Attributes:
        logits: (M,), the weights are their softmax.
        loc: (M, *latent).
        scale_tril: (M, D, D), lower triangular, over the flattened latents.

    Raises:
        ConfigError: If there is no component.

    Example:
        >>> prior = CorrelatedMixturePrior((2,), components=3)
        >>> prior().log_prob(prior.sample(5)).shape
        torch.Size([5])
    """

    def __init__(self, latent_shape: Sequence[int], components: int) -> None:
        super().__init__(latent_shape)
        if components < 1:
            raise ConfigError(f"components must be at least 1, not {components}")
        size = math.prod(self.latent_shape)
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(torch.randn(components, *self.latent_shape) * math.sqrt(0.5))
        self.scale_tril = nn.Parameter(math.sqrt(0.5) * torch.eye(size).repeat(components, 1, 1))

    def forward(self, y: Tensor | None = None) -> CorrelatedMixture:
        """Return p(z), of empty batch shape."""
        return CorrelatedMixture(self.logits, self.loc, self.scale_tril)

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw n latents from components drawn by their weights; temperature 0 gives these components' means."""
        chosen = draw_components(self.logits, n, generator)
        noise = normal_noise((n, self.scale_tril.shape[-1]), self.loc, generator)
        return self.forward().from_parts(chosen, temperature * noise).view(n, *self.latent_shape)


class PriorOfEachClass(Prior):
    r"""A prior of its own for each class, p(z given y) = p_y(z): what is fitted to a conditional model's latents.

    Where the posteriors of a class come to lie is no normal, whatever the model was trained with; a second model of
    them makes up for that: Dai & Wipf, "Diagnosing and Enhancing VAE Models", 2019,
    https://arxiv.org/abs/1903.05789, section 4, whose second stage knows no classes.

    Args:
        of_each: A prior for each class, none of which depends on labels itself, all over latents of one shape.

    Raises:
        ConfigError: If there is no class, or shapes differ.

    Example:
        >>> prior = PriorOfEachClass([CorrelatedMixturePrior((20,), components=5) for _ in range(10)])
        >>> y = torch.tensor([7, 7, 1])
        >>> prior(y).log_prob(prior.sample(3, y=y)).shape
        torch.Size([3])
    """

    conditional = True

    def __init__(self, of_each: Sequence[Prior]) -> None:
        shapes = {prior.latent_shape for prior in of_each}
        if len(shapes) != 1:
            found = ", ".join(map(str, sorted(shapes))) or "none"
            raise ConfigError(f"there must be a prior for each class, all over latents of one shape, not {found}")
        super().__init__(of_each[0].latent_shape)
        self.of_each: Any = nn.ModuleList(of_each)

    def forward(self, y: Tensor | None = None) -> ChosenByLabel:
        """Return p(z given y) for labels (B,), batch shape (B,)."""
        return ChosenByLabel([prior() for prior in self.of_each], needed_labels(y))

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw a latent for each label (n,) from its class's prior, to which the temperature is handed on."""
        y = needed_labels(y)
        z = next(self.parameters()).new_empty((n, *self.latent_shape))
        for label in y.unique().tolist():
            rows = y == label
            z[rows] = self.of_each[label].sample(int(rows.sum()), generator, temperature)
        return z


class DiffusionPrior(Prior):
    r"""A diffusion model over latents: a denoiser, a noise schedule, and the way back from noise.

    Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models", 2020, https://arxiv.org/abs/2006.11239, with the
    cosine schedule of Nichol & Dhariwal 2021, https://arxiv.org/abs/2102.09672, and the shorter way back of Song, Meng
    & Ermon 2021, https://arxiv.org/abs/2010.02502. Unlike there the denoiser predicts the velocity (Salimans & Ho
    2022, https://arxiv.org/abs/2202.00512), so that nothing need be clipped at the highest levels of noise. Over the
    latents of an autoencoder: Rombach et al. 2022, https://arxiv.org/abs/2112.10752.

    It diffuses u = (z - shift) / scale, whose dimensions have mean 0 and variance 1. It has no density in closed form,
    so that ``prior()`` is refused. With classes it is p(z given y): one denoiser that is told the class.

    Args:
        latent_shape: Shape of one latent.
        width: Units of the denoiser's blocks.
        blocks: How many blocks the denoiser has.
        levels: Levels of noise in training, T.
        sampling_steps: Steps of the way back, at most T.
        eta: Share of the noise that is drawn anew in every step back, in [0, 1]: 1 as in Ho et al., 0 draws only the
            start.
        classes: Number of classes that it is to be told; ``None`` for a prior without labels.

    Attributes:
        shift: (*latent), see :meth:`adopt`.
        scale: (*latent), positive.

    Raises:
        ConfigError: If a size is not allowed, or there are more steps than levels.

    Example:
        >>> prior = DiffusionPrior((20,), width=64, blocks=1, levels=100, sampling_steps=5)
        >>> prior.sample(3).shape
        torch.Size([3, 20])
    """

    def __init__(
        self,
        latent_shape: Sequence[int],
        *,
        width: int = 256,
        blocks: int = 3,
        levels: int = 1000,
        sampling_steps: int = 100,
        eta: float = 1.0,
        classes: int | None = None,
    ) -> None:
        super().__init__(latent_shape)
        self.conditional = classes is not None
        if not 1 <= sampling_steps <= levels:
            raise ConfigError(
                f"sampling_steps must be between 1 and the {levels} levels of noise, not {sampling_steps}"
            )
        self.denoiser = Denoiser(self.latent_shape, width, blocks, classes)
        self.levels, self.eta = levels, float(eta)
        self.path = torch.linspace(levels, 0, sampling_steps + 1).round().long().tolist()
        self.alpha_bar: Tensor
        self.register_buffer("alpha_bar", cosine_alpha_bar(levels).float(), persistent=False)
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.zeros(self.latent_shape))
        self.register_buffer("scale", torch.ones(self.latent_shape))

    @torch.no_grad()
    def adopt(self, z: Tensor) -> None:
        """Take shift and scale from the latents (N, *latent) that it is to be fitted to."""
        shift, scale = standardisation(z)
        self.shift.copy_(shift)
        self.scale.copy_(scale)

    def forward(self, y: Tensor | None = None) -> Distribution:
        """Refuse: there is no density in closed form.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("a diffusion prior has no density in closed form: draw from it with sample()")

    def draw_noise(
        self, batch: int, k: int = 1, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> tuple[Tensor, ...]:
        """Draw what :meth:`predict` needs: levels as fractions (K, B) in [0, 1), and noise (K, B, *latent)."""
        levels = torch.rand((k, batch), generator=generator, device=device)
        return levels, torch.randn((k, batch, *self.latent_shape), generator=generator, device=device)

    def predict(self, z: Tensor, fractions: Tensor, eps: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Noise standardised latents, and let the denoiser tell their velocity.

        Args:
            z: Latents, (B, *latent).
            fractions: Of the levels 1 to T, (B,), in [0, 1).
            eps: Standard normal noise, (B, *latent).
            y: Labels (B,), for a prior with classes; unused by others.

        Returns:
            The velocity and its prediction, both (B, *latent).
        """
        level = (fractions * self.levels).long().clamp(max=self.levels - 1) + 1  # 1 ... T
        alpha_bar = self.alpha_bar[level].view(-1, *[1] * len(self.latent_shape))
        u = (z - self.shift) / self.scale
        predicted = self.denoiser(diffuse(u, eps, alpha_bar), level / self.levels, *self._label(y))
        return velocity(u, eps, alpha_bar), predicted

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw noise and lead it back to latents; temperature is a factor on all the noise that is drawn."""
        label = self._label(y)
        u = temperature * normal_noise((n, *self.latent_shape), self.shift, generator)
        for t, s in itertools.pairwise(self.path):
            v = self.denoiser(u, torch.full((n,), t / self.levels, device=u.device, dtype=u.dtype), *label)
            drawn = torch.zeros_like(u)
            if s > 0 and self.eta > 0:
                drawn = temperature * normal_noise(u.shape, u, generator)
            u = step_back(u, v, self.alpha_bar[t], self.alpha_bar[s], drawn, self.eta)
        return self.shift + self.scale * u

    def _label(self, y: Tensor | None) -> tuple[Tensor, ...]:
        """What the denoiser is told of the classes: their labels, or nothing."""
        return (needed_labels(y),) if self.conditional else ()
