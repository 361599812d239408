"""What the loop tells reaches every listener, in order."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from latentia.training.events import Events, Several

HEARD = [
    name
    for name, value in vars(Events).items()
    if inspect.isfunction(value) and not name.startswith("_") and name != "of"
]
EXAMPLES: dict[str, Any] = {
    "started": {"preset": "vae", "steps": 3},
    "progressed": 7,
    "logged": {"step": 7, "loss": 1.5, "epoch_end": True},
    "said": "resuming at step 7",
    "finished": {"run": None},
}


class Diary(Events):
    """Writes down its own name, what it heard, and the very object it was told."""

    def __init__(self, name: str, pages: list[tuple[str, str, Any]]) -> None:
        self.name, self.pages = name, pages

    def started(self, plan: Mapping[str, Any]) -> None:
        self.pages.append((self.name, "started", plan))

    def progressed(self, step: int) -> None:
        self.pages.append((self.name, "progressed", step))

    def logged(self, row: Mapping[str, Any]) -> None:
        self.pages.append((self.name, "logged", row))

    def said(self, message: str) -> None:
        self.pages.append((self.name, "said", message))

    def finished(self, summary: Mapping[str, Any]) -> None:
        self.pages.append((self.name, "finished", summary))


def test_there_is_an_example_of_every_event():
    assert set(EXAMPLES) == set(HEARD)


@pytest.mark.parametrize("name", HEARD)
def test_a_plain_listener_hears_nothing(name: str):
    assert getattr(Events(), name)(EXAMPLES[name]) is None


@pytest.mark.parametrize("name", HEARD)
def test_several_pass_every_event_on_in_order(name: str):
    pages: list[tuple[str, str, Any]] = []
    several = Several(Diary("a", pages), Several(Diary("b", pages), Diary("c", pages)), Events(), Diary("d", pages))
    getattr(several, name)(EXAMPLES[name])
    assert [(who, what) for who, what, _ in pages] == [(who, name) for who in "abcd"]
    assert all(given is EXAMPLES[name] for _, _, given in pages)


@pytest.mark.parametrize("name", HEARD)
def test_several_have_every_event_with_the_same_arguments(name: str):
    assert name in vars(Several)
    assert inspect.signature(getattr(Several, name)) == inspect.signature(getattr(Events, name))


def test_none_are_several_too():
    for name in HEARD:
        getattr(Several(), name)(EXAMPLES[name])


def test_a_listeners_fault_is_not_hidden():
    class Broken(Events):
        def said(self, message: str) -> None:
            raise RuntimeError(message)

    pages: list[tuple[str, str, Any]] = []
    with pytest.raises(RuntimeError, match="oh"):
        Several(Diary("a", pages), Broken(), Diary("b", pages)).said("oh")
    assert [who for who, _, _ in pages] == ["a"]
