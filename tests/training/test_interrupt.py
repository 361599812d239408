"""Signals ask once and interrupt at the second time; whoever listened before listens again afterwards."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from latentia.training.interrupt import InterruptRequest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[int]]:
    """Handlers of the test's own, so that a signal that slips through kills nothing."""
    caught: list[int] = []
    before = {number: signal.signal(number, lambda got, frame: caught.append(got)) for number in SIGNALS}
    yield caught
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_nothing_is_asked_for_at_first(heard: list[int]):
    with InterruptRequest() as interrupt:
        assert not interrupt.requested
    assert not interrupt.requested and heard == []


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_only_asks(number: signal.Signals, heard: list[int]):
    with InterruptRequest() as interrupt:
        os.kill(os.getpid(), number)
        assert interrupt.requested
    assert heard == []


def test_the_second_sigint_interrupts_at_once():
    before, asked = handlers(), []

    def loop() -> None:
        with InterruptRequest() as interrupt:
            signal.raise_signal(signal.SIGINT)
            asked.append(interrupt.requested)
            signal.raise_signal(signal.SIGINT)
            asked.append("the second went unheard")

    with pytest.raises(KeyboardInterrupt):
        loop()
    assert asked == [True]
    assert handlers() == before


def test_the_first_sigint_interrupts_what_leaves_nothing_to_save(heard: list[int]):
    with InterruptRequest() as interrupt:
        with pytest.raises(KeyboardInterrupt), interrupt.at_once():
            signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
    with InterruptRequest() as interrupt:
        with interrupt.at_once():
            signal.raise_signal(signal.SIGTERM)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with InterruptRequest() as interrupt:
        with interrupt.at_once():
            pass
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
    assert heard == []


def test_sigterm_may_come_again_and_again():
    """A scheduler that repeats itself must not cut the checkpoint short."""
    with InterruptRequest() as interrupt:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        assert interrupt.requested


def test_sigterm_after_sigint_still_only_asks():
    with InterruptRequest() as interrupt:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert interrupt.requested


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_the_former_handlers_are_put_back(error: type[BaseException] | None, heard: list[int]):
    before = handlers()
    request = InterruptRequest()
    if error is None:
        with request:
            assert all(now is not former for now, former in zip(handlers(), before, strict=True))
    else:
        with pytest.raises(error), request:
            raise error
    assert handlers() == before
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("former", [signal.SIG_IGN, signal.SIG_DFL, signal.default_int_handler])
def test_standard_handlers_are_put_back_too(former: Any):
    signal.signal(signal.SIGINT, former)
    with InterruptRequest() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
    assert signal.getsignal(signal.SIGINT) is former


def test_requests_within_requests_do_not_mix():
    before = handlers()
    with InterruptRequest() as outer:
        between = handlers()
        with InterruptRequest() as inner:
            signal.raise_signal(signal.SIGINT)
        assert inner.requested and not outer.requested
        assert handlers() == between
        signal.raise_signal(signal.SIGINT)
        assert outer.requested
    assert handlers() == before


def test_a_program_may_ask_too():
    with InterruptRequest() as interrupt:
        interrupt.request()
        assert interrupt.requested
        interrupt.request()
    assert InterruptRequest().requested is False


def test_outside_the_main_thread_only_a_program_can_ask():
    before, results = handlers(), []

    def work() -> None:
        with InterruptRequest() as interrupt:
            results.append(handlers() == before)
            results.append(interrupt.requested)
            interrupt.request()
            results.append(interrupt.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [True, False, True]
    assert handlers() == before


def test_another_thread_may_ask_on_behalf_of_the_main_one():
    with InterruptRequest() as interrupt:
        thread = threading.Thread(target=interrupt.request)
        thread.start()
        thread.join()
        assert interrupt.requested


def test_a_handler_from_outside_python_is_no_fault(monkeypatch: pytest.MonkeyPatch):
    install = signal.signal

    def foreign(number: int, handler: Any) -> Any:
        install(number, handler)  # as the real one, it takes no None

    monkeypatch.setattr(signal, "signal", foreign)
    with InterruptRequest():
        pass
