"""Recipes: the whole config, the presets, and the one table from names to classes."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Config": "config",
        "ModelSettings": "config",
        "PRESETS": "presets",
        "PUBLISHED": "published",
        "Preset": "preset",
        "PublishedSystem": "published",
        "build_model": "build",
        "build_objective": "build",
        "find_preset": "presets",
        "find_published": "published",
        "make_config": "config",
        "override": "config",
        "read_config": "config",
        "to_toml": "config",
    },
)
