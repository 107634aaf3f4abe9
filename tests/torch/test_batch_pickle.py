"""Pickled batches, as workers send them, are unchanged."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from maskplug_torch.batch_pickle import narrowed
from torch.utils.data import DataLoader
from transformers import BatchEncoding

from maskplug_hf import DataCollatorForMasking
from maskplug_hf.collator import Batch
from support import hf_tokenizers as tokenizers

#: The limits of integer types, and one more or less.
EDGES = [sign * 2**bits + d for bits in (7, 15, 31) for sign in (1, -1) for d in (-1, 0, 1)]


@given(st.lists(st.sampled_from(EDGES) | st.integers(-(2**63), 2**63 - 1), max_size=6))
def test_narrowed_numbers_are_the_same(values: list[int]) -> None:
    array = np.array(values, np.int64)
    small = narrowed(array)
    assert small.tolist() == values
    for narrower in (np.int8, np.int16, np.int32):
        if values and np.dtype(narrower).itemsize < small.dtype.itemsize:
            limits = np.iinfo(narrower)
            assert not all(limits.min <= value <= limits.max for value in values)


def test_integers_are_pickled_in_few_bytes() -> None:
    tensor = torch.arange(2048)
    assert len(pickle.dumps(Batch({"labels": tensor}))) < 4_700 < tensor.nbytes


def tensors() -> dict[str, Any]:
    return {
        "input_ids": torch.tensor([[5, 40_000], [7, 0]]),
        "labels": torch.tensor([[-100, 2**40], [-100, -100]]),
        "nothing": torch.zeros((2, 0), dtype=torch.int64),
        "transposed": torch.arange(6).view(2, 3).T,
        "weights": torch.tensor([0.5, float("nan")]),
        "flags": torch.tensor([True, False]),
        "half": torch.tensor([0.5], dtype=torch.bfloat16),
        "trained": torch.ones(2, requires_grad=True),
        "text": ["a", "b"],
    }


@pytest.mark.parametrize("way", [lambda b: pickle.loads(pickle.dumps(b)), copy.deepcopy, copy.copy])
def test_loaded_batches_equal_the_original(way: Any) -> None:
    sent = Batch(tensors())
    loaded = way(sent)
    assert type(loaded) is Batch
    assert loaded.keys() == sent.keys()
    for name, value in sent.items():
        if isinstance(value, torch.Tensor):
            assert loaded[name].dtype == value.dtype
            assert loaded[name].requires_grad == value.requires_grad
            assert torch.equal(loaded[name].nan_to_num(7), value.nan_to_num(7))
        else:
            assert loaded[name] == value


def test_loaded_batches_are_writable_copies() -> None:
    sent = Batch(tensors())
    loaded = pickle.loads(pickle.dumps(sent))
    for name in ("input_ids", "transposed"):
        before = sent[name][0, 0].item()
        loaded[name][0, 0] = before + 1
        assert sent[name][0, 0] == before


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_batches_from_workers_equal_those_of_the_collator(start: str) -> None:
    rows = [{"input_ids": [2, *range(5, 5 + n), 3]} for n in range(1, 9)]
    collator = DataCollatorForMasking(tokenizers.bert(), "dynamic", rate=0.5, seed=3)
    collator.set_epoch(1)
    loader: Any = DataLoader(
        rows, 4, collate_fn=collator, num_workers=2, multiprocessing_context=start
    )
    for batch, first in zip(loader, (0, 4), strict=True):
        expected = collator(rows[first : first + 4])
        assert isinstance(batch, BatchEncoding)
        assert batch.keys() == expected.keys()
        for name, value in expected.items():
            assert torch.equal(batch[name], value)
            assert batch[name].dtype == value.dtype
