from __future__ import annotations

import argparse
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from maskplug_fairseq import allow_checkpoints


def loaded(value: object) -> object:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_what_checkpoints_hold_loads_safely() -> None:
    value = {
        "args": argparse.Namespace(lr=[0.1]),
        "counts": np.array([3, 4]),
        "bleu": np.float64(1.5),
        "n": np.int32(7),
    }
    again = loaded(value)
    assert isinstance(again, dict)
    assert again["args"] == value["args"]
    assert again["counts"].tolist() == [3, 4]
    assert (again["bleu"], again["n"]) == (1.5, 7)


def test_arrays_written_under_numpy_1_load_too(tmp_path: Path) -> None:
    torch.save({"a": np.array([3, 4])}, tmp_path / "new.pt", _use_new_zipfile_serialization=False)
    old = (tmp_path / "new.pt").read_bytes().replace(b"numpy._core", b"numpy.core")
    (tmp_path / "old.pt").write_bytes(old)
    assert torch.load(tmp_path / "old.pt", weights_only=True)["a"].tolist() == [3, 4]


def test_everything_else_is_still_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        loaded({"path": Path("/")})


def test_repeating_changes_nothing() -> None:
    before = list(torch.serialization.get_safe_globals())
    allow_checkpoints()
    assert set(map(str, torch.serialization.get_safe_globals())) == set(map(str, before))
