"""The one training loop, and what it needs: settings, execution, checkpoints, metrics, events."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CheckpointStore": "checkpoint",
        "Events": "events",
        "Execution": "execution",
        "FitResult": "loop",
        "InterruptRequest": "interrupt",
        "MetricsFile": "metrics",
        "Phase": "phases",
        "Profile": "profiling",
        "TrainingSettings": "settings",
        "decide_execution": "execution",
        "fit": "loop",
    },
)
