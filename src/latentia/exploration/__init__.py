"""Pictures of what a model does: samples, reconstructions, curves, latents. Knows neither losses nor training."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Projection": "projection",
        "enlarge": "images",
        "figure_bytes": "style",
        "mosaic": "images",
        "plot_curves": "plots",
        "plot_denoising": "denoising",
        "plot_latents": "latents",
        "plot_projection": "latents",
        "plot_rate_per_dimension": "plots",
        "plot_reconstructions": "pictures",
        "plot_class_samples": "pictures",
        "plot_samples": "pictures",
        "project": "projection",
        "save_figure": "style",
        "to_rgb": "images",
    },
)
