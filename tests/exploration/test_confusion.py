from __future__ import annotations

import numpy as np
import pytest

from latentia.errors import DataError
from latentia.exploration.confusion import plot_confusion
from latentia.exploration.style import figure_bytes


def test_cells_are_shares_of_the_true_class() -> None:
    figure = plot_confusion([[8, 2, 0], [1, 398, 1], [0, 0, 0]], ["cat", "$x$", "never"], title="t")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["80", "20", "0", "<1", "100", "<1", "0", "0", "0"]
    assert figure.axes[0].get_xlabel() == "taken for" and figure.axes[0].get_ylabel() == "true class"
    assert figure_bytes(figure)[1:4] == b"PNG"


@pytest.mark.parametrize("classes", [1, 12, 13, 60])
def test_any_number_of_classes(classes: int) -> None:
    figure = plot_confusion(np.eye(classes), [f"class number {label}" for label in range(classes)])
    assert len(figure.axes[0].texts) == (classes**2 if classes <= 12 else 0)
    assert len(figure.axes[0].get_xticks()) <= 26
    assert figure_bytes(figure)[1:4] == b"PNG"


@pytest.mark.parametrize("counts", [np.eye(3), np.zeros((2, 2)), np.ones(2)])
def test_what_is_no_confusion_matrix_is_refused(counts: np.ndarray) -> None:
    with pytest.raises(DataError, match="no confusion matrix of 2 classes"):
        plot_confusion(counts, ["a", "b"])
