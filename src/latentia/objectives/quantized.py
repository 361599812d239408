"""The objective of autoencoders with discrete latents: reconstruct, and keep features near their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from latentia.data.corruption import Corruption
from latentia.errors import ConfigError
from latentia.objectives.terms import LossTerms, Unscheduled


class QuantizedObjective(Unscheduled):
    r"""Distortion plus the terms that hold features and codes together.

    .. math::
        L = -\ln p(x|z_q) + \|\mathrm{sg}[z_e] - e\|^2 + \beta_c \|z_e - \mathrm{sg}[e]\|^2

    Van den Oord, Vinyals & Kavukcuoglu, "Neural Discrete Representation Learning", 2017,
    https://arxiv.org/abs/1711.00937, equation 3, with norms summed over the feature map. The second term is there only
    where the codebook learns by gradients; running means take its place otherwise. On a fixed grid (finite scalar
    quantisation) neither is: set ``commitment`` to 0.

    With a corruption the model sees c(x), and the distortion is still against x.

    Args:
        commitment: beta_c, the weight that draws features to their codes.
        corruption: What is done to x before the model sees it; ``None`` for nothing.
    """

    compilable = False  # a quantizer looks into a batch for the codes to revive

    def __init__(self, *, commitment: float = 0.25, corruption: Corruption | None = None) -> None:
        self.weight = commitment
        self.corruption = corruption

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch; arguments and units as in :class:`latentia.objectives.elbo.Elbo`.

        Beside the distortion, ``commitment`` (squared, summed over the feature map) and ``perplexity`` (how many codes
        the batch uses, the same for each of its images) are reported.

        Raises:
            ConfigError: If the model's latents are not discrete.
        """
        if not getattr(model, "discrete", False):
            raise ConfigError(
                "the objective 'quantized' needs discrete latents: use --set model.posterior.name=vector-quantizer, or "
                "--set objective.name=autoencoder"
            )
        trace = model.trace(x if self.corruption is None else self.corruption(x), y, noise, 1)
        q = trace.levels[0].posterior
        distortion = loss = trace.distortion(x)
        commitment = q.commitment()
        if self.weight > 0:
            loss = loss + self.weight * commitment
        if q.codes.requires_grad:
            loss = loss + q.codebook_error()
        extras = {"commitment": commitment, "perplexity": q.perplexity().expand(len(x))}
        return LossTerms(loss, distortion, None, extras)
