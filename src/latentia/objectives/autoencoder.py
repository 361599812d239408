"""The objective of plain autoencoders: reconstruct, with optional penalties on the latents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latentia.data.corruption import Corruption
from latentia.data.whole import whole
from latentia.errors import ConfigError
from latentia.maths.functional import bernoulli_kl
from latentia.objectives.terms import LossTerms, Unscheduled

_SATURATED = 1e-6  # mean activations are kept so far from 0 and 1, where the divergence is infinite


class AutoencoderObjective(Unscheduled):
    r"""Distortion plus penalties on the latents.

    .. math::
        L = -\ln p(x|z) + \lambda_1 \|z\|_1 + \lambda_2 \|z\|_2^2 + \lambda_c \|\partial z / \partial x\|_F^2
            + \lambda_s \sum_j KL(\rho \,\|\, \hat\rho_j), \quad z = f(c(x)), \quad \hat\rho_j = \mathrm{mean}_B z_j

    With a Gaussian likelihood of sigma = 1 the distortion is half the summed squared error plus (D/2) ln 2 pi, whose
    minimiser is that of the mean squared error.

    The contractive term is that of Rifai et al., "Contractive Auto-Encoders", 2011,
    https://icml.cc/2011/papers/455_icmlpaper.pdf, equation 1; the norm is taken
    exactly, with one backward pass per latent dimension. With batch normalisation in the encoder, z depends on the
    other images of the batch too, and the derivative includes that.

    The last term is the sparsity penalty of Ng, "Sparse autoencoder", CS294A lecture notes, 2011,
    https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf, section 3: the divergence between Bernoulli
    distributions whose means are rho and the mean activation of latent j. It needs activations in (0, 1). The mean is
    over the batch at hand, where the notes take it over the training set; in validation, over each block of images.

    With a corruption c the model sees c(x), and the distortion is still against x: a denoising autoencoder (Vincent
    et al., 2008, https://doi.org/10.1145/1390156.1390294, equation 5). It is drawn from the default generator of x's
    device. The penalties are those at c(x), the contractive one with the derivative to c(x).

    Args:
        l1: Factor on the L1 norm of z.
        l2: Factor on the squared L2 norm of z.
        contractive: Factor on the squared Frobenius norm of the encoder's Jacobian.
        kl_sparsity: Factor on the divergence of the mean activations from ``rho``, summed over latent dimensions.
        rho: The mean activation that is aimed at, in (0, 1).
        corruption: What is done to x before the model sees it; ``None`` for nothing.
    """

    def __init__(
        self,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        contractive: float = 0.0,
        kl_sparsity: float = 0.0,
        rho: float = 0.05,
        corruption: Corruption | None = None,
    ) -> None:
        self.l1 = l1
        self.l2 = l2
        self.contractive = contractive
        self.kl_sparsity = kl_sparsity
        self.rho = rho
        self.corruption = corruption

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch; arguments and units as in :class:`latentia.objectives.elbo.Elbo`.

        Raises:
            ConfigError: If the sparsity penalty is asked of latents that are not in (0, 1).
        """
        if self.contractive > 0 and not torch.is_grad_enabled():  # the penalty is itself a derivative
            with torch.enable_grad():
                return self(model, x, y, noise, coefficients).detached()
        seen = x if self.corruption is None else self.corruption(x)
        if self.contractive > 0:
            seen = seen.detach().requires_grad_()
        trace = model.trace(seen, y, noise, 1)
        distortion = loss = trace.distortion(x)
        z = torch.cat([level.z.flatten(1) for level in trace.levels], dim=1)  # (B, latent)
        extras: dict[str, Tensor] = {}
        batch: Tensor | None = None
        if self.l1 > 0:
            extras["l1"] = z.abs().sum(1)
            loss = loss + self.l1 * extras["l1"]
        if self.l2 > 0:
            extras["l2"] = z.square().sum(1)
            loss = loss + self.l2 * extras["l2"]
        if self.contractive > 0:
            extras["contractive"] = _squared_jacobian(z, seen)
            loss = loss + self.contractive * extras["contractive"]
        if self.kl_sparsity > 0:
            penalty = self._divergence_of_activations(model, z)
            extras["kl_sparsity"] = penalty.expand(len(x))  # so that it is logged; it is the batch's as a whole
            batch = self.kl_sparsity * penalty
        return LossTerms(loss, distortion, None, extras, batch)

    def _divergence_of_activations(self, model: Any, z: Tensor) -> Tensor:
        """The sum over latent dimensions of KL(rho to mean activation), a scalar in nats."""
        activation = getattr(model.posterior, "activation", None)
        if activation != "sigmoid":
            raise ConfigError(
                "the KL sparsity needs latents in (0, 1): use --set model.posterior.name=deterministic --set "
                "model.posterior.activation=sigmoid, or --set objective.kl_sparsity=0 --set objective.l1=0.001"
            )
        mean = whole(z).mean(0, dtype=torch.promote_types(z.dtype, torch.float32))  # (latent,)
        aim = mean.new_full((), math.log(self.rho) - math.log1p(-self.rho))
        return bernoulli_kl(aim, torch.logit(mean, eps=_SATURATED)).sum()


def _squared_jacobian(z: Tensor, x: Tensor) -> Tensor:
    """The squared Frobenius norm of dz/dx of every sample, (B,), differentiable."""
    total = z.new_zeros(z.shape[0])
    for j in range(z.shape[1]):
        (row,) = torch.autograd.grad(z[:, j].sum(), x, create_graph=True)
        total = total + row.flatten(1).square().sum(1)
    return total
