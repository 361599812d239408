"""The stream shows every sample equally often, and each batch depends on its number alone."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentia.data.batches import Feed, IndexStream, MixedFeed
from latentia.data.dataset import Split
from latentia.data.preparation import Preparation
from latentia.errors import ConfigError

SIZES = st.integers(1, 40)


@settings(deadline=None, max_examples=60)
@given(n=SIZES, batch=SIZES, seed=st.integers(), stage=st.sampled_from(["fit", 0, 1]))
def test_every_epochs_stretch_is_a_permutation(n, batch, seed, stage):
    stream = IndexStream(n, batch, seed, stage)
    joined = torch.cat([stream.indices(step) for step in range(stream.steps_in(4))])
    assert joined.dtype == torch.int64
    for epoch in range(4):
        assert sorted(joined[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))


@settings(deadline=None, max_examples=60)
@given(n=SIZES, batch=SIZES, steps=st.lists(st.integers(0, 300), min_size=1, max_size=8))
def test_a_batch_does_not_depend_on_those_before_it(n, batch, steps):
    used = IndexStream(n, batch, 1, "fit")
    for step in steps:
        assert torch.equal(used.indices(step), IndexStream(n, batch, 1, "fit").indices(step))
        assert used.indices(step).shape == (batch,)
        several = torch.cat([used.indices(step + more) for more in range(3)])
        assert torch.equal(used.indices(step, batches=3), several)


def test_order_depends_on_seed_stage_and_epoch():
    def order(seed, stage, epoch=0):
        return tuple(IndexStream(50, 50, seed, stage).indices(epoch).tolist())

    assert len({order(0, "fit"), order(1, "fit"), order(0, "prior"), order(0, "fit", 1)}) == 4
    assert order(0, "fit") == order(0, "fit")


@given(n=SIZES, batch=SIZES, epochs=st.floats(0, 20))
def test_steps_and_epochs(n, batch, epochs):
    stream = IndexStream(n, batch, 0, "fit")
    assert stream.steps_in(epochs) == math.ceil(epochs * n / batch)
    for step in (0, 1, 7):
        assert stream.epoch_of(step) == step * batch // n


@pytest.mark.parametrize(("n", "batch"), [(0, 3), (3, 0), (-1, 3), (3, -1)])
def test_sizes_must_be_positive(n, batch):
    with pytest.raises(ConfigError):
        IndexStream(n, batch, 0, "fit")


def test_steps_must_not_be_negative():
    with pytest.raises(ValueError, match="count from 0"):
        IndexStream(3, 2, 0, "fit").indices(-1)


def make_feed(batch=12, *, n=29, labels=True, rank=0, world=1, **preparation):
    x = torch.arange(n * 6, dtype=torch.int64).remainder(256).to(torch.uint8).reshape(n, 1, 2, 3)
    split = Split(x, torch.arange(n) if labels else None)
    stream = IndexStream(n, batch, 5, "fit")
    return Feed(split, Preparation(levels=256, **preparation), stream, "cpu", 5, "fit", rank=rank, world=world)


def test_batches_hold_the_prepared_samples_and_their_labels():
    feed = make_feed()
    x, y = feed.batch(3)
    assert y is not None
    assert torch.equal(y, feed.stream.indices(3))
    expected = torch.stack([torch.arange(i * 6, i * 6 + 6).remainder(256).reshape(1, 2, 3) / 255 for i in y.tolist()])
    assert torch.equal(x, expected)
    assert make_feed(labels=False).batch(3).y is None


@pytest.mark.parametrize("preparation", [{}, {"binarize": "dynamic"}, {"dequantize": True}])
@pytest.mark.parametrize("world", [2, 3, 12])
def test_the_ranks_parts_join_to_the_whole_batch(preparation, world):
    for step in (0, 2, 7):
        whole = make_feed(**preparation).batch(step)
        parts = [make_feed(rank=rank, world=world, **preparation).batch(step) for rank in range(world)]
        assert torch.equal(torch.cat([part.x for part in parts]), whole.x)
        assert [label for part in parts for label in part.y.tolist()] == whole.y.tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize("n", [1, 2, 29])
def test_resuming_at_a_step_gives_the_same_batch(n):
    through = make_feed(n=n, binarize="dynamic")
    for step in range(9):
        resumed = make_feed(n=n, binarize="dynamic").batch(step)
        assert torch.equal(through.batch(step).x, resumed.x)
        assert resumed.x.shape == (12, 1, 2, 3)


def test_noise_is_fresh_at_every_step_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    feed = make_feed(n=1, dequantize=True)
    assert not torch.equal(feed.batch(0).x, feed.batch(1).x)
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_do_not_share_memory_with_the_data():
    feed = make_feed(n=12)
    feed.batch(0).x.fill_(9)
    assert feed.batch(0).x.max() <= 1
    real = Feed(Split(torch.zeros(4, 2)), Preparation(), IndexStream(4, 4, 0, "fit"), "cpu", 0, "fit")
    real.batch(0).x.fill_(9)
    assert not real.batch(0).x.any()


def test_a_split_that_does_not_fit_the_device_stays_where_it_is(monkeypatch):
    expected = make_feed().batch(1).x
    monkeypatch.setattr("latentia.data.batches.RESIDENT_BYTES", 0)
    assert torch.equal(make_feed().batch(1).x, expected)


def test_ranks_must_fit():
    with pytest.raises(ConfigError, match="multiple of 5"):
        make_feed(world=5)
    with pytest.raises(ConfigError, match="rank 3"):
        make_feed(rank=3, world=3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_batches_on_a_gpu_hold_the_same_samples():
    split = Split(torch.arange(40, dtype=torch.uint8).reshape(20, 2), torch.arange(20))
    feeds = [Feed(split, Preparation(levels=256), IndexStream(20, 8, 0, "fit"), d, 0, "fit") for d in ("cpu", "cuda")]
    for step in range(6):
        a, b = (feed.batch(step) for feed in feeds)
        assert b.x.is_cuda
        torch.testing.assert_close(a.x, b.x.cpu())
        assert a.y is not None and b.y is not None and torch.equal(a.y, b.y.cpu())


def test_a_mixed_batch_has_labels_in_front() -> None:
    few = Split(torch.arange(6.0).reshape(3, 2), torch.tensor([2, 0, 1]))
    many = Split(torch.arange(100.0, 120.0).reshape(10, 2))
    feeds = [
        Feed(part, Preparation(), IndexStream(len(part), size, 0, stage), "cpu", 0, stage)
        for part, size, stage in ((few, 2, "labelled"), (many, 4, "fit"))
    ]
    mixed = MixedFeed(*feeds)
    for step in (0, 3, 1):
        batch = mixed.batch(step)
        assert batch.y is not None and batch.x.shape == (6, 2) and batch.y[2:].tolist() == [-1] * 4
        rows = (batch.x[:2, 0] / 2).long()
        assert few.y is not None and torch.equal(batch.y[:2], few.y[rows]) and (batch.x[2:] >= 100).all()
        assert torch.equal(batch.x[2:], feeds[1].batch(step).x)
    mixed.close()


@pytest.mark.parametrize("preparation", [{}, {"offset": 0.5}, {"binarize": "threshold"}, {"dequantize": True}])
def test_what_is_stored_becomes_the_batch_once_it_is_prepared(preparation):
    feed = make_feed(**preparation)
    for step in (0, 3):
        stored, y = feed.stored(step)
        batch = feed.batch(step)
        assert y is not None and batch.y is not None and torch.equal(y, batch.y)
        assert torch.equal(feed.prepare(stored), batch.x)
        assert (stored.dtype == torch.uint8) is (preparation in ({}, {"binarize": "threshold"}))
