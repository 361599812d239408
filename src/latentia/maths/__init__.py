"""The mathematics: divergences and bounds, distributions over a batch, schedules. Pure; knows no model and no data.

Names are imported when they are first used.
"""

from __future__ import annotations

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "at_least_float32": "functional",
        "bernoulli_kl": "functional",
        "categorical_kl": "functional",
        "effective_sample_size": "functional",
        "gaussian_kl": "functional",
        "gaussian_log_prob": "functional",
        "importance_weighted_bound": "functional",
        "log_mean_exp": "functional",
        "mmd": "functional",
        "ChosenByLabel": "mixtures",
        "CorrelatedMixture": "mixtures",
        "Delta": "distributions",
        "DiagonalLaplace": "distributions",
        "DiagonalNormal": "distributions",
        "DiscretizedLogistic": "distributions",
        "DiscretizedLogisticMixture": "distributions",
        "EventDistribution": "distributions",
        "GaussianMixture": "distributions",
        "IndependentBernoulli": "distributions",
        "IndependentCategorical": "distributions",
        "IndependentContinuousBernoulli": "distributions",
        "Constant": "schedules",
        "Cosine": "schedules",
        "Cyclical": "schedules",
        "Linear": "schedules",
        "Schedule": "schedules",
        "ScheduleSettings": "schedules",
        "Spread": "spread",
        "mean_and_deviation": "spread",
        "parse": "schedules",
        "settled_at": "schedules",
        "value_at": "schedules",
    },
)
