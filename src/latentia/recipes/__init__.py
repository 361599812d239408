"""Recipes: the whole config, the presets, and the one table from names to classes."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Config": "config",
        "ModelSettings": "config",
        "PRESETS": "presets",
        "Preset": "preset",
        "build_model": "build",
        "build_objective": "build",
        "find_preset": "presets",
        "make_config": "config",
        "override": "config",
        "read_config": "config",
        "to_toml": "config",
    },
)
