"""The one latent-variable model: an encoder, a posterior, a prior, a decoder and a likelihood.

Owns how the parts work together; must not know losses, data sets or training. A plain autoencoder is the same model
with a deterministic posterior and no prior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from latentia.errors import ConfigError
from latentia.models.trace import Level, Trace
from latentia.parts.conditioning import LabelConditioning


class LatentVariableModel(nn.Module):
    r"""p(x, z) = p(x given z) p(z) with an amortised posterior q(z given x).

    Kingma & Welling, "Auto-Encoding Variational Bayes", 2014, https://arxiv.org/abs/1312.6114. The draw is
    reparameterised, z = loc + scale * noise (their equation 4), with the noise an argument so that training is a pure
    function of its inputs.

    Args:
        encoder: x (B, *event) -> features (B, F).
        posterior: features -> q(z given x), with ``from_noise``.
        prior: () -> p(z), with ``kl`` and ``sample``; ``None`` for a plain autoencoder.
        decoder: z (B, *latent) -> the likelihood's parameters.
        likelihood: those parameters -> p(x given z).
        event_shape: Shape of one x.
        latent_shape: Shape of one z.
        conditioning: How labels y are joined to x and to z: the model is then conditional, and every method needs y.
        label_posterior: x -> ln q(y given x), (B, C), for a conditional model that says the class of x itself, where
            no y is given (M2 of Kingma et al. 2014, https://arxiv.org/abs/1406.5298).

    Example:
        >>> import latentia.parts as parts
        >>> model = LatentVariableModel(
        ...     encoder=parts.MLP((1, 28, 28), [400]), posterior=parts.GaussianPosterior(400, (20,)),
        ...     prior=parts.StandardNormalPrior((20,)), decoder=parts.MLP((20,), [400], (1, 28, 28)),
        ...     likelihood=parts.Bernoulli(), event_shape=(1, 28, 28), latent_shape=(20,))
        >>> sum(p.numel() for p in model.parameters())
        652824
        >>> x = torch.rand(5, 1, 28, 28)
        >>> model.encode(x).mean.shape, model.reconstruct(x).shape, model.sample(3).shape
        (torch.Size([5, 20]), torch.Size([5, 1, 28, 28]), torch.Size([3, 1, 28, 28]))
    """

    def __init__(
        self,
        *,
        encoder: nn.Module,
        posterior: nn.Module,
        prior: nn.Module | None,
        decoder: nn.Module,
        likelihood: nn.Module,
        event_shape: Sequence[int],
        latent_shape: Sequence[int],
        conditioning: LabelConditioning | None = None,
        label_posterior: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.posterior: Any = posterior
        self.prior: Any = prior
        self.decoder = decoder
        self.likelihood = likelihood
        self.conditioning = conditioning
        self.label_posterior = label_posterior
        self.event_shape = tuple(event_shape)
        self.latent_shape = tuple(latent_shape)

    @property
    def latent_dim(self) -> int:
        """The number of latent dimensions, the product of the latent shape."""
        return math.prod(self.latent_shape)

    @property
    def has_prior(self) -> bool:
        """Whether the model has a p(z), so that it can sample and has an ELBO."""
        return self.prior is not None

    @property
    def discrete(self) -> bool:
        """Whether the latents are codes: ``encode(x)`` has ``indices`` then, and the posterior can look them up."""
        return bool(getattr(self.posterior, "discrete", False))

    @property
    def conditional(self) -> bool:
        """Whether the model depends on labels y."""
        return self.conditioning is not None

    @property
    def classifies(self) -> bool:
        """Whether the model says of which class data are, by :meth:`classify`."""
        return self.label_posterior is not None

    def classify(self, x: Tensor) -> Tensor:
        """ln q(y given x).

        Args:
            x: Data, (B, *event), as the likelihood takes them.

        Returns:
            (B, C), nats; the largest says the class.

        Raises:
            ConfigError: If the model has no classifier, or x has another shape than the model was built for.
        """
        if self.label_posterior is None:
            raise ConfigError(
                "the model has no classifier q(y given x): train a preset that has one, such as m2, or learn classes "
                "from its latents with `latentia classify RUN`"
            )
        self._check_data(x)
        return self.label_posterior(x)

    def _with_labels(self, x: Tensor, y: Tensor | None) -> Tensor | None:
        """The labels of x: those given, or else those that the model's own classifier finds most likely."""
        return self.classify(x).argmax(1) if y is None and self.classifies else y

    def _labels(self, y: Tensor | None, n: int) -> Tensor | None:
        """The labels of n samples: checked for a conditional model, as they are for another."""
        if self.conditioning is None:
            return y
        return self.conditioning.checked(y, n, next(self.parameters()).device)

    def encode(self, x: Tensor, y: Tensor | None = None) -> Any:
        """q(z given x).

        Args:
            x: Data, (B, *event), as the likelihood takes them.
            y: Labels (B,) for conditional models, or ``None`` for those that classify x themselves; unused by others.

        Returns:
            A distribution with batch shape (B,) and event shape ``latent_shape``.

        Raises:
            ConfigError: If x has another shape than the model was built for, or y does not fit a conditional model.
        """
        self._check_data(x)
        y = self._with_labels(x, y)
        return self.posterior(self.encoder(x if self.conditioning is None else self.conditioning.before_encoder(x, y)))

    def _check_data(self, x: Tensor) -> None:
        _check_tensor(x, "x")
        if not x.is_floating_point():
            raise ConfigError(f"the model takes real numbers, not {x.dtype}: convert 8-bit values by x.float() / 255")
        if tuple(x.shape[1:]) != self.event_shape:
            raise ConfigError(
                f"the model was built for x of shape (B, {', '.join(map(str, self.event_shape))}), "
                f"but was given {tuple(x.shape)}: reshape it, adding the batch axis if it is missing"
            )

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """p(x given z).

        Args:
            z: Latents, (B, *latent).
            y: Labels (B,) for conditional models; unused by others.

        Returns:
            A distribution with batch shape (B,) and event shape ``event_shape``.

        Raises:
            ConfigError: If z has another shape than the model was built for, or y does not fit a conditional model.
        """
        _check_tensor(z, "z")
        if tuple(z.shape[1:]) != self.latent_shape:
            raise ConfigError(
                f"the model's latents have shape (B, {', '.join(map(str, self.latent_shape))}), "
                f"but were given as {tuple(z.shape)}: reshape them, adding the batch axis if it is missing"
            )
        return self.likelihood(self.decoder(z if self.conditioning is None else self.conditioning.before_decoder(z, y)))

    def snap(self, z: Tensor) -> Tensor:
        """The latents nearest to z that the model can have.

        A decoder of codes has only ever seen codes: what it makes of points between them means nothing.

        Args:
            z: Points, (B, *latent).

        Returns:
            For discrete latents the nearest code at each place, (B, *latent); otherwise z itself.
        """
        return self.posterior.snap(z) if self.discrete else z

    def draw_noise(
        self, batch: int, k: int = 1, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> tuple[Tensor, ...]:
        """Draw the noise that :meth:`trace` needs, one tensor (K, B, *latent) per stochastic level.

        Args:
            batch: The number B of images.
            k: The number K of samples per image.
            generator: Source of randomness, on ``device``; the device's default one if ``None``.
            device: Where the noise is to be.

        Returns:
            A tuple, empty for a deterministic posterior.
        """
        noise = self.posterior.draw_noise((k, batch, *self.latent_shape), generator, device)
        return () if noise is None else (noise,)

    def trace(self, x: Tensor, y: Tensor | None = None, noise: Sequence[Tensor] = (), k: int = 1) -> Trace:
        """Encode, draw K latents per image and decode them: all that an objective needs.

        Args:
            x: Data, (B, *event).
            y: Labels (B,), for conditional models.
            noise: What :meth:`draw_noise` returned for the same B and K.
            k: The number K of samples per image.

        Returns:
            The trace; its z are (K*B, *latent), sample-major.

        Raises:
            ConfigError: If x, y or the noise has another shape than the model or K asks for.
        """
        _check_tensor(x, "x")
        y = self._labels(self._with_labels(x, y), len(x))
        q = self.encode(x, y)
        shape = (k, len(x), *self.latent_shape)
        if getattr(self.posterior, "deterministic", False):
            z = q.mean.expand(shape)
        elif len(noise) != 1 or tuple(noise[0].shape) != shape:
            given = ", ".join(str(tuple(eps.shape)) for eps in noise) or "nothing"
            raise ConfigError(f"the trace needs one noise tensor of shape {shape}, not {given}: use draw_noise(B, K)")
        else:
            z = q.from_noise(noise[0])
        z = z.reshape(-1, *self.latent_shape)  # (K*B, *latent)
        kl = None if self.prior is None else self.prior.kl(q, y)
        if y is not None and k > 1:
            y = y.repeat(k)  # (K*B,), sample-major as z
        prior = None if self.prior is None else self.prior(y)
        level = Level(z=z, posterior=q, prior=prior, kl=kl)
        return Trace(levels=(level,), likelihood=self.decode(z, y), k=k)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The mean of p(x given z) at the mean of q(z given x), (B, *event): the same on every call."""
        y = self._with_labels(x, y)
        return self.decode(self.encode(x, y).mean, y).mean

    def sample(
        self,
        n: int,
        y: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        prior: Any = None,
    ) -> Tensor:
        """Decode ``n`` draws from the prior to means of p(x given z).

        Args:
            n: How many.
            y: Labels (n,) for conditional models.
            generator: Source of randomness; the default one if ``None``.
            temperature: Factor on the prior's standard deviation; 0 decodes its mean, 1 is the model's own.
            prior: A prior in place of the model's own, such as one that was fitted to its latents.

        Returns:
            (n, *event).

        Raises:
            ConfigError: If ``n`` is negative; for a model without a prior, which cannot sample; or if y does not fit
                a conditional model.
        """
        if n < 0:
            raise ConfigError(f"n is how many samples to draw and cannot be negative, as {n} is")
        prior = self.prior if prior is None else prior
        if prior is None:
            raise ConfigError(
                "an autoencoder has no prior, so there is nothing to sample from: fit one to its latents with "
                "`latentia fit-prior RUN gmm`, or train a preset with one, such as vae"
            )
        y = self._labels(y, n)
        z = prior.sample(n, generator=generator, temperature=temperature, y=y)
        return self.decode(z if z.is_floating_point() else self.posterior.lookup(z), y).mean


def _check_tensor(value: Any, name: str) -> None:
    """Refuse what is no tensor, such as a NumPy array."""
    if not isinstance(value, Tensor):
        way = "from_numpy" if type(value).__module__ == "numpy" else "as_tensor"
        raise ConfigError(f"{name} must be a tensor, not a {type(value).__name__}: give torch.{way}({name}).float()")
