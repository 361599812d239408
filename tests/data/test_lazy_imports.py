"""Importing the package imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import latentia.data


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_imports_neither_torch_nor_optional_packages():
    code = (
        "import sys, latentia.data, latentia.data.settings, latentia.data.catalogue; "
        "print([n for n in ('torch', 'sklearn', 'pooch', 'requests') if n in sys.modules])"
    )
    assert run(code) == "[]"


def test_loading_arrays_and_digits_imports_neither_scikit_learn_nor_pooch():
    code = (
        "import sys, numpy as np; from latentia.data import *; "
        "load(DataSettings(), arrays=np.zeros((4, 2), np.float32)); load(DataSettings(source='digits')); "
        "print([n for n in ('sklearn', 'pooch', 'requests') if n in sys.modules])"
    )
    assert run(code) == "[]"


def test_every_public_name_exists():
    for name in latentia.data.__all__:
        assert getattr(latentia.data, name) is not None
    assert set(dir(latentia.data)) == set(latentia.data.__all__)
