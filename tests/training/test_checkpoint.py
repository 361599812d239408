"""A checkpoint comes back bit for bit or is refused by name; pointers, pruning and crashes lose nothing."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from latentia import storage
from latentia.errors import CheckpointError, EnvironmentFault
from latentia.training.checkpoint import CheckpointStore, from_bytes, read_checkpoint, restore_model, to_bytes

PRIMITIVES = ("_write", "_fsync", "_rename", "_remove")
DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree in kind, shape and every bit, NaN and -0 included."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bytes(a.detach().contiguous().reshape(-1).view(torch.uint8)) == bytes(b.reshape(-1).view(torch.uint8))


def small(step: int) -> dict[str, dict[str, Tensor]]:
    return {"model": {"w": torch.full((2,), float(step))}, "optimizer": {"steps": torch.tensor(float(step))}}


def save(store: CheckpointStore, step: int, *, best: bool = False, **keep: int) -> None:
    store.save(step, small(step), {"seed": step}, best=best, **keep)


def step_of(store: CheckpointStore, which: str = "last") -> int | None:
    """Load and verify, so that the step is that of a whole checkpoint."""
    found = store.load(which)
    if found is None:
        return None
    assert found.tensors["model"]["w"].tolist() == [found.step] * 2
    assert found.state == {"seed": found.step}
    return found.step


def tree(path: Path) -> dict[str, bytes]:
    return {str(entry.relative_to(path)): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk takes most of the time, and nothing is seen of it; tests of `storage` see to it."""
    monkeypatch.setattr(storage, "_fsync", lambda path: None)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "run" / "checkpoints")


# -- round trip -----------------------------------------------------------------------------------------------------


def test_every_kind_of_tensor_and_state_comes_back(store: CheckpointStore):
    odd = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 1e-45])
    model = {
        "weight": nn.Parameter(torch.randn(3, 2)),
        "transposed": torch.randn(2, 3).T,
        "strided": torch.arange(10.0)[::3],
        "odd": odd,
        "half": odd.to(torch.bfloat16),
        "number": torch.tensor(3.5),
        "count": torch.tensor(2**62 + 1),
        "empty": torch.zeros(0, 3),
        "nothing": torch.zeros(0, dtype=torch.int64),
        "mask": torch.tensor([True, False]),
        "größe.0-τ": torch.arange(5, dtype=torch.uint8),
    }
    state = {
        "seed": 2**63 - 1,
        "loss": 0.1 + 0.2,
        "tiny": 5e-324,
        "best": None,
        "names": ["a", "β"],
        "nested": {"a": [1]},
    }
    store.save(123, {"model": model, "optimizer": {}}, state, best=False)
    found = store.load()
    assert found is not None
    assert (found.step, found.state) == (123, state)
    assert found.tensors.keys() == {"model", "optimizer"} and found.tensors["optimizer"] == {}
    assert found.tensors["model"].keys() == model.keys()
    for name, value in model.items():
        assert same_bits(value, found.tensors["model"][name]), name
        assert not found.tensors["model"][name].requires_grad


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda n: n != "__metadata__")


@settings(max_examples=40)
@given(
    st.dictionaries(
        NAMES,
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)),
        max_size=4,
    ),
    st.integers(0, 2**31),
)
def test_any_tensors_come_back(kinds: dict[str, tuple[torch.dtype, list[int]]], seed: int):
    draw = torch.Generator().manual_seed(seed)
    tensors = {
        name: torch.randint(0, 2, shape, generator=draw).to(dtype)
        if dtype is torch.bool
        else torch.randint(0, 100, shape, generator=draw).to(dtype)
        for name, (dtype, shape) in kinds.items()
    }
    found = from_bytes(to_bytes(tensors), Path("x"))
    assert found.keys() == tensors.keys()
    assert all(same_bits(value, found[name]) for name, value in tensors.items())


def test_what_was_saved_does_not_change_with_what_is_trained_on(store: CheckpointStore):
    weight = torch.ones(2)
    store.save(1, {"model": {"w": weight}}, {}, best=False)
    weight.zero_()
    found = store.load()
    assert found is not None
    assert found.tensors["model"]["w"].tolist() == [1, 1]
    found.tensors["model"]["w"].zero_()
    again = store.load()
    assert again is not None and again.tensors["model"]["w"].tolist() == [1, 1]


def test_only_the_parts_asked_for_are_read(store: CheckpointStore):
    save(store, 4)
    (store.folder / "00000004" / "optimizer.safetensors").unlink()
    found = store.load(parts=("model", "ema"))
    assert found is not None and found.tensors.keys() == {"model"}
    with pytest.raises(CheckpointError, match=r"optimizer\.safetensors"):
        store.load()


def test_without_a_checkpoint_there_is_none(store: CheckpointStore):
    for _ in range(2):
        assert store.names() == []
        assert store.find() is None and store.find("best") is None
        assert store.load() is None and store.load("best") is None
        store.tidy(None)
        store.point_best(3)
        assert list(store.folder.parent.parent.rglob("*")) in ([], [store.folder.parent, store.folder])
        store.folder.mkdir(parents=True, exist_ok=True)


def test_saving_a_step_again_replaces_it(store: CheckpointStore):
    store.save(5, {"model": {"w": torch.zeros(1)}, "ema": {}}, {"old": True}, best=False)
    save(store, 5)
    assert step_of(store) == 5
    assert sorted(path.name for path in store.folder.rglob("*")) == [
        "00000005",
        "last",
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]


# -- pointers and pruning -------------------------------------------------------------------------------------------


def test_last_and_best_point_at_their_checkpoints(store: CheckpointStore):
    save(store, 1)
    assert (step_of(store), step_of(store, "best")) == (1, None)
    save(store, 2, best=True)
    assert (step_of(store), step_of(store, "best")) == (2, 2)
    save(store, 3)
    assert (step_of(store), step_of(store, "best")) == (3, 2)
    assert store.names() == ["00000002", "00000003"]
    save(store, 4, best=True)
    assert (step_of(store), step_of(store, "best")) == (4, 4)
    assert store.names() == ["00000004"]


@settings(max_examples=25)
@given(saves=st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=1, max_size=8))
def test_the_latest_and_the_best_are_kept(saves: list[tuple[bool, int]], tmp_path_factory: pytest.TempPathFactory):
    store = CheckpointStore(tmp_path_factory.mktemp("store"))
    kept: list[int] = []
    best = None
    for step, (is_best, keep) in enumerate(saves, start=1):
        store.save(step, {}, {}, best=is_best, keep=keep)
        best = step if is_best else best
        kept = [old for old in [*kept, step] if old > step - keep or old == best]
        # what a smaller `keep` deleted does not come back when it grows again
        assert [int(name) for name in store.names()] == kept
        assert step_of_empty(store, "last") == step and step_of_empty(store, "best") == best


def step_of_empty(store: CheckpointStore, which: str) -> int | None:
    found = store.load(which)
    return None if found is None else found.step


def test_checkpoints_are_ordered_by_number_and_other_things_are_not_checkpoints(store: CheckpointStore):
    for step in (99_999_999, 100_000_000, 7):
        save(store, step, keep=9)
    for name in ("notes.txt", "0000007", "00000007.bak", "x00000007", ".tmp-00000009-abc"):
        (store.folder / name).mkdir()
    assert store.names() == ["00000007", "99999999", "100000000"]
    (store.folder / "last").unlink()
    assert step_of(store) == 100_000_000


@pytest.mark.parametrize(
    "content",
    [None, b"", b"00000009", b"\xff\xfe", b"../checkpoints/00000001", b"00000001/..", b"00000001\n00000002", "dir"],
)
def test_a_pointer_to_nowhere_falls_back_to_the_latest(store: CheckpointStore, content: bytes | str | None):
    for step in (1, 2, 3):
        save(store, step, best=step == 1, keep=3)
    for which in ("last", "best"):
        pointer = store.folder / which
        pointer.unlink()
        if content == "dir":
            pointer.mkdir()
        elif isinstance(content, bytes):
            pointer.write_bytes(content)
    assert step_of(store) == 3
    assert store.find("best") is None and store.load("best") is None


def test_a_pointer_may_end_in_a_line_feed(store: CheckpointStore):
    for step in (1, 2):
        save(store, step, keep=2)
    (store.folder / "last").write_text("00000001\n")
    assert step_of(store) == 1


def test_pointing_at_the_best_needs_its_checkpoint(store: CheckpointStore):
    for step in (1, 2):
        save(store, step, best=step == 1, keep=2)
    store.point_best(9)
    assert step_of(store, "best") == 1
    store.point_best(2)
    assert step_of(store, "best") == 2
    (store.folder / "best").unlink()
    store.point_best(1)
    assert step_of(store, "best") == 1


def test_tidying_removes_what_is_half_written_or_later(store: CheckpointStore):
    for step in (1, 2, 3, 4):
        save(store, step, best=step == 1, keep=9)
    half = store.folder / f"{storage.TEMPORARY}00000005-1234abcd"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    (store.folder / f"{storage.TEMPORARY}last-1234abcd").write_text("0000")
    (store.folder / "notes.txt").write_text("mine")
    store.tidy(2)
    assert sorted(path.name for path in store.folder.iterdir()) == ["00000001", "00000002", "best", "last", "notes.txt"]
    assert (step_of(store), step_of(store, "best")) == (2, 1)  # `last` said 4
    store.tidy(None)
    assert store.names() == []


# -- damage ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def damaged(store: CheckpointStore) -> tuple[CheckpointStore, Path]:
    """Two checkpoints, of which the later is to be damaged."""
    for step in (1, 2):
        save(store, step, keep=2)
    return store, store.folder / "00000002"


def refused(store: CheckpointStore, file: str) -> None:
    """Loading must name the file and the folder to remove, and change nothing."""
    folder, before = store.folder / "00000002", tree(store.folder)
    with pytest.raises(CheckpointError) as caught:
        store.load()
    assert file in str(caught.value)
    assert f"remove {folder} to go on from the checkpoint before it" in str(caught.value)
    assert tree(store.folder) == before


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["removed", "folder", "emptied", "longer", "other"])
def test_a_damaged_file_is_named_with_a_remedy_that_works(
    damaged: tuple[CheckpointStore, Path], file: str, damage: str
):
    store, folder = damaged
    path = folder / file
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "removed":
        path.write_bytes(
            {"emptied": b"", "longer": content + b"\0", "other": (store.folder / "last").read_bytes()}[damage]
        )
    refused(store, str(path))
    shutil.rmtree(folder)
    assert step_of(store) == 1


def test_every_truncation_and_every_flipped_bit_of_tensors_is_found(damaged: tuple[CheckpointStore, Path]):
    store, folder = damaged
    path = folder / "model.safetensors"
    content = path.read_bytes()
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        refused(store, str(path))
    for position in range(0, len(content), 3):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1 << position % 8]) + content[position + 1 :])
        refused(store, str(path))
    path.write_bytes(content)
    assert step_of(store) == 2


def test_every_truncation_of_the_state_is_found(damaged: tuple[CheckpointStore, Path]):
    store, folder = damaged
    path = folder / "state.json"
    content = path.read_bytes().rstrip()
    for length in range(0, len(content), 5):
        path.write_bytes(content[:length])
        refused(store, str(path))


def test_every_changed_character_of_the_state_is_found(damaged: tuple[CheckpointStore, Path]):
    store, folder = damaged
    path = folder / "state.json"
    content = path.read_text()
    for position in range(0, len(content), 2):
        character = content[position]
        if character.isalnum():
            path.write_text(content[:position] + ("7" if character != "7" else "6") + content[position + 1 :])
            with pytest.raises(CheckpointError, match=re.escape(str(folder))):
                store.load()
    path.write_text(json.dumps(json.loads(content)))  # how it is laid out does not matter
    assert step_of(store) == 2


def signed(header: Any) -> str:
    """A state as if Latentia had written it so, with a checksum that fits."""
    if isinstance(header, dict):
        plain = {key: value for key, value in header.items() if key != "header_sha256"}
        header = {**plain, "header_sha256": hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()}
    return json.dumps(header)


WRONG_STATES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a list": lambda header: [header],
    "a number": lambda header: 3,
    "null": lambda header: None,
    "another format": lambda header: {**header, "format": "other"},
    "no format": lambda header: {key: value for key, value in header.items() if key != "format"},
    "no version": lambda header: {key: value for key, value in header.items() if key != "version"},
    "version as text": lambda header: {**header, "version": "1"},
    "no step": lambda header: {key: value for key, value in header.items() if key != "step"},
    "step as text": lambda header: {**header, "step": "two"},
    "step null": lambda header: {**header, "step": None},
    "step NaN": lambda header: {**header, "step": float("nan")},
    "state a number": lambda header: {**header, "state": 5},
    "state null": lambda header: {**header, "state": None},
    "no checksums": lambda header: {key: value for key, value in header.items() if key != "sha256"},
    "checksums a number": lambda header: {**header, "sha256": 7},
    "checksum null": lambda header: {**header, "sha256": {"model.safetensors": None}},
    "checksum of another file": lambda header: {**header, "sha256": {"model.safetensors": "0" * 64}},
}


@pytest.mark.parametrize("kind", WRONG_STATES)
def test_a_wrong_state_is_refused(damaged: tuple[CheckpointStore, Path], kind: str):
    store, folder = damaged
    path = folder / "state.json"
    header = json.loads(path.read_text())
    path.write_text(signed(header))
    assert step_of(store) == 2  # only what is changed next is at fault
    path.write_text(signed(WRONG_STATES[kind](header)))
    refused(store, "model.safetensors is damaged" if kind.startswith("checksum ") else f"{path} is damaged")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b"\x00" * 300,
        b"9" * 5000,
        b"\x80\x04\x95pickle",
        b'"' * 7,
        '{"format": "latentia-checkpoint"'.encode("utf-16"),
    ],
    ids=["not UTF-8", "zeros", "long number", "pickle", "quotes", "UTF-16"],
)
def test_a_state_that_is_not_json_is_refused(damaged: tuple[CheckpointStore, Path], content: bytes):
    store, folder = damaged
    (folder / "state.json").write_bytes(content)
    refused(store, str(folder / "state.json"))


def test_a_newer_version_is_refused_with_another_remedy(damaged: tuple[CheckpointStore, Path]):
    store, folder = damaged
    path = folder / "state.json"
    path.write_text(json.dumps({"format": "latentia-checkpoint", "version": 2, "parts": "of another kind"}))
    with pytest.raises(CheckpointError, match=r"00000002 was written by a newer Latentia: update it") as caught:
        store.load()
    assert "remove" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "../../secret.safetensors",
        "{outside}/secret.safetensors",
        "sub/secret.safetensors",
        "..\\secret.safetensors",
        ".safetensors",
        "Model.safetensors",
        "model2.safetensors",
        "modèle.safetensors",
        "model.safetensors\n",
        "model.bin",
        "model.safetensors.bin",
        "",
    ],
)
def test_only_parts_with_plain_names_are_read(damaged: tuple[CheckpointStore, Path], tmp_path: Path, name: str):
    store, folder = damaged
    name = name.format(outside=tmp_path)
    secret = to_bytes({"w": torch.ones(1)})
    for place in (tmp_path, store.folder.parent, store.folder, folder, folder / "sub"):
        place.mkdir(exist_ok=True)
        (place / "secret.safetensors").write_bytes(secret)
    path = folder / "state.json"
    header = json.loads(path.read_text())
    path.write_text(signed({**header, "sha256": {**header["sha256"], name: hashlib.sha256(secret).hexdigest()}}))
    refused(store, f"{path} names a file that no Latentia checkpoint has")


def test_a_folder_of_another_kind_is_refused(tmp_path: Path):
    with pytest.raises(CheckpointError, match=re.escape(str(tmp_path / "state.json"))):
        read_checkpoint(tmp_path)
    (tmp_path / "00000003").write_text("a file")
    with pytest.raises(CheckpointError, match=r"state\.json is damaged"):
        CheckpointStore(tmp_path).load()


@settings(max_examples=60)
@given(st.binary(max_size=60), st.integers(0, 8))
def test_bytes_that_are_no_safetensors_are_named(data: bytes, position: int):
    whole = to_bytes({"w": torch.ones(2), "b": torch.tensor(1)})
    for candidate in (data, len(data).to_bytes(8, "little") + data, whole[:position] + data + whole[position:]):
        message, found = "", {}
        try:
            found = from_bytes(candidate, Path("some/where"))
        except CheckpointError as error:
            message = str(error)
        assert message == "" or re.match(r"some.where is not a whole safetensors file", message)
        assert all(isinstance(value, Tensor) for value in found.values())


@pytest.mark.parametrize(
    "header",
    [
        {"w": {"dtype": "F3", "shape": [1], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
        {"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 400]}},
        {"w": {}},
        {"w": None},
    ],
)
def test_safetensors_that_contradict_themselves_are_refused(header: dict[str, Any]):
    text = json.dumps(header).encode()
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        from_bytes(len(text).to_bytes(8, "little") + text + bytes(4), Path("x"))


@pytest.mark.parametrize(
    "kind",
    ["list of pairs", "infinite step", "deep nesting", "step of another", "changed state", "no tensors behind the sum"],
)
def test_damage_that_the_checksums_do_not_cover_is_refused(damaged: tuple[CheckpointStore, Path], kind: str):
    store, folder = damaged
    path = folder / "state.json"
    header = json.loads(path.read_text())
    if kind == "list of pairs":
        path.write_text(json.dumps({**header, "sha256": [[1, 2]]}))
    elif kind == "infinite step":
        path.write_text(signed({**header, "step": float("inf")}))
    elif kind == "deep nesting":
        path.write_text("[" * 100_000)
    elif kind == "step of another":  # tidying would then delete the checkpoint that was just loaded
        path.write_text(signed({**header, "step": 1}))
    elif kind == "changed state":
        path.write_text(json.dumps({**header, "state": {"seed": 3}}))
    else:
        path = folder / "model.safetensors"
        path.write_bytes(b"not safetensors")
        header["sha256"]["model.safetensors"] = hashlib.sha256(b"not safetensors").hexdigest()
        (folder / "state.json").write_text(signed(header))
    refused(store, str(path))


def test_tied_weights_come_back(store: CheckpointStore):
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    tied = nn.Sequential(first, second)
    store.save(1, {"model": tied.state_dict()}, {}, best=False)
    found = store.load()
    assert found is not None
    restore_model(tied, found.tensors["model"], "x")


# -- faults and crashes while saving --------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing that comes after it reaches the disk."""


class Disk:
    """Stands before the disk's primitives; from the n-th call on, fails once or for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arm(0, None)
        for name in PRIMITIVES:
            monkeypatch.setattr(storage, name, self._wrapped(name, getattr(storage, name)))

    def _wrapped(self, name: str, primitive: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            if name in self.spared:
                return primitive(*arguments)
            self.calls += 1
            if self.at and self.calls > self.at and isinstance(self.error, Killed):
                raise self.error
            if self.calls != self.at:
                return primitive(*arguments)
            if self.after:
                primitive(*arguments)
            raise self.error

        return call

    def arm(self, at: int, error: Any, *, after: bool = False, spared: tuple[str, ...] = ()) -> None:
        self.calls, self.at, self.error, self.after, self.spared = 0, at, error, after, spared


def calls_of_a_save(disk: Disk, folder: Path, *spared: str) -> int:
    store = CheckpointStore(folder)
    save(store, 1, best=True)
    save(store, 2)
    disk.arm(0, None, spared=spared)
    save(store, 3, best=True)
    return disk.calls


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), EnvironmentFault), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_full_disk_or_a_second_interrupt_leaves_the_former_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, raised: type[BaseException]
):
    disk = Disk(monkeypatch)
    for at in range(1, calls_of_a_save(disk, tmp_path / "count", "_remove") + 1):
        disk.arm(0, None)
        store = CheckpointStore(tmp_path / str(at))
        save(store, 1, best=True)
        save(store, 2)
        disk.arm(at, error, spared=("_remove",))
        with pytest.raises(raised):
            save(store, 3, best=True)
        disk.arm(0, None)
        assert (step_of(store), step_of(store, "best")) in ((2, 1), (3, 1), (3, 3))
        assert not list(store.folder.rglob(f"{storage.TEMPORARY}*"))
        save(store, 4, best=True)  # and saving works again
        assert (step_of(store), step_of(store, "best"), store.names()) == (4, 4, ["00000004"])


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_leaves_a_whole_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool):
    disk = Disk(monkeypatch)
    for at in range(1, calls_of_a_save(disk, tmp_path / "count") + 1):
        disk.arm(0, None)
        store = CheckpointStore(tmp_path / str(at))
        save(store, 1, best=True)
        save(store, 2)
        disk.arm(at, Killed(), after=after)
        with pytest.raises(Killed):
            save(store, 3, best=True)
        disk.arm(0, None)
        step, best = step_of(store), step_of(store, "best")
        assert step in (2, 3) and best in ((1,) if step == 2 else (1, 3))
        store.tidy(step)
        store.point_best(3)
        assert (step_of(store), step_of(store, "best")) == ((2, 1) if step == 2 else (3, 3))
        assert not list(store.folder.glob(f"{storage.TEMPORARY}*"))
        save(store, 4)
        assert step_of(store) == 4


@pytest.mark.parametrize("state", [{"loss": float("nan")}, {"loss": float("inf")}, {"path": Path()}])
def test_a_state_without_json_leaves_the_former_checkpoint(store: CheckpointStore, state: dict[str, Any]):
    save(store, 1)
    before = tree(store.folder)
    with pytest.raises((ValueError, TypeError), match="JSON"):
        store.save(2, small(2), state, best=True)
    assert tree(store.folder) == before
    assert [path.name for path in store.folder.iterdir() if path.is_dir()] == ["00000001"]


# -- restoring a model ----------------------------------------------------------------------------------------------


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_a_model_is_restored_whole():
    torch.manual_seed(0)
    source, target = network(), network()
    source.train()(torch.randn(5, 3))  # so that the buffers differ from their beginnings
    parameters = list(target.parameters())
    restore_model(target, from_bytes(to_bytes(source.state_dict()), Path("x")), "x")
    assert all(same_bits(value, target.state_dict()[name]) for name, value in source.state_dict().items())
    assert int(target.state_dict()["1.num_batches_tracked"]) == 1
    assert all(mine is now for mine, now in zip(parameters, target.parameters(), strict=True))
    restore_model(nn.Identity(), {}, "x")


@pytest.mark.parametrize("source", ["checkpoint 7", Path("runs/a/model.safetensors")])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("0.bias"), "it has no '0.bias'"),
        (lambda t: t.pop("1.num_batches_tracked"), "it has no '1.num_batches_tracked'"),
        (lambda t: t.clear(), "it has no '0.bias'"),
        (lambda t: t.update({"2.weight": torch.ones(1)}), "which has no '2.weight'"),
        (lambda t: t.update({"1.weight": torch.ones(3)}), "'1.weight' has shape (3,) instead of (2,)"),
        (lambda t: t.update({"0.weight": torch.ones(2, 3).T}), "'0.weight' has shape (3, 2) instead of (2, 3)"),
        (lambda t: t.update({"1.bias": torch.ones(())}), "'1.bias' has shape () instead of (2,)"),
        (lambda t: t.update({"1.bias": torch.ones(1, 2)}), "'1.bias' has shape (1, 2) instead of (2,)"),
    ],
)
def test_what_does_not_fit_is_named_and_leaves_the_model_unchanged(
    change: Callable[[dict[str, Tensor]], Any], message: str, source: Path | str
):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tensors = {name: value + 1 for name, value in before.items()}
    change(tensors)
    with pytest.raises(CheckpointError, match=re.escape(message)) as caught:
        restore_model(model, tensors, source)
    assert str(caught.value).startswith(f"{source} does not fit the model")
    assert all(same_bits(value, model.state_dict()[name]) for name, value in before.items())
