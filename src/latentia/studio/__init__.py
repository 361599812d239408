"""The local web studio: a server of run directories, and the built front end (its source: ``frontend/``)."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"Server": "app", "create_app": "app", "serve": "serving"})
