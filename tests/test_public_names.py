"""Every public name exists, explains itself, and costs nothing until it is used."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import latentia

PACKAGES = ["latentia"] + [
    found.name for found in pkgutil.walk_packages(latentia.__path__, prefix="latentia.") if found.ispkg
]
HEAVY = {
    "torch", "numpy", "scipy", "sklearn", "matplotlib", "PIL", "pydantic", "safetensors", "pooch", "requests",
    "typer", "click", "rich", "starlette",
}  # fmt: skip


def imported_by(code: str) -> set[str]:
    """The heavy packages that some code imports in a fresh interpreter."""
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted(name for name in sys.modules if '.' not in name)))"
    result = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return HEAVY & set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_resolves_and_explains_itself(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__
    for name in module.__all__:
        assert getattr(module, name).__doc__, f"{package}.{name} has no docstring"
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_hidden_by_a_module(package: str) -> None:
    """Importing ``package.fit`` sets the attribute ``fit`` of the package: a public ``fit`` would be gone then."""
    module = importlib.import_module(package)
    modules = {found.name for found in pkgutil.iter_modules(module.__path__)}
    assert modules.isdisjoint(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module(package).no_such_name  # noqa: B018


def test_importing_latentia_imports_nothing_heavy() -> None:
    assert imported_by("import latentia; dir(latentia); latentia.__version__; latentia.LatentiaError") == set()


def test_importing_a_face_imports_nothing_heavy() -> None:
    assert imported_by("import latentia.cli, latentia.runs, latentia.recipes, latentia.models") == set()


def test_type_checkers_see_the_names_that_exist() -> None:
    tree = ast.parse(Path(latentia.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(latentia.__all__)


def test_version_is_the_installed_one() -> None:
    assert latentia.__version__ == version("latentia")


def test_types_are_shipped() -> None:
    assert (Path(latentia.__file__).parent / "py.typed").exists()
