"""Original files are found, checked and downloaded; whatever goes wrong leaves nothing behind and names the remedy."""

from __future__ import annotations

import errno
import gzip
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentia import storage
from latentia.data import DataSettings, files, load
from latentia.data.catalogue import CATALOGUE, Entry
from latentia.errors import DataError, EnvironmentFault

from .test_formats import cifar_files, idx, tar

RNG = np.random.default_rng(0)
NAMES = [remote.file for remote in CATALOGUE["kmnist"].files]
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def images(n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    return RNG.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n, dtype=np.uint8) % 10


def idx_set(train: int = 6, test: int = 3) -> list[bytes]:
    return [idx(values) for n in (train, test) for values in images(n)]


def put(folder: Path, names: list[str], contents: list[bytes], *, packed: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(names, contents, strict=True):
        (folder / (name + (".gz" if packed else ""))).write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and no other folder or mirror."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(files, "cache_folder", lambda: folder)
    monkeypatch.delenv(files.DATA_DIR, raising=False)
    monkeypatch.delenv(files.MIRROR, raising=False)
    return folder


@pytest.fixture
def closed() -> str:
    """The address of a port at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


# --- the catalogue ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_is_complete(name):
    entry = CATALOGUE[name]
    assert len(entry.files) == (1 if entry.kind == "cifar" else 4)
    assert len(set(entry.classes)) == len(entry.classes)
    assert all(remote.url.startswith(("http://", "https://")) and remote.download for remote in entry.files)
    assert entry.verified == (name == "mnist")
    assert all(remote.sha256 is None or len(remote.sha256) == 64 for remote in entry.files)


def test_emnist_has_its_published_numbers_of_classes():
    counts = {name.removeprefix("emnist-"): len(CATALOGUE[name].classes) for name in CATALOGUE if "emnist" in name}
    assert counts == {"letters": 26, "digits": 10, "balanced": 47, "byclass": 62, "bymerge": 47, "mnist": 10}


# --- local files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_local_files_are_found_packed_or_not(tmp_path, packed):
    contents = idx_set()
    put(tmp_path / "kmnist", NAMES, contents, packed=packed)
    data = load(DataSettings(source="kmnist", validation=0.0), data_dir=tmp_path)
    assert data.split("train").x.flatten().tolist() == list(contents[0][16:])
    assert data.split("test").y.tolist() == list(contents[3][8:])  # type: ignore[union-attr]
    assert data.spec.describe() == "28 x 28 grey images, 8-bit, 10 classes"
    assert any("structure only" in note for note in data.notes)
    assert any("6 samples where the published one has 60000" in note for note in data.notes)


def test_the_fingerprint_does_not_depend_on_compression(tmp_path):
    contents = idx_set()
    put(tmp_path / "a" / "kmnist", NAMES, contents)
    put(tmp_path / "b" / "kmnist", NAMES, contents, packed=True)
    a, b = (load(DataSettings(source="kmnist"), data_dir=tmp_path / name) for name in "ab")
    assert a.fingerprint == b.fingerprint


def test_folders_are_searched_in_order(tmp_path, monkeypatch, cache):
    for number, folder in enumerate((cache, tmp_path / "variable", tmp_path / "argument"), start=2):
        put(folder / "kmnist", NAMES, idx_set(train=number))
    assert len(files.read("kmnist").parts["train"][0]) == 2
    monkeypatch.setenv(files.DATA_DIR, str(tmp_path / "variable"))
    assert len(files.read("kmnist").parts["train"][0]) == 3
    assert len(files.read("kmnist", data_dir=tmp_path / "argument").parts["train"][0]) == 4
    (tmp_path / "empty").mkdir()
    assert len(files.read("kmnist", data_dir=tmp_path / "empty").parts["train"][0]) == 3


def test_a_folder_that_does_not_exist_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"--data-dir names .*none"):
        files.read("kmnist", data_dir=tmp_path / "none")
    monkeypatch.setenv(files.DATA_DIR, str(tmp_path / "none"))
    with pytest.raises(DataError, match=f"{files.DATA_DIR} names"):
        files.read("kmnist")
    assert load(DataSettings(source="digits")).name == "digits"  # which needs none


def broken_sets() -> list[tuple[list[bytes], str]]:
    good = idx_set()
    return [
        ([gzip.compress(good[0])[:-20], *good[1:]], "truncated"),
        ([good[0][:-1], *good[1:]], "should have"),
        ([b"<html>", *good[1:]], "magic"),
        ([b"", *good[1:]], "magic"),
        ([good[1], *good[1:]], "mixed up"),
        ([good[0], good[3], *good[2:]], "6 images and 3 labels"),
        ([idx(np.zeros((6, 32, 32))), *good[1:]], "should be 1 x 28 x 28"),
        ([good[0], idx(np.full(6, 10)), *good[2:]], "outside of its 10 classes"),
        ([idx(np.zeros((0, 28, 28))), idx(np.zeros(0)), *good[2:]], "0 images"),
    ]


@pytest.mark.parametrize(("contents", "message"), broken_sets())
def test_broken_local_files_are_refused(tmp_path, contents, message):
    put(tmp_path / "kmnist", NAMES, contents)
    with pytest.raises(DataError, match=message) as caught:
        load(DataSettings(source="kmnist"), data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_the_originals_are_refused(tmp_path):
    put(tmp_path / "mnist", NAMES, idx_set())
    with pytest.raises(DataError, match=r"not the original train-images.*checksum"):
        load(DataSettings(source="mnist"), data_dir=tmp_path)


def emnist(tmp_path: Path, part: str, labels: np.ndarray) -> np.ndarray:
    x = RNG.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
    names = [remote.file for remote in CATALOGUE[f"emnist-{part}"].files]
    put(tmp_path / f"emnist-{part}", names, [idx(x.transpose(0, 2, 1)), idx(labels)] * 2, packed=True)
    return x


def test_emnist_images_are_turned_upright_and_letters_count_from_a(tmp_path):
    x = emnist(tmp_path, "letters", np.array([1, 26, 5]))
    data = load(DataSettings(source="emnist-letters", validation=0.0), data_dir=tmp_path)
    train = data.split("train")
    np.testing.assert_array_equal(train.x[:, 0].numpy(), x)
    assert [data.spec.classes[label] for label in train.y.tolist()] == ["a", "z", "e"]  # type: ignore[union-attr]
    emnist(tmp_path, "letters", np.array([0]))
    with pytest.raises(DataError, match="outside"):
        load(DataSettings(source="emnist-letters"), data_dir=tmp_path)


def test_emnist_classes_follow_the_published_mapping(tmp_path):
    emnist(tmp_path, "balanced", np.array([0, 10, 35, 36, 46]))
    data = load(DataSettings(source="emnist-balanced", validation=0.0), data_dir=tmp_path)
    assert [data.spec.classes[label] for label in data.split("train").y.tolist()] == [*"0AZat"]  # type: ignore[union-attr]


def emnist_archive(path: Path, part: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for remote, content in zip(CATALOGUE[f"emnist-{part}"].files, idx_set(), strict=True):
            assert remote.member is not None
            archive.writestr(remote.member, gzip.compress(content))
    return path.read_bytes()


def test_emnist_is_read_from_the_published_archive(tmp_path):
    archive = tmp_path / "emnist" / "gzip.zip"
    content = emnist_archive(archive, "digits")
    assert len(load(DataSettings(source="emnist-digits", validation=0.0), data_dir=tmp_path).split("train")) == 6
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["gzip.zip"]
    with pytest.raises(DataError, match="holds no gzip/emnist-mnist"):
        load(DataSettings(source="emnist-mnist"), data_dir=tmp_path)
    archive.write_bytes(content[:-30])
    with pytest.raises(DataError, match="not a readable zip"):
        load(DataSettings(source="emnist-digits"), data_dir=tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_cifar10(tmp_path, packed):
    contents = cifar_files(3)
    put(tmp_path / "cifar10", ["cifar-10-binary.tar"], [tar(contents)], packed=packed)
    data = load(DataSettings(source="cifar10", validation=0.0), data_dir=tmp_path)
    assert data.spec.describe() == "32 x 32 colour images, 8-bit, 10 classes"
    assert (len(data.split("train")), len(data.split("test"))) == (15, 3)
    assert data.split("test").x[0].flatten().tolist() == list(contents["cifar-10-batches-bin/test_batch.bin"][1:3073])
    assert len(list(tmp_path.rglob("*.bin"))) == 0


# --- downloads -------------------------------------------------------------------------------------------------------


class Server:
    """A web server on this machine that answers as a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.release = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                answer = outer.answers.get(self.path.rpartition("/")[2]) or outer.answers.get("*")
                if answer is None:
                    self.send_error(404)
                else:
                    answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.release.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def hang(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.release.wait(20)

    def hang_midway(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"abc")
        request.wfile.flush()
        self.release.wait(20)


def sends(content: bytes, *, promised: int | None = None, length: bool = True) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if length:
            request.send_header("Content-Length", str(len(content) if promised is None else promised))
        request.end_headers()
        request.wfile.write(content)
        request.close_connection = True

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def good(server: Server) -> list[bytes]:
    """A server that has KMNIST's four files."""
    contents = idx_set()
    server.answers = {f"{n}.gz": sends(gzip.compress(c)) for n, c in zip(NAMES, contents, strict=True)}
    return contents


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_good_download_is_kept_and_fetched_once(server, good, cache):
    original = files.read("kmnist", mirror=server.url)
    assert original.parts["train"][0].tobytes() == good[0][16:]
    assert left_in(cache) == sorted(f"{name}.gz" for name in NAMES)
    assert server.requests == [f"/kmnist/{name}.gz" for name in NAMES]
    files.read("kmnist", mirror=server.url)
    assert len(server.requests) == 4


def test_the_mirror_can_be_set_in_the_environment(server, good, monkeypatch):
    monkeypatch.setenv(files.MIRROR, server.url + "/")
    assert len(load(DataSettings(source="kmnist", validation=0.0)).split("train")) == 6


def test_a_download_without_a_mirror_goes_to_the_published_address(server, good, monkeypatch, cache):
    entry = CATALOGUE["kmnist"]
    local = tuple(replace(remote, url=f"{server.url}/original/{remote.download}") for remote in entry.files)
    monkeypatch.setitem(CATALOGUE, "kmnist", replace(entry, files=local))
    files.read("kmnist")
    assert server.requests[0] == f"/original/{NAMES[0]}.gz"


def test_a_server_may_unpack_what_it_sends(server, good, cache):
    for name, content in zip(NAMES, good, strict=True):
        server.answers[f"{name}.gz"] = sends(content)
    assert files.read("kmnist", mirror=server.url).parts["train"][0].tobytes() == good[0][16:]


def test_emnist_and_cifar_are_downloaded_as_archives(server, tmp_path, cache):
    server.answers["gzip.zip"] = sends(emnist_archive(tmp_path / "gzip.zip", "digits"))
    server.answers["cifar-10-binary.tar.gz"] = sends(gzip.compress(tar(cifar_files(1))))
    assert len(files.read("emnist-digits", mirror=server.url).parts["train"][0]) == 6
    assert len(files.read("cifar10", mirror=server.url).parts["train"][0]) == 5
    assert server.requests == ["/emnist/gzip.zip", "/cifar10/cifar-10-binary.tar.gz"]
    assert left_in(cache) == ["cifar-10-binary.tar.gz", "gzip.zip"]
    files.read("emnist-digits", mirror=server.url)
    assert len(server.requests) == 2


PACKED = gzip.compress(idx(np.zeros((6, 28, 28))))


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("kmnist", sends(PACKED[:-5], promised=len(PACKED)), "broke off"),
        ("kmnist", sends(PACKED[:-5], length=False), "truncated"),
        ("kmnist", sends(b"<html>log in to the network first</html>"), "magic"),
        ("kmnist", sends(b""), "magic"),
        ("kmnist", None, "answered 404"),
        ("kmnist", lambda request: request.send_error(503), "answered 503"),
        ("kmnist", lambda request: request.wfile.write(b"not HTTP\r\n\r\n"), "no connection|broke off"),
        ("mnist", sends(PACKED), "checksum"),
        ("cifar10", sends(PACKED), "tar archive"),
        ("emnist-digits", sends(PACKED), "zip archive"),
    ],
)
def test_a_bad_answer_leaves_nothing_and_names_the_remedy(server, cache, name, answer, message):
    server.answers["*"] = answer
    with pytest.raises(DataError, match=message) as caught:
        files.read(name, mirror=server.url, timeout=5)
    for remedy in ("retry", "--data-dir", "LATENTIA_DATA_DIR"):
        assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left_in(cache) == []


@pytest.mark.parametrize("how", ["hang", "hang_midway"])
def test_a_server_that_hangs_is_given_up(server, cache, how):
    server.answers["*"] = getattr(server, how)
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"no answer within 0\.3 s.*--data-dir"):
        files.read("kmnist", mirror=server.url, timeout=0.3)
    assert time.perf_counter() - start < 5
    assert left_in(cache) == []


def test_no_connection(closed, cache):
    with pytest.raises(DataError, match=r"no connection to the server.*LATENTIA_DATA_DIR"):
        files.read("kmnist", mirror=closed, timeout=2)
    assert left_in(cache) == []


@pytest.mark.parametrize("mirror", ["nonsense", "ftp://127.0.0.1", "http://", "http://[::1", "http://a b"])
def test_a_mirror_that_is_no_address(mirror, cache):
    with pytest.raises(DataError, match=r"cannot download .*--data-dir"):
        files.read("kmnist", mirror=mirror, timeout=2)
    assert left_in(cache) == []


def test_after_a_failure_a_retry_works(server, good, cache):
    name = f"{NAMES[1]}.gz"
    server.answers[name], answer = sends(b"x"), server.answers[name]
    with pytest.raises(DataError):
        files.read("kmnist", mirror=server.url)
    assert left_in(cache) == [f"{NAMES[0]}.gz"]
    server.answers[name] = answer
    files.read("kmnist", mirror=server.url)
    assert len(server.requests) == 5


def test_what_a_killed_download_left_is_swept_only_when_old(server, good, cache):
    folder = cache / "kmnist"
    folder.mkdir(parents=True)
    old, young = (folder / f".tmp-{NAMES[0]}.gz-{age}" for age in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    long_ago = time.time() - 2 * files.ABANDONED
    os.utime(old, (long_ago, long_ago))
    files.read("kmnist", mirror=server.url)
    assert not old.exists()
    assert young.exists()


def test_a_cache_that_cannot_be_written_is_the_environments_fault(server, good, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(EnvironmentFault, match="not a folder"):
        files.read("kmnist", mirror=server.url)


@pytest.mark.parametrize("when", ["receiving", "syncing", "renaming"])
def test_a_full_disk_is_explained_and_leaves_nothing(server, good, cache, monkeypatch, when):
    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if when == "receiving":
        import pooch

        fetch = pooch.HTTPDownloader.__call__

        def half(self, url, output_file, downloader):
            fetch(self, url, output_file, downloader)
            full()

        monkeypatch.setattr(pooch.HTTPDownloader, "__call__", half)
    elif when == "syncing":
        monkeypatch.setattr(storage, "_fsync", full)
    else:
        monkeypatch.setattr(storage, "_rename", full)
    with pytest.raises(EnvironmentFault, match=f"no room to write .*{NAMES[0]}"):
        files.read("kmnist", mirror=server.url)
    assert left_in(cache) == []


def test_parallel_downloads_do_not_disturb_each_other(server, good, cache):
    code = (
        "import sys; from pathlib import Path; from latentia.data import files; "
        "files.cache_folder = lambda: Path(sys.argv[2]); "
        "print(files.read('kmnist', mirror=sys.argv[1]).digests)"
    )
    command = [sys.executable, "-c", code, server.url, str(cache)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    digests = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert len(digests) == 1
    assert left_in(cache) == sorted(f"{name}.gz" for name in NAMES)
    assert len(files.read("kmnist").parts["train"][0]) == 6


def test_parallel_downloads_in_one_process(server, good, cache):
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(files.read("kmnist", mirror=server.url).digests))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6 and len(set(results)) == 1
    assert left_in(cache) == sorted(f"{name}.gz" for name in NAMES)


def test_the_cache_is_the_operating_systems(monkeypatch):
    monkeypatch.undo()
    assert files.cache_folder().name == "latentia"
    assert isinstance(CATALOGUE["mnist"], Entry)
