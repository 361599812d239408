"""The objective of plain autoencoders: reconstruct, with optional penalties on the latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latentia.objectives.terms import LossTerms


class AutoencoderObjective:
    r"""Distortion plus penalties on the latents.

    .. math::
        L = -\ln p(x|z) + \lambda_1 \|z\|_1 + \lambda_2 \|z\|_2^2 + \lambda_c \|\partial z / \partial x\|_F^2

    With a Gaussian likelihood of sigma = 1 the distortion is half the summed squared error plus (D/2) ln 2 pi, whose
    minimiser is that of the mean squared error. The last term makes a contractive autoencoder (Rifai et al.,
    "Contractive Auto-Encoders", 2011, https://icml.cc/2011/papers/455_icmlpaper.pdf, equation 1); the norm is taken
    exactly, with one backward pass per latent dimension. With batch normalisation in the encoder, z depends on the
    other images of the batch too, and the derivative includes that.

    Args:
        l1: Factor on the L1 norm of z.
        l2: Factor on the squared L2 norm of z.
        contractive: Factor on the squared Frobenius norm of the encoder's Jacobian.
    """

    k = 1

    def __init__(self, *, l1: float = 0.0, l2: float = 0.0, contractive: float = 0.0) -> None:
        self.l1 = l1
        self.l2 = l2
        self.contractive = contractive

    def coefficients_at(self, progress: float) -> dict[str, float]:
        """No coefficient depends on progress."""
        return {}

    def settled_at(self) -> float:
        """Always 0: nothing is scheduled."""
        return 0.0

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch; arguments and units as in :class:`latentia.objectives.elbo.Elbo`."""
        if self.contractive > 0 and not torch.is_grad_enabled():  # the penalty is itself a derivative
            with torch.enable_grad():
                return self(model, x, y, noise, coefficients).detached()
        target = x
        if self.contractive > 0:
            x = x.detach().requires_grad_()
        trace = model.trace(x, y, noise, 1)
        distortion = loss = trace.distortion(target)
        z = torch.cat([level.z.flatten(1) for level in trace.levels], dim=1)  # (B, latent)
        extras: dict[str, Tensor] = {}
        if self.l1 > 0:
            extras["l1"] = z.abs().sum(1)
            loss = loss + self.l1 * extras["l1"]
        if self.l2 > 0:
            extras["l2"] = z.square().sum(1)
            loss = loss + self.l2 * extras["l2"]
        if self.contractive > 0:
            extras["contractive"] = _squared_jacobian(z, x)
            loss = loss + self.contractive * extras["contractive"]
        return LossTerms(loss, distortion, None, extras)


def _squared_jacobian(z: Tensor, x: Tensor) -> Tensor:
    """The squared Frobenius norm of dz/dx of every sample, (B,), differentiable."""
    total = z.new_zeros(z.shape[0])
    for j in range(z.shape[1]):
        (row,) = torch.autograd.grad(z[:, j].sum(), x, create_graph=True)
        total = total + row.flatten(1).square().sum(1)
    return total
