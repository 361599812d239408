"""The local web studio: a server of run directories, the built front end (source: ``frontend/``), and the explorer."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {"Server": "app", "create_app": "app", "explore": "notebook", "serve": "serving"}
)
