"""How a preset is told from a config file."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentia.cli.fitting import preset_or_path
from latentia.errors import ConfigError
from latentia.recipes import PRESETS


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_presets_name_is_its_own(name: str) -> None:
    Path(name).touch()  # a stray file must not silently become the config
    assert preset_or_path(name) == name


@pytest.mark.parametrize("text", ["vae.toml", "mine.TOML", "configs/vae", "./vae", "/somewhere/vae", "./odd.conf"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_config_file_is_told_by_its_path(text: str, exists: bool) -> None:
    if exists and not text.startswith("/"):
        Path(text).parent.mkdir(exist_ok=True)
        Path(text).touch()
    assert preset_or_path(text) == Path(text)


@pytest.mark.parametrize("name", ["mine", "mine.conf"])
def test_a_file_that_is_neither_is_explained(name: str) -> None:
    assert preset_or_path(name) == name  # a preset that there is not, as looking it up will say
    Path(name).touch()
    with pytest.raises(ConfigError, match=rf"there is no preset '{name}'.*write \./{name}"):
        preset_or_path(name)
