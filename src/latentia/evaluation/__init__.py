"""Evaluation: how good a fitted model is, in numbers that say what they are. Receives fitted things; fits none."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Case": "health",
        "LatentDensity": "anomaly",
        "Evaluation": "likelihood",
        "Finding": "health",
        "diagnose": "health",
        "Denoised": "denoising",
        "Scores": "denoising",
        "denoise": "denoising",
        "draw_labelled_latents": "encoding",
        "draw_latents": "encoding",
        "encode_split": "encoding",
        "evaluate": "likelihood",
        "evaluating": "encoding",
        "auroc": "anomaly",
        "score_samples": "anomaly",
        "ssim": "similarity",
    },
)
