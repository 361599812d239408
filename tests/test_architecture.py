"""The house stays a house: a folder imports only from folders below it, and nothing goes in circles.

Read from the syntax trees, so that imports inside functions, imports for type checkers and the tables of names that
packages hand on lazily count as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "latentia"

RANKS = {
    "cli": 8,
    "studio": 7,
    "export": 7,
    "runs": 6,
    "recipes": 5,
    "training": 4,
    "evaluation": 4,
    "objectives": 3,
    "exploration": 3,
    "models": 2,
    "parts": 1,
    "maths": 0,
    "data": 0,
}
BOTTOM = {"errors", "settings", "storage", "_lazy"}  # modules beside the folders, below all of them


def read(folder: Path) -> dict[str, str]:
    """Module name -> source, of a package."""
    sources = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return sources


def floor(module: str) -> tuple[str, int]:
    """The folder that a module belongs to, and its rank."""
    parts = module.split(".")
    if len(parts) == 1:
        return "latentia", 8  # the package's own face hands names on as the command line does
    if parts[1] == "__main__":
        return "__main__", 9
    if parts[1] in BOTTOM:
        return "the bottom", -1
    return parts[1], RANKS[parts[1]]


def lazy_table(tree: ast.Module, module: str) -> dict[str, str]:
    """Name -> module, of the names that a package hands on through ``attach``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "attach":
            table = ast.literal_eval(node.args[1])
            return {name: f"{module}.{place}" for name, place in table.items()}
    return {}


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(node: ast.AST, *, at_import: bool) -> Iterator[ast.AST]:
    """Every node below; with ``at_import``, only what runs when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if at_import and (
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_for_types(child)
        ):
            continue
        yield child
        yield from statements(child, at_import=at_import)


def imports(module: str, trees: Mapping[str, ast.Module], *, at_import: bool) -> set[str]:
    """The modules of the package that a module imports.

    A name that a package hands on lazily counts as an import of the module that defines it. The tables themselves
    are not followed at import, for nothing in them is imported then.
    """
    found: set[str] = set()
    for node in statements(trees[module], at_import=at_import):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} uses a relative import"
            package = node.module or ""
            table = lazy_table(trees[package], package) if package in trees else {}
            for alias in node.names:
                inner = f"{package}.{alias.name}"
                found.add(inner if inner in trees else table.get(alias.name, package))
        elif isinstance(node, ast.Call) and "import_module" in ast.dump(node.func):
            found.update(str(item.value) for item in node.args if isinstance(item, ast.Constant))
    if not at_import:
        found.update(lazy_table(trees[module], module).values())
    return {name for name in found if name in trees and name != module}


def upward(sources: Mapping[str, str]) -> list[str]:
    """Every import that does not lead downward or stay in its folder."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    wrong = []
    for module in trees:
        folder, rank = floor(module)
        for target in sorted(imports(module, trees, at_import=False)):
            other, other_rank = floor(target)
            if other != folder and other_rank >= rank:
                wrong.append(f"{module} ({rank}) imports {target} ({other_rank})")
    return wrong


def circle(sources: Mapping[str, str]) -> list[str]:
    """The modules of one circle of imports at import time, or nothing."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    graph = {name: sorted(imports(name, trees, at_import=True)) for name in trees}
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for target in graph[name]:
            if found := visit(target, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in graph if (found := visit(name, []))), [])


def test_every_folder_has_its_rank() -> None:
    folders = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert folders == set(RANKS)
    assert {path.stem for path in SOURCE.glob("*.py")} == BOTTOM | {"__init__", "__main__"}


def test_every_folder_of_modules_is_a_package() -> None:
    assert [path for path in SOURCE.rglob("*.py") if not (path.parent / "__init__.py").exists()] == []


def test_imports_lead_downward() -> None:
    assert upward(read(SOURCE)) == []


def test_no_circles() -> None:
    assert circle(read(SOURCE)) == []


def test_packages_only_hand_names_on() -> None:
    """``__init__.py`` files run nothing but a docstring, the table of names and what serves it."""
    for path in SOURCE.rglob("__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        eager = imports("latentia", {"latentia": tree, "latentia._lazy": ast.Module([], [])}, at_import=True)
        others = [
            node
            for node in statements(tree, at_import=True)
            if isinstance(node, ast.Import | ast.ImportFrom)
            and getattr(node, "module", None) not in ("latentia._lazy", "__future__", "typing")
        ]
        assert eager <= {"latentia._lazy"}, path
        assert others == [], f"{path} imports eagerly"
        assert ast.get_docstring(tree), f"{path} does not say what the folder owns"


def test_the_map_names_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    for folder, rank in RANKS.items():
        assert any(f"`{folder}/`" in line and str(rank) in line for line in lines), f"{folder} is not on the map"
    for module in BOTTOM:
        assert f"`{module}.py`" in text, f"{module} is not on the map"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("latentia.models.model", "from latentia.training.loop import fit"),
        ("latentia.models.model", "def late():\n    from latentia.training import fit"),
        ("latentia.models.model", "if TYPE_CHECKING:\n    import latentia.training.loop"),
        ("latentia.evaluation.nll", "from latentia.training import fit"),
        ("latentia.errors", "from latentia.maths import functional"),
        ("latentia.runs.use", "import latentia"),
    ],
)
def test_the_checker_finds_what_is_wrong(module: str, text: str) -> None:
    house = {
        "latentia": "",
        "latentia.models": "",
        "latentia.maths": "",
        "latentia.maths.functional": "",
        "latentia.training": "__getattr__, __dir__, __all__ = attach(__name__, {'fit': 'loop'})",
        "latentia.training.loop": "import latentia.models",
    }
    assert upward(house) == []
    assert upward({**house, module: text}) != []


def test_the_checker_finds_circles() -> None:
    house = {
        "latentia.maths": "__getattr__, __dir__, __all__ = attach(__name__, {'f': 'a'})",
        "latentia.maths.a": "import latentia.maths.b",
        "latentia.maths.b": "from latentia.maths import f",
    }
    assert circle(house) == ["latentia.maths.a", "latentia.maths.b", "latentia.maths.a"]
    assert circle({**house, "latentia.maths.b": "def late():\n    from latentia.maths import f"}) == []
