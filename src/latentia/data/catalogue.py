"""The named data sets: original file names, where they are published, checksums, sizes and classes. Data only.

Checksums are of the uncompressed content, so that local files may be recompressed. Only MNIST's are in the table;
they were computed from a copy of the files. For Fashion-MNIST, KMNIST, EMNIST and CIFAR-10 no copy was at hand: their
addresses are those that are publicly documented, but neither the addresses nor the content could be tried, so their
files are checked by structure alone (``verified`` is False, and the data set's notes say so).
"""

from __future__ import annotations

import string
from dataclasses import dataclass


@dataclass(frozen=True)
class Remote:
    """One original file.

    Attributes:
        file: Its name without ``.gz``.
        url: Where it, or the archive that holds it, is published.
        sha256: Of the uncompressed content, or None where no copy was at hand to compute it from.
        member: Its path within a zip archive at ``url``, or None.
    """

    file: str
    url: str
    sha256: str | None = None
    member: str | None = None

    @property
    def download(self) -> str:
        """The name under which a download is kept."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Entry:
    """A named data set.

    Attributes:
        files: In the order images, labels of the training part, images, labels of the test part; or one archive.
        counts: Samples in the published training and test part.
        classes: Names of the labels 0, 1, ...
        kind: ``idx`` or ``cifar``.
        transposed: Whether the images are stored column by column.
        first_label: The smallest label in the files.
        archive: Folder in which a shared archive is kept.
    """

    files: tuple[Remote, ...]
    counts: tuple[int, int]
    classes: tuple[str, ...]
    kind: str = "idx"
    transposed: bool = False
    first_label: int = 0
    archive: str | None = None

    @property
    def event_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return (3, 32, 32) if self.kind == "cifar" else (1, 28, 28)

    def folder(self, name: str) -> str:
        """The folder in which the downloads of the set ``name`` are kept."""
        return self.archive or name

    @property
    def verified(self) -> bool:
        """Whether every file has a checksum."""
        return all(remote.sha256 is not None for remote in self.files)


_MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_MNIST_SHA256 = (
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
_DIGITS = tuple(string.digits)
_ALL = _DIGITS + tuple(string.ascii_uppercase) + tuple(string.ascii_lowercase)
_MERGED = tuple(name for name in _ALL if name not in "cijklmopsuvwxyz")  # lower case that looks like upper case
_EMNIST_URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"


def _like_mnist(base: str, classes: tuple[str, ...], sha256: tuple[str | None, ...] = (None,) * 4) -> Entry:
    files = tuple(Remote(file, f"{base}{file}.gz", sum_) for file, sum_ in zip(_MNIST_FILES, sha256, strict=True))
    return Entry(files, (60000, 10000), classes)


def _emnist(part: str, counts: tuple[int, int], classes: tuple[str, ...], first_label: int = 0) -> Entry:
    names = [
        f"emnist-{part}-{half}-{kind}"
        for half in ("train", "test")
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    ]
    files = tuple(Remote(name, _EMNIST_URL, member=f"gzip/{name}.gz") for name in names)
    return Entry(files, counts, classes, transposed=True, first_label=first_label, archive="emnist")


CATALOGUE: dict[str, Entry] = {
    "mnist": _like_mnist("https://ossci-datasets.s3.amazonaws.com/mnist/", _DIGITS, _MNIST_SHA256),
    "fashion-mnist": _like_mnist(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "kmnist": _like_mnist(
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/", ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    ),
    "emnist-letters": _emnist("letters", (124800, 20800), tuple(string.ascii_lowercase), first_label=1),
    "emnist-digits": _emnist("digits", (240000, 40000), _DIGITS),
    "emnist-balanced": _emnist("balanced", (112800, 18800), _MERGED),
    "emnist-byclass": _emnist("byclass", (697932, 116323), _ALL),
    "emnist-bymerge": _emnist("bymerge", (697932, 116323), _MERGED),
    "emnist-mnist": _emnist("mnist", (60000, 10000), _DIGITS),
    "cifar10": Entry(
        (Remote("cifar-10-binary.tar", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"),),
        (50000, 10000),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        kind="cifar",
    ),
}
