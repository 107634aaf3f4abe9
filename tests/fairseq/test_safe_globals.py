from __future__ import annotations

import argparse
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskplug_fairseq import allow_checkpoints


def reload(value: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_values_of_checkpoints_load() -> None:
    value = {"args": argparse.Namespace(lr=[0.1]), "bleu": np.float64(1.5), "n": np.int32(7)}
    assert reload(value) == value
    assert reload({"counts": np.array([3, 4])})["counts"].tolist() == [3, 4]


def test_arrays_of_numpy_1_load(tmp_path: Path) -> None:
    torch.save({"a": np.array([3, 4])}, tmp_path / "new.pt", _use_new_zipfile_serialization=False)
    old = (tmp_path / "new.pt").read_bytes().replace(b"numpy._core", b"numpy.core")
    (tmp_path / "old.pt").write_bytes(old)
    assert torch.load(tmp_path / "old.pt", weights_only=True)["a"].tolist() == [3, 4]


def test_other_classes_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        reload({"path": Path("/")})


def test_repeated_calls_change_nothing() -> None:
    before = list(torch.serialization.get_safe_globals())
    allow_checkpoints()
    assert set(map(str, torch.serialization.get_safe_globals())) == set(map(str, before))
