"""The diffusion objective, against the density that it says it is."""

from __future__ import annotations

import torch
from scipy import stats

from latentia.objectives.diffusion import DiffusionObjective
from latentia.parts.latent_priors import DiffusionPrior


def test_the_loss_is_minus_the_log_density_of_the_velocity() -> None:
    prior = DiffusionPrior((2, 2), width=8, blocks=1, levels=20, sampling_steps=2).double()
    z = torch.randn(6, 2, 2, dtype=torch.float64)
    noise = tuple(eps.double() for eps in prior.draw_noise(6))
    terms = DiffusionObjective()(prior, z, None, noise, {})
    v, predicted = prior.predict(z, noise[0][0], noise[1][0])
    expected = -stats.norm.logpdf((v - predicted).detach().float().double().numpy()).reshape(6, -1).sum(1)
    torch.testing.assert_close(terms.loss.detach(), torch.from_numpy(expected), rtol=1e-6, atol=1e-6)
    assert terms.rate is None and set(terms.reported()) == {"distortion"}
    assert DiffusionObjective().coefficients_at(0.5) == {} and DiffusionObjective().settled_at() == 0.0
