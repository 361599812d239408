"""Seeds depend on their parts and on nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentia.data.seeds import derive_seed, generator

PARTS = st.lists(st.one_of(st.integers(-(2**70), 2**70), st.text()), max_size=5)


@given(PARTS, PARTS)
def test_seeds_differ_exactly_where_the_parts_do(a, b):
    assert (derive_seed(*a) == derive_seed(*b)) == (a == b)


@given(PARTS)
def test_seeds_fit_a_generator(parts):
    seed = derive_seed(*parts)
    assert 0 <= seed < 2**63
    assert generator("cpu", *parts).initial_seed() == seed


def test_seeds_are_the_same_in_another_process():
    code = "from latentia.data import derive_seed; print(derive_seed(3, 'fit', -1))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(result.stdout) == derive_seed(3, "fit", -1)


def test_numpy_integers_and_booleans_count_as_their_value():
    assert derive_seed(np.int64(5)) == derive_seed(5)  # type: ignore[arg-type]
    assert derive_seed(True) == derive_seed(1)
    with pytest.raises(TypeError):
        derive_seed(1.5)  # type: ignore[arg-type]


def test_separators_cannot_be_forged():
    assert len({derive_seed("a", "b"), derive_seed("a', 'b"), derive_seed("ab"), derive_seed("a", "b", "")}) == 4


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    torch.rand(3, generator=generator("cpu", 1))
    assert torch.equal(torch.get_rng_state(), before)
