"""Data: arrays together with what they mean, where they come from, and the order in which they are shown.

Owns datasets (``dataset``), their preparation (``preparation``), sources (``sources``, ``files``), the stream of
batches (``batches``) and corruption (``corruption``). Knows nothing of models or losses. Names are handed on lazily,
so importing this package imports neither torch nor scikit-learn nor pooch.
"""

from __future__ import annotations

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "SOURCES": "sources",
        "Batch": "batches",
        "Corruption": "corruption",
        "DataSettings": "settings",
        "DataSpec": "dataset",
        "Dataset": "dataset",
        "Feed": "batches",
        "GaussianCorruption": "corruption",
        "IndexStream": "batches",
        "MaskingCorruption": "corruption",
        "MixedFeed": "batches",
        "Preparation": "preparation",
        "SaltAndPepperCorruption": "corruption",
        "Split": "dataset",
        "derive_seed": "seeds",
        "generator": "seeds",
        "load": "sources",
        "resize": "resizing",
    },
)
