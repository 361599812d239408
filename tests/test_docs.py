"""The pages say what the code says: their examples run, their commands, settings, links and names exist."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from latentia.cli import completion
from latentia.cli.app import app
from latentia.data.dataset import DataSpec
from latentia.recipes import PRESETS, PUBLISHED
from latentia.recipes.build import build_model
from latentia.recipes.config import Config, override
from latentia.recipes.presets import find_preset
from latentia.recipes.published import find_published
from latentia.recipes.second_stages import STAGES, make_stage

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SYSTEMS = sorted((DOCS / "systems").glob("*.md"))
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
PLACEHOLDERS = {"RUN": "runs/run", "NAME": "vae", "PRESET": "vae", "K": "10", "SRC": "digits", "FOLDER": "folder"}


def named(page: Path) -> str:
    """A page's path within the documentation, for the names of tests."""
    return str(page.relative_to(DOCS))


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return BLOCK.sub("", TEXT[page])


def commands(page: Path) -> list[str]:
    """The command lines in a page's console blocks, in their order."""
    return [line for kind, block in BLOCK.findall(TEXT[page]) if kind == "console" for line in block.splitlines()]


def mentioned(page: Path) -> list[str]:
    """The commands that a page's sentences name."""
    return [" ".join(code.split()) for code in re.findall(r"`(latentia [^`]+)`", prose(page))]


# --- examples ---------------------------------------------------------------------------------------------------------


def test_the_derivation_checks():
    result = doctest.testfile(str(DOCS / "derivation.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 15
    assert result.failed == 0


@pytest.mark.parametrize("page", [page for page in PAGES if ">>>" in TEXT[page]], ids=named)
def test_the_examples_run(page: Path):
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted > 0
    assert result.failed == 0


# --- commands ---------------------------------------------------------------------------------------------------------


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The command that a line names and the values of its parameters, as typed on a command line."""
    command: Any = get_command(app)
    arguments = shlex.split(line)[1:]
    name, context = "latentia", None
    while hasattr(command, "commands"):
        context = command.make_context(name, list(arguments), parent=context)
        name, *arguments = arguments
        command = command.commands[name]
    return name, command.make_context(name, arguments, parent=context).params


def check_names(name: str, values: dict[str, Any]) -> None:
    """Look up what a command would look up: presets, systems, priors, settings."""
    settings = list(values.get("settings") or [])
    if name == "presets" and values["name"] is not None:
        find_preset(values["name"])
    elif name in ("train", "beta-sweep"):
        preset = str(values["preset"])
        if not preset.endswith(".toml"):
            override(find_preset(preset).config(), settings)
    elif name == "reproduce":
        for system in values["names"] or []:
            find_published(system)
    elif name == "fit-prior":
        make_stage(values["prior"], settings)


LINES = [pytest.param(line, id=f"{named(page)}: {line}") for page in PAGES for line in commands(page)]


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_names_what_there_is(line: str):
    assert line.startswith("latentia ")
    check_names(*parsed(line))


@pytest.mark.parametrize("page", [page for page in PAGES if mentioned(page)], ids=named)
def test_a_command_in_a_sentence_exists(page: Path):
    for code in mentioned(page):
        line = " ".join(PLACEHOLDERS.get(word, word) for word in code.split())
        try:
            check_names(*parsed(line))
        except Exception as error:
            if type(error).__name__ != "MissingParameter":  # a sentence may name a command without its arguments
                raise AssertionError(f"{named(page)}: {code}: {error}") from error


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in SYSTEMS if commands(page)], ids=named)
def test_the_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from latentia.cli.entry import run

    monkeypatch.chdir(tmp_path)
    for line in commands(page):
        arguments = shlex.split(line)[1:]
        if "mnist" in arguments or arguments[0] in ("judge", "reproduce"):
            continue  # minutes to hours, and the data; what they name is looked up above
        if "--steps" in arguments:
            arguments[arguments.index("--steps") + 1] = "20"
        arguments = ["training.steps=20" if part.startswith("training.steps=") else part for part in arguments]
        assert run(arguments) == 0, line


# --- settings, presets, links, names ----------------------------------------------------------------------------------


def settings() -> set[str]:
    """Every dotted key that some preset's config can have, and those of priors that are fitted."""
    found = {key.removesuffix("=") for key in (*completion.settings(""), *completion.prior_settings(""))}
    return found | set(leaves(Config))


def leaves(kind: Any, prefix: str = "") -> list[str]:
    """The dotted keys of a settings class, those of every member of a union among them."""
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [
            key
            for name, field in kind.model_fields.items()
            for key in [prefix + name, *leaves(field.annotation, f"{prefix}{name}.")]
        ]
    return [key for member in get_args(kind) for key in leaves(member, prefix)]


@pytest.mark.parametrize("page", SYSTEMS, ids=named)
def test_the_settings_exist(page: Path):
    known = settings()
    for key in re.findall(r"`((?:model|objective|training|data)\.[a-z_.]+)`", prose(page)):
        assert key in known, key


def test_every_preset_has_a_page():
    index = TEXT[DOCS / "systems" / "README.md"]
    table = [line.split("|") for line in index.splitlines() if line.startswith("| [")]
    pages = {target: re.findall(r"`([^`]+)`", cells[2]) for cells in table for target in links(cells[1])}
    assert {name for names in pages.values() for name in names} == set(PRESETS)
    assert set(pages) == {page.name for page in SYSTEMS} - {"README.md"}
    for target, names in pages.items():
        for name in names:
            assert f"`{name}`" in index, (target, name)


def links(text: str) -> list[str]:
    """The targets of the links in a text."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_lead_somewhere(page: Path):
    for target in links(page.read_text(encoding="utf-8")):
        if target.startswith(("http", "mailto")):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


def names(page: Path) -> list[tuple[str, str]]:
    """The names of Latentia that a page links, each with the file that it links to."""
    return re.findall(r"\[`(latentia\.[\w.]+)`\]\(([^)]+)\)", TEXT[page])


@pytest.mark.parametrize("page", [page for page in PAGES if names(page)], ids=named)
def test_the_names_live_where_they_are_linked(page: Path):
    for name, target in names(page):
        module, attributes = module_of(name)
        thing: Any = module
        for attribute in attributes:
            thing = getattr(thing, attribute)
        assert thing.__module__ == module.__name__, name
        assert (page.parent / target).resolve() == Path(str(module.__file__)), name


def module_of(name: str) -> tuple[Any, list[str]]:
    """The module that a dotted name begins with, and the rest."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            return importlib.import_module(".".join(parts[:end])), parts[end:]
        except ModuleNotFoundError:
            continue
    raise AssertionError(f"there is no module in {name}")


def formulas() -> set[str]:
    """Every public function, class and method whose docstring has a displayed formula."""
    found = set()
    for path in sorted((ROOT / "src" / "latentia").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for name, node in definitions(ast.parse(path.read_text(encoding="utf-8"))):
            if ".. math::" in (ast.get_docstring(node) or "") and not name.split(".")[-1].startswith("_"):
                found.add(f"{module}.{name}")
    return found


def definitions(tree: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Classes, their methods and functions, with their dotted names."""
    found: list[tuple[str, Any]] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.append((prefix + node.name, node))
        if isinstance(node, ast.ClassDef):
            found += definitions(node, f"{prefix}{node.name}.")
    return found


def test_no_formula_is_missing():
    assert formulas() <= {name for name, _ in names(DOCS / "formulas.md")}


# --- the tutorials' figures -------------------------------------------------------------------------------------------


def test_the_tutorials_table_says_what_the_recipes_say():
    lines = TEXT[DOCS / "systems" / "tutorials.md"].splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if re.match(r"\| T\d", line)]
    table = {re.findall(r"`([^`]+)`", row[1])[0]: row for row in rows}
    assert len(table) == len(rows)
    ours = PUBLISHED["denoising-conv-ae"].tutorial
    assert {system.preset for system in PUBLISHED.values() if system.tutorial != ours} == set(table)
    for name, (_, _, parameters, figure, published, reference) in table.items():
        config = find_preset(name).config()
        spec = DataSpec((1, *(config.data.size or (28, 28))), classes=tuple("0123456789"))
        model = build_model(config.model, spec)
        assert f"{sum(p.numel() for p in model.parameters()):,}" == parameters, name
        system = PUBLISHED[name]
        beta = getattr(config.objective, "beta", 0.0)
        words = {"sampled-mse": "mse, sampled z", "denoised-mse": "mse, denoised", "elbo": "ELBO", "mse": "mse"}
        assert figure == words.get(system.figure, f"SSE + {2 * beta:g} KL"), name
        assert published == (system.published or "none"), name
        assert reference == (", ".join(f"{value:g}" for value in system.references) or "none"), name


def test_the_priors_settings_are_the_pages():
    page = prose(DOCS / "systems" / "fitted-priors.md")
    for kind in STAGES.values():
        own = set(kind.model_fields) - {"name", "training", "iterations"}
        assert own <= set(re.findall(r"`(\w+)`", page)), kind
