"""Folders of pictures: classes, parts, sizes, colours, and everything that can be wrong with somebody's files."""

from __future__ import annotations

import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentia.data import DataSettings, load
from latentia.data.image_folders import read_folder
from latentia.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
WHOLE = {"validation": 0.0, "test_fraction": 0.0}


def colour(height: int = 6, width: int = 5) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def grey(height: int = 6, width: int = 5) -> np.ndarray:
    return RNG.integers(0, 256, (height, width), dtype=np.uint8)


def put(path: Path, values: np.ndarray | Image.Image, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values) if isinstance(values, np.ndarray) else values
    picture.save(path, **options)
    return path


def notes(root: Path, **options: Any) -> str:
    return " | ".join(read_folder(root, **options).notes)


# --- what becomes of a folder -----------------------------------------------------------------------------------------


def test_sub_folders_are_classes_in_the_order_of_their_names(tmp_path):
    pictures = {f"{name}/{i}.png": colour() for name in ("eel", "cat", "dog") for i in range(3)}
    for name, values in pictures.items():
        put(tmp_path / name, values)
    data = load(DataSettings(source=str(tmp_path), **WHOLE))
    assert data.spec.describe() == "6 x 5 colour images, 8-bit, 3 classes"
    assert data.spec.classes == ("cat", "dog", "eel")
    train = data.split("train")
    assert train.y is not None and train.y.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    wanted = np.stack([pictures[name].transpose(2, 0, 1) for name in sorted(pictures)])
    np.testing.assert_array_equal(train.x.numpy(), wanted)
    assert data.notes == () and data.name == tmp_path.name


def test_a_flat_folder_has_no_labels_and_is_split_as_arrays_are(tmp_path):
    x = RNG.integers(0, 256, (40, 6, 5), dtype=np.uint8)
    for i, values in enumerate(x):
        put(tmp_path / f"{i:03}.png", values)
    data = load(DataSettings(source=str(tmp_path)))
    same = load(DataSettings(), arrays=x)
    assert data.spec == same.spec and data.spec.classes == ()
    for name, part in same.splits.items():
        found, expected = ([row.numpy().tobytes() for row in held.loaded()] for held in (data.split(name), part))
        assert sorted(found) == sorted(expected)
        assert (found == expected) == (name == "train")  # files are mixed where they are held out
    assert data.fingerprint == same.fingerprint


def test_folders_named_train_and_test_are_parts(tmp_path):
    for part, count in (("Train", 4), ("val", 2), ("test", 3)):
        for name in ("a", "b"):
            for i in range(count):
                put(tmp_path / part / name / f"{i}.png", colour())
    put(tmp_path / "cover.png", colour())
    put(tmp_path / "extra" / "1.png", colour())
    data = load(DataSettings(source=str(tmp_path)))
    assert {name: len(part) for name, part in data.splits.items()} == {"train": 8, "valid": 4, "test": 6}
    assert data.spec.classes == ("a", "b")
    assert "beside the folder 'train', these are not used: extra, cover.png" in data.notes
    with pytest.raises(ConfigError, match=r"data.test_fraction.*has one"):
        load(DataSettings(source=str(tmp_path), test_fraction=0.5))
    put(tmp_path / "valid" / "a" / "1.png", colour())
    with pytest.raises(DataError, match=r"several folders.*valid part \(val, valid\)"):
        read_folder(tmp_path)


def test_test_without_train_is_a_class(tmp_path):
    for name in ("test", "other"):
        put(tmp_path / name / "1.png", colour())
    found = read_folder(tmp_path)
    assert found.labels["train"].tolist() == ["other", "test"]
    assert "'test' counts as a class" in found.notes[0]


def test_parts_may_lack_labels_and_need_something_to_train_on(tmp_path):
    put(tmp_path / "train" / "1.png", colour())
    put(tmp_path / "train" / "2.png", colour())
    put(tmp_path / "test" / "a" / "1.png", colour())
    found = read_folder(tmp_path)
    assert list(found.labels) == ["test"]
    for name in ("1.png", "2.png"):
        (tmp_path / "train" / name).write_bytes(b"no picture")
    with pytest.raises(DataError, match="no picture in the folder 'train'"):
        read_folder(tmp_path)


def test_numbers_are_sorted_as_numbers_and_deeper_folders_belong_to_their_class(tmp_path):
    for label in range(12):
        put(tmp_path / str(label) / "deep" / "er" / "1.png", colour())
    data = load(DataSettings(source=str(tmp_path), **WHOLE))
    assert data.spec.classes == tuple(str(label) for label in range(12))


def test_pictures_beside_classes_are_refused(tmp_path):
    put(tmp_path / "cats" / "1.png", colour())
    put(tmp_path / "cover.png", colour())
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds 1 pictures, such as cover.png, beside folders of pictures \(cats\)"):
        read_folder(tmp_path)


def test_the_order_does_not_depend_on_the_file_system(tmp_path):
    names = [f"{name}.png" for name in RNG.permutation(30)]
    for name in names:
        put(tmp_path / "a" / name, np.full((2, 2), int(name[:-4]), dtype=np.uint8))
    order = read_folder(tmp_path).x["train"][:, 0, 0, 0].tolist()
    assert order == sorted(range(30), key=lambda number: f"{number}.png")


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_sizes_that_differ_are_named_with_the_remedy(tmp_path):
    for i in range(3):
        put(tmp_path / f"{i}.png", colour())
    put(tmp_path / "tall.png", colour(9, 5))
    with pytest.raises(
        DataError, match=r"2 sizes .*6 x 5 in 3, such as 0.png; 9 x 5 in 1, such as tall.png.*data.size=\[6,5\]"
    ):
        load(DataSettings(source=str(tmp_path)))
    data = load(DataSettings(source=str(tmp_path), size=[4, 4], **WHOLE))
    assert data.split("train").x.shape == (4, 3, 4, 4)
    assert any("4 pictures were resized to 4 x 4, bilinear" in note for note in data.notes)
    assert any("of other proportions were stretched" in note for note in data.notes)


def test_pictures_are_resized_as_pillow_does(tmp_path):
    values = [colour(31, 20) for _ in range(3)]
    for i, picture in enumerate(values):
        put(tmp_path / f"{i}.png", picture)
    data = load(DataSettings(source=str(tmp_path), size=[16, 12], **WHOLE))
    wanted = [np.asarray(Image.fromarray(v).resize((12, 16), Image.Resampling.BILINEAR)) for v in values]
    np.testing.assert_array_equal(data.split("train").x.numpy(), np.stack(wanted).transpose(0, 3, 1, 2))


def test_more_than_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    put(tmp_path / "1.png", colour())
    monkeypatch.setattr("latentia.data.image_folders.os.sysconf", lambda name: 4096 if "SIZE" in name else 8)
    with pytest.raises(DataError, match=r"would take .* GiB.*--set data.size="):
        read_folder(tmp_path, size=(512, 512))


# --- colours ----------------------------------------------------------------------------------------------------------


def test_grey_pictures_have_one_channel_even_if_they_are_stored_as_colour(tmp_path):
    values = [grey() for _ in range(4)]
    put(tmp_path / "0.png", values[0])
    put(tmp_path / "1.png", np.stack([values[1]] * 3, axis=-1))
    put(tmp_path / "2.bmp", values[2])
    put(tmp_path / "3.gif", values[3])
    found = read_folder(tmp_path)
    np.testing.assert_array_equal(found.x["train"][:, 0], np.stack(values))
    assert found.x["train"].shape == (4, 1, 6, 5) and found.notes == []


def test_one_colour_picture_makes_all_of_them_colour_ones(tmp_path):
    for i in range(3):
        put(tmp_path / f"{i}.png", grey())
    values = colour()
    put(tmp_path / "z.png", values)
    found = read_folder(tmp_path)
    assert found.x["train"].shape == (4, 3, 6, 5)
    assert (found.x["train"][:3] == found.x["train"][:3, :1]).all()
    np.testing.assert_array_equal(found.x["train"][3], values.transpose(2, 0, 1))
    assert "3 pictures of 4 have no colour" in found.notes[0]
    for i in range(2):
        (tmp_path / f"{i}.png").unlink()
    assert "1 picture of 2 has no colour" in read_folder(tmp_path).notes[0]


def test_transparency_is_laid_on_white_and_said(tmp_path):
    values = np.dstack([colour(), np.full((6, 5), 255, dtype=np.uint8)])
    put(tmp_path / "0.png", values)
    assert read_folder(tmp_path).notes == []  # nothing shines through
    values[:3, :, 3] = 0
    put(tmp_path / "1.png", values)
    found = read_folder(tmp_path)
    assert (found.x["train"][1][:, :3] == 255).all()
    np.testing.assert_array_equal(found.x["train"][1][:, 3:], values[3:, :, :3].transpose(2, 0, 1))
    assert found.notes == ["1 picture with transparency was laid on white"]


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    deep = RNG.integers(0, 65536, (6, 5)).astype(np.uint16)
    put(tmp_path / "0.png", deep)
    put(tmp_path / "1.tif", deep)
    found = read_folder(tmp_path)
    for values in found.x["train"]:
        np.testing.assert_array_equal(values[0], np.round(deep / 65535 * 255))
    assert "2 pictures of 16 bits were rounded to 8" in found.notes[0]
    put(tmp_path / "2.tif", deep.astype(np.float32))
    assert "2.tif (pixels of 32 bits; save such pictures as .npy)" in notes(tmp_path)


def test_every_usual_kind_of_file_is_read(tmp_path):
    smooth = np.add.outer(np.arange(32), 4 * np.arange(32))[..., None] + np.array([0, 40, 90])
    smooth = smooth.astype(np.uint8)
    for kind in ("png", "JPG", "jpeg", "bmp", "gif", "webp", "tif", "TIFF", "ppm"):
        put(tmp_path / f"a.{kind}", smooth)
    put(tmp_path / "b.png", Image.fromarray(smooth).convert("P"))
    put(tmp_path / "c.jpg", Image.fromarray(smooth).convert("CMYK"))
    put(tmp_path / "d.png", Image.fromarray(smooth[..., 0] > 128))
    found = read_folder(tmp_path)
    assert len(found.x["train"]) == 12
    error = np.abs(found.x["train"][:-1].astype(int) - smooth.transpose(2, 0, 1)).mean(axis=(1, 2, 3))
    assert error.max() < 20, error  # palettes and lossy files
    assert set(np.unique(found.x["train"][-1])) == {0, 255}


def test_photographs_are_turned_upright_and_of_films_the_first_frame_is_taken(tmp_path):
    values = grey(6, 4)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: to be turned clockwise
    put(tmp_path / "a.png", np.rot90(values), exif=exif)
    frames = [Image.fromarray(grey(6, 4)) for _ in range(3)]
    put(tmp_path / "b.gif", frames[0], save_all=True, append_images=frames[1:])
    found = read_folder(tmp_path)
    np.testing.assert_array_equal(found.x["train"][0, 0], values)
    np.testing.assert_array_equal(found.x["train"][1, 0], np.asarray(frames[0]))
    assert "with several frames: the first was taken" in found.notes[0] and "turned upright" in found.notes[1]


# --- files that are not what they seem --------------------------------------------------------------------------------


def bomb(path: Path) -> Path:
    """A PNG of a few bytes that claims 400 million pixels."""
    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("size", [None, (6, 5)])
def test_files_that_cannot_be_read_are_counted_and_named(tmp_path, size):
    for i in range(3):
        put(tmp_path / "a" / f"{i}.png", colour())
    put(tmp_path / "whole.jpg", RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8))
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "whole.jpg").unlink()
    (tmp_path / "a" / "cut.jpg").write_bytes(content[: len(content) - 40])
    (tmp_path / "a" / "empty.png").write_bytes(b"")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "text.png").write_text("no picture")
    bomb(tmp_path / "a" / "huge.png")
    (tmp_path / "a" / "list.csv").write_text("1,2")
    (tmp_path / ".hidden").mkdir()
    put(tmp_path / ".hidden" / "1.png", grey())
    put(tmp_path / "a" / "._1.png", grey())
    found = read_folder(tmp_path, size=size)
    assert len(found.x["train"]) == 3
    first, *others = found.notes
    assert first.startswith("4 of 7 pictures cannot be read and are left out: ")
    assert "a/cut.jpg (truncated)" in first and "a/empty.png (empty)" in first
    assert "a/huge.png (more than 89,478,485 pixels)" in first and "b/text.png (no picture" in first
    assert "files that are no pictures were not looked at (1 .csv)" in others
    assert "nothing could be read of the class b" in others


def test_a_folder_without_pictures_says_what_it_holds(tmp_path):
    with pytest.raises(DataError, match=r"no pictures in the folder .*it holds no files.*known are png, jpg"):
        read_folder(tmp_path)
    np.save(tmp_path / "x.npy", np.ones(3))
    with pytest.raises(DataError, match=r"it holds 1 .npy\); name the file itself"):
        read_folder(tmp_path)
    (tmp_path / "1.png").write_bytes(b"no")
    with pytest.raises(DataError, match=r"no picture in .* can be read, of 1: 1.png"):
        read_folder(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_but_never_in_circles(tmp_path):
    put(tmp_path / "data" / "a" / "1.png", colour())
    put(tmp_path / "elsewhere" / "2.png", colour())
    os.symlink(tmp_path / "data", tmp_path / "data" / "a" / "up")
    os.symlink(tmp_path / "data", tmp_path / "data" / "loop")
    os.symlink(tmp_path / "data" / "a" / "self", tmp_path / "data" / "a" / "self")
    os.symlink(tmp_path / "elsewhere", tmp_path / "data" / "b")
    os.symlink(tmp_path / "nothing.png", tmp_path / "data" / "a" / "broken.png")
    found = read_folder(tmp_path / "data")
    assert found.labels["train"].tolist() == ["a", "b"]
    assert "a/broken.png (it does not exist)" in found.notes[0]


def test_file_names_may_be_anything_the_system_allows(tmp_path):
    put(tmp_path / "katze\nund maus" / "ü é.png", colour())
    if os.name == "posix":
        folder = os.fsencode(tmp_path) + b"/\xff\xfe"
        os.mkdir(folder)
        os.rename(put(tmp_path / "1.png", colour()), os.path.join(folder, b"\xfe.png"))
    found = load(DataSettings(source=str(tmp_path), **WHOLE))
    assert len(found.spec.classes) == (2 if os.name == "posix" else 1)
    for name in found.spec.classes:
        name.encode("utf-8")


# --- the source -------------------------------------------------------------------------------------------------------


def test_wrong_uses_are_refused(tmp_path):
    path = put(tmp_path / "a" / "1.png", colour())
    with pytest.raises(ConfigError, match=r"data.layout is for arrays"):
        load(DataSettings(source=str(tmp_path), layout="channels-last"))
    with pytest.raises(DataError, match="is a single picture; give the folder"):
        load(DataSettings(source=str(path)))
    with pytest.raises(DataError, match="there is no file"):
        load(DataSettings(source=str(tmp_path / "b" / "1.png")))


def test_many_small_files_are_read_quickly(tmp_path):
    for i in range(1000):
        put(tmp_path / f"{i % 10}" / f"{i}.png", colour(32, 32))
    start = time.perf_counter()
    data = load(DataSettings(source=str(tmp_path), **WHOLE))
    seconds = time.perf_counter() - start
    assert len(data.split("train")) == 1000
    assert seconds < 3  # 0.35 s on an idle machine
