"""Files given to --input: read by the rules of training files, with the labels that fit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentia.data import Dataset, DataSettings, load
from latentia.errors import DataError
from latentia.runs.inputs import Input, read_input

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 1, 5, 4), dtype=np.uint8)
Y = np.array(["cat", "dog", "eel"])[np.arange(30) % 3]
TABLE = RNG.normal(size=(40, 3)) * 5 + 20


@pytest.fixture(scope="module")
def images() -> Dataset:
    return load(DataSettings(), arrays={"x": X[:20], "y": Y[:20], "x_test": X[20:], "y_test": Y[20:]})


def read(path: Path, data: Dataset) -> Input:
    found = read_input(path, data.spec, data.preparation)
    assert found.x.dtype == torch.float32 and tuple(found.x.shape[1:]) == data.spec.event_shape
    return found


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("x", "y", "x_test", "y_test"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_the_file_that_was_trained_on_gives_its_test_part(tmp_path, names):
    parts = (X[:20], Y[:20], X[20:], Y[20:])
    path = saved(tmp_path / "m.npz", **dict(zip(names, parts, strict=True)))
    data = load(DataSettings(source=str(path), validation=0.0))
    found = read(path, data)
    test = data.split("test")
    assert torch.equal(found.x, data.preparation(test.x))
    assert found.y is not None and test.y is not None and torch.equal(found.y, test.y)
    assert found.source == "m.npz, test part"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("arrays", "start", "part"),
    [
        ({"x_train": X[:20], "y_train": Y[:20]}, 0, ""),
        ({"x_train": X[:20], "y_train": Y[:20], "x_valid": X[20:], "y_valid": Y[20:]}, 0, ", train part"),
        ({"x_test": X[20:], "y_test": Y[20:], "extra": np.ones(3)}, 20, ", test part"),
        ({"x_valid": X[20:], "y_valid": Y[20:]}, 20, ", valid part"),
        ({"anything": X[20:]}, 20, ""),
        ({"x": X[20:], "y": Y[20:], "other": Y}, 20, ""),
    ],
)
def test_other_files_give_what_they_have(tmp_path, images, arrays, start, part):
    path = saved(tmp_path / "m.npz", **arrays)
    found = read(path, images)
    expected = X[start : start + len(found.x)] / 255
    torch.testing.assert_close(found.x, torch.from_numpy(expected.astype(np.float32)))
    assert found.source == f"m.npz{part}"
    if len(arrays) > 1:
        assert found.y is not None
        assert [images.spec.classes[label] for label in found.y] == Y[start : start + len(found.x)].tolist()
    else:
        assert found.y is None
    assert len(found.notes) == ("extra" in arrays or "other" in arrays)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_plain_arrays(tmp_path, images, suffix):
    path = tmp_path / f"a{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, X[3, 0])  # a single grey image
    found = read(path, images)
    torch.testing.assert_close(found.x[0, 0], torch.from_numpy((X[3, 0] / 255).astype(np.float32)))
    assert found.y is None and found.source == path.name and found.notes == ()


def test_the_label_of_a_single_sample(tmp_path, images):
    found = read(saved(tmp_path / "a.npz", x=X[0], y=np.array("dog")), images)
    assert found.y is not None and found.y.tolist() == [1]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [(Y[:4], "4 labels for 5 samples"), (["cow"] * 5, "'cow'"), (np.ones(5), "float64"), (np.arange(5), "'0'")],
)
def test_labels_that_do_not_fit_are_left_out_and_noted(tmp_path, images, labels, reason):
    found = read(saved(tmp_path / "a.npz", x=X[:5], y=labels), images)
    assert found.y is None
    (note,) = found.notes
    assert note.startswith("labels are not used: ") and reason in note


def test_labels_for_a_model_without_classes_are_not_spoken_of(tmp_path):
    data = load(DataSettings(), arrays=X)
    found = read(saved(tmp_path / "a.npz", x=X[:5], y=Y[:5]), data)
    assert found.y is None and found.notes == ()


def test_whole_numbers_are_the_classes_of_numbered_data(tmp_path):
    data = load(DataSettings())
    x = np.zeros((3, 8, 8), np.uint8)
    found = read(saved(tmp_path / "a.npz", x=x, y=np.array([7, 0, 9])), data)
    assert found.y is not None and found.y.tolist() == [7, 0, 9]


@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
def test_a_table_is_prepared_as_in_training(tmp_path, scale):
    data = load(DataSettings(scale=scale, validation=0.0), arrays={"x": TABLE[:30], "x_test": TABLE[30:]})
    found = read(saved(tmp_path / "a.npz", x=TABLE[:30], x_test=TABLE[30:]), data)
    assert torch.equal(found.x, data.preparation(data.split("test").x))


def test_noise_is_the_same_on_every_reading(tmp_path):
    data = load(DataSettings(binarize="dynamic"), arrays=X)
    path = saved(tmp_path / "a.npz", x=X)
    assert torch.equal(read(path, data).x, read(path, data).x)
    assert set(read(path, data).x.unique().tolist()) == {0.0, 1.0}


def test_a_picture(tmp_path, images):
    Image.fromarray(X[0, 0]).save(tmp_path / "a.PNG")
    found = read(tmp_path / "a.PNG", images)
    torch.testing.assert_close(found.x, torch.from_numpy((X[:1] / 255).astype(np.float32)))
    assert found.y is None
    Image.fromarray(X[0, 0].T.copy()).save(tmp_path / "b.png")
    with pytest.raises(DataError, match="5 x 4 pixels, but the model takes 4 x 5"):
        read(tmp_path / "b.png", images)
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match="cannot be read as an image"):
        read(tmp_path / "c.png", images)


@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (-0.5, 0.5), (0, 255), (0, 65535)])
def test_a_picture_is_brought_to_the_range_of_real_images(tmp_path, scale, low, high):
    values = (low + X / 255.0 * (high - low)).astype(np.float32)
    data = load(DataSettings(scale=scale), arrays={"x": values[:20], "x_test": values[20:]})
    Image.fromarray(X[0, 0]).save(tmp_path / "a.png")
    wanted = data.preparation(torch.from_numpy(values[:1]))
    torch.testing.assert_close(read(tmp_path / "a.png", data).x, wanted, rtol=1e-5, atol=1e-5)
    found = read(folder(tmp_path / "some", X[:1, 0]), data)
    torch.testing.assert_close(found.x, wanted, rtol=1e-5, atol=1e-5)
    kept = read(saved(tmp_path / "b.npz", x=values[:1]), data)  # arrays are in the units of the data already
    torch.testing.assert_close(kept.x, wanted)


@pytest.mark.parametrize(("low", "high"), [(250, 310), (0, 16), (-3, 3), (-0.1, 1)])
def test_a_picture_for_data_in_no_range_of_pictures_is_refused(tmp_path, low, high):
    data = load(DataSettings(scale="standard"), arrays=(low + X / 255.0 * (high - low)).astype(np.float32))
    Image.fromarray(X[0, 0]).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=rf"values in \[{low}, {high}\].* as .npy in their units"):
        read(tmp_path / "a.png", data)


def test_a_picture_for_colours_scaled_each_by_itself_is_refused(tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (30, 3, 5, 4)).astype(np.float32)
    data = load(DataSettings(scale="standard"), arrays=x)
    Image.fromarray(X[0, 0]).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"each channel scaled by itself.* as .npy in their units"):
        read(tmp_path / "a.png", data)


def test_what_cannot_be_read_is_explained(tmp_path, images):
    for name in ("none.npz", "a" * 5000 + ".npy", "~nobody-of-this-name/x.npy", "a\0.npy"):
        with pytest.raises(DataError, match=r"no file .*--input") as caught:
            read(Path(name), images)
        assert len(str(caught.value)) < 400
    (tmp_path / "a.txt").write_text("1,2")
    with pytest.raises(DataError, match="of no kind that can be read"):
        read(tmp_path / "a.txt", images)
    with pytest.raises(DataError, match="holds a, b and no 'x'"):
        read(saved(tmp_path / "a.npz", a=X, b=X), images)
    with pytest.raises(DataError, match="but the model takes N x 1 x 5 x 4"):
        read(saved(tmp_path / "b.npz", x=X[:, :, 1:]), images)


def test_a_damaged_file_is_closed_and_explained(tmp_path, images):
    path = saved(tmp_path / "a.npz", x=X, y=Y)
    content = path.read_bytes()
    for damaged in (content[:-30], content[:200] + bytes(50) + content[250:], b"", b"PK\x03\x04"):
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(DataError, match="cannot read"):
                read(path, images)


def test_a_path_in_the_home_folder(tmp_path, images, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save(tmp_path / "a.npy", X)
    assert len(read(Path("~/a.npy"), images).x) == 30


# --- pictures and folders of them -------------------------------------------------------------------------------------


def folder(path: Path, pictures: np.ndarray) -> Path:
    """Pictures (N, H, W[, 3]) in folders cat and eel by turns."""
    for i, values in enumerate(pictures):
        place = path / ("cat", "eel")[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(place / f"{i}.png")
    return path


def test_a_folder_of_pictures_is_an_input_with_labels(tmp_path, images):
    found = read(folder(tmp_path / "new", X[:6, 0]), images)
    torch.testing.assert_close(found.x, torch.from_numpy(X[[0, 2, 4, 1, 3, 5]] / np.float32(255)))
    assert found.y is not None and [images.spec.classes[label] for label in found.y] == ["cat"] * 3 + ["eel"] * 3
    assert found.source == "new"


def test_colour_pictures_become_what_the_model_takes(tmp_path, images):
    colour = RNG.integers(0, 256, (4, 5, 4, 3), dtype=np.uint8)
    found = read(folder(tmp_path / "new", colour), images)
    wanted = np.asarray(Image.fromarray(colour[0]).convert("L")) / np.float32(255)
    torch.testing.assert_close(found.x[0, 0], torch.from_numpy(wanted))


def test_another_size_is_refused_unless_the_model_was_trained_on_resized_images(tmp_path, images):
    large = RNG.integers(0, 256, (4, 10, 8), dtype=np.uint8)
    path = folder(tmp_path / "new", large)
    remedy = r"is 8 x 10 pixels, but the model takes 4 x 5: resize it first.*data.size=\[10,8\]"
    for place in (path, path / "cat" / "0.png"):
        with pytest.raises(DataError, match=remedy):
            read_input(place, images.spec, images.preparation)
    wanted = np.stack([np.asarray(Image.fromarray(v).resize((4, 5), Image.Resampling.BILINEAR)) for v in large])
    array = saved(tmp_path / "m.npz", x=large)
    for place, rows in ((path, [0, 2, 1, 3]), (path / "cat" / "0.png", [0]), (array, [0, 1, 2, 3])):
        found = read_input(place, images.spec, images.preparation, resized=True)
        torch.testing.assert_close(found.x[:, 0], torch.from_numpy(wanted[rows] / np.float32(255)))
        assert "resized" in " ".join(found.notes)


def test_a_damaged_picture_says_why(tmp_path, images):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read as an image: empty"):
        read_input(tmp_path / "a.png", images.spec, images.preparation)
