"""Runs: what a run is on disk, and the use cases that every face shares."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Demonstration": "demonstrations",
        "PriorFit": "priors",
        "Reconstruction": "results",
        "Run": "run",
        "RunDirectory": "directory",
        "Samples": "results",
        "compare": "uses.compare",
        "demo": "fitting",
        "demonstrate_beta_sweep": "demonstrations",
        "demonstrate_reductions": "demonstrations",
        "demonstrate_reparameterisation": "demonstrations",
        "describe_data": "listing",
        "describe_preset": "listing",
        "list_runs": "listing",
        "load": "model_folder",
        "open_run": "run",
        "presets": "listing",
        "reproduce": "reproduction",
        "is_group": "seeds",
        "resume": "fitting",
        "resume_seeds": "seeds",
        "train": "fitting",
        "train_seeds": "seeds",
    },
)
