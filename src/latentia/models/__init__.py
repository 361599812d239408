"""Models hold parts: trace, encode, decode, reconstruct, sample. They own no loss and know no training."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "LatentVariableModel": "latent_variable",
        "Level": "trace",
        "StackedModel": "stacked",
        "Trace": "trace",
    },
)
