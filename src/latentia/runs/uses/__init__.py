"""The uses of a run's model, one module each: what they return, and the functions behind the methods of a run."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Classification": "classify",
        "Diagnosis": "doctor",
        "Anomalies": "anomaly",
        "Denoising": "denoise",
        "Comparison": "compare",
        "Embedding": "embed",
        "Decoded": "decode",
        "Equation": "arithmetic",
        "Interpolation": "interpolate",
        "Manifold": "manifold",
        "Generated": "generation",
        "Judgement": "generation",
        "Material": "material",
        "Traversal": "traverse",
        "Movie": "movie",
    },
)
