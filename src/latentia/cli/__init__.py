"""The command line: parse, call one use case of ``latentia.runs``, print what it returned."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"main": "entry"})
