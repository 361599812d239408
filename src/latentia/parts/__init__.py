"""The parts of which a model is made: networks, posteriors, priors, likelihoods, and the settings of each.

Parts never hold their siblings and know neither objectives nor training. Names are imported when first used.
"""

from __future__ import annotations

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "MLP": "networks.mlp",
        "ConvEncoder": "networks.convolutional",
        "ConvDecoder": "networks.convolutional",
        "ConvMapDecoder": "networks.convolutional",
        "ConvStackEncoder": "networks.stacks",
        "TransposedStackDecoder": "networks.stacks",
        "ResidualEncoder": "networks.residual",
        "ResidualDecoder": "networks.residual",
        "ResidualMLP": "networks.residual",
        "Posterior": "posteriors",
        "GaussianPosterior": "posteriors",
        "DeterministicPosterior": "posteriors",
        "GaussianMapPosterior": "posteriors",
        "FeatureMapPosterior": "posteriors",
        "RectifiedPosterior": "posteriors",
        "VectorQuantizer": "quantizers",
        "FiniteScalarQuantizer": "quantizers",
        "Prior": "priors",
        "StandardNormalPrior": "priors",
        "GaussianMixturePrior": "priors",
        "ConditionalNormalPrior": "priors",
        "ConditionalMixturePrior": "priors",
        "CorrelatedMixturePrior": "latent_priors",
        "PriorOfEachClass": "latent_priors",
        "DiffusionPrior": "latent_priors",
        "AutoregressivePrior": "code_priors",
        "LabelConditioning": "conditioning",
        "LabelJoin": "conditioning",
        "LabelPosterior": "classifiers",
        "Likelihood": "likelihoods",
        "Bernoulli": "likelihoods",
        "ContinuousBernoulli": "likelihoods",
        "Gaussian": "likelihoods",
        "Laplace": "likelihoods",
        "DiscretizedLogistic": "likelihoods",
        "DiscretizedLogisticMixture": "likelihoods",
        "Categorical": "likelihoods",
        "EncoderSettings": "settings",
        "DecoderSettings": "settings",
        "PosteriorSettings": "settings",
        "PriorSettings": "settings",
        "LikelihoodSettings": "settings",
        "LabelConditionSettings": "settings",
    },
)
