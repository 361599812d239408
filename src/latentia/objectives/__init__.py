"""Objectives own the loss: model + batch -> :class:`LossTerms`, per sample, in nats."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AutoencoderObjective": "autoencoder",
        "AutoencoderSettings": "settings",
        "DiffusionObjective": "diffusion",
        "Elbo": "elbo",
        "ElboSettings": "settings",
        "LossTerms": "terms",
        "Objective": "terms",
        "CodeLikelihood": "code_likelihood",
        "QuantizedObjective": "quantized",
        "QuantizedSettings": "settings",
        "SemiSupervised": "semi_supervised",
        "SemiSupervisedSettings": "settings",
    },
)
