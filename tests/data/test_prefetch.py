"""What was read ahead is what was asked for, faults included, and no thread is left behind."""

from __future__ import annotations

import gc
import threading

import pytest

from latentia.data.prefetch import Prefetcher


def reading() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "latentia-prefetch"]


def test_steps_come_in_any_order_and_slots_are_used_again():
    slots = [[-1], [-1], [-1]]
    ahead = Prefetcher(int, lambda step, slot: slot.__setitem__(0, step), slots)
    for step in (0, 1, 2, 3, 4, 5, 9, 10, 2, 2, 3):
        found = ahead.get(step)
        assert found == [step] and any(found is slot for slot in slots)
    ahead.close()
    assert ahead.get(4) == [4]
    ahead.close()
    assert not reading()


def test_what_to_read_is_worked_out_by_the_caller_and_in_order():
    here, ordered = threading.current_thread(), list[int]()

    def order(step: int) -> int:
        assert threading.current_thread() is here
        ordered.append(step)
        return step

    def fill(step: int, slot: list[int]) -> None:
        assert threading.current_thread() is not here
        slot[0] = step

    ahead = Prefetcher(order, fill, [[-1], [-1]])
    assert [ahead.get(step)[0] for step in (3, 4, 5)] == [3, 4, 5]
    assert ordered == [3, 4, 5, 6]
    ahead.close()


def test_a_slot_stays_as_it_is_until_the_next_is_asked_for():
    filled = threading.Semaphore(0)

    def fill(step: int, slot: list[int]) -> None:
        slot[0] = step
        filled.release()

    ahead = Prefetcher(int, fill, [[-1], [-1]])
    first = ahead.get(0)
    for _ in range(2):
        assert filled.acquire(timeout=30)
    assert not filled.acquire(timeout=0.05) and first == [0]  # both slots are full, and none is free
    ahead.close()


def test_a_fault_is_told_for_its_step_and_can_be_tried_again():
    def fill(step: int, slot: list[int]) -> None:
        if step == 2:
            raise OSError("the disk is gone")
        slot[0] = step

    ahead = Prefetcher(int, fill, [[-1], [-1], [-1], [-1]])
    assert [ahead.get(step)[0] for step in (0, 1)] == [0, 1]
    for _ in range(2):
        with pytest.raises(OSError, match="the disk is gone"):
            ahead.get(2)
    assert ahead.get(3) == [3]
    ahead.close()


def test_an_order_that_cannot_be_given_loses_no_slot():
    wrong = {2}

    def order(step: int) -> int:
        if step in wrong:
            raise ValueError("no such step")
        return step

    ahead = Prefetcher(order, lambda step, slot: slot.__setitem__(0, step), [[-1], [-1]])
    assert ahead.get(0)[0] == 0
    with pytest.raises(ValueError, match="no such step"):
        ahead.get(1)
    wrong.clear()
    assert [ahead.get(step)[0] for step in (1, 2, 3)] == [1, 2, 3]
    ahead.close()


def test_what_is_forgotten_ends_its_thread():
    ahead = Prefetcher(int, lambda step, slot: None, [[0], [0]])
    ahead.get(0)
    (thread,) = reading()
    del ahead
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()
