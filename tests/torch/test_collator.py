"""maskplug_torch without transformers: the collator, keyed datasets and the step sampler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import maskplug_torch
import numpy as np
import pytest
import torch
from maskplug_torch import KeyedDataset, MaskingCollator, ModelInfo, SharedEpoch, add_steps
from torch.utils.data import DataLoader

import maskplug
from maskplug.errors import OptionError, VocabularyError

SPECIAL = [0, 1, 2, 3, 4]
VOCAB = maskplug.Vocabulary(
    size=100, mask_id=4, pad_id=0, bos_id=2, eos_id=3, special_ids=SPECIAL, sentinel_ids=[97, 98]
)
ROWS = [[2, *range(10, 12 + 3 * n), 3] for n in range(8)]


def collator(strategy: str = "dynamic", **options: Any) -> MaskingCollator:
    return MaskingCollator(VOCAB, strategy, **{"seed": 3, "rate": 0.4, **options})


def reference(row: int, epoch: int = 0, step: int = 0, progress: float = 0.0) -> list[int]:
    """The masked row of the core."""
    tokens = maskplug.TokenBatch.from_lists([ROWS[row]], keys=[row])
    strategy = maskplug.strategy("dynamic", rate=0.4)
    masked = strategy(tokens, VOCAB, seed=3, epoch=epoch, step=step, progress=progress)
    return masked.inputs.to_lists()[0]


def unpadded(batch: Any) -> list[list[int]]:
    rows = zip(batch["input_ids"], batch["attention_mask"], strict=True)
    return [ids[mask.bool()].tolist() for ids, mask in rows]


def test_package_does_not_import_transformers() -> None:
    code = "import sys, maskplug_torch; sys.exit('transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=_env(), check=False)
    assert done.returncode == 0
    for path in Path(maskplug_torch.__file__).parent.glob("*.py"):
        assert "import transformers" not in path.read_text()
        assert "from transformers" not in path.read_text()


def _env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize("workers", [0, 2])
def test_keyed_dataset_in_a_data_loader(workers: int) -> None:
    shared = SharedEpoch()
    rows = [{"input_ids": row} for row in ROWS]
    loader: Any = DataLoader(
        KeyedDataset(rows, shared),
        batch_size=3,
        num_workers=workers,
        collate_fn=collator(),
        persistent_workers=workers > 0,
    )
    for epoch in (0, 4):
        shared.set(epoch)
        masked = [row for batch in loader for row in unpadded(batch)]
        assert masked == [reference(i, epoch) for i in range(len(ROWS))]


def test_samples_of_an_evaluation_dataset_are_frozen() -> None:
    dataset = KeyedDataset([{"input_ids": row} for row in ROWS])
    assert unpadded(collator()([dataset[3]])) == [reference(3)]


def test_add_steps_sends_the_step_with_each_sample() -> None:
    shared = SharedEpoch()
    shared.set(1)
    rows = [{"input_ids": row} for row in ROWS]
    loader: Any = DataLoader(KeyedDataset(rows, shared), batch_size=2, collate_fn=list)
    add_steps(loader, shared, accumulation=2, max_steps=4)
    samples = [sample for batch in loader for sample in batch]
    assert [(s.key, s.epoch, s.step) for s in samples] == [(i, 1, 2 + i // 4) for i in range(8)]


def test_packed_rows_hold_the_masks_of_padded_rows() -> None:
    features = [{"input_ids": row, "sample_id": i} for i, row in enumerate(ROWS)]
    collate = collator(packed_length=40)
    collate.set_epoch(0)
    batch = collate(features)
    documents = [
        ids[numbers == number].tolist()
        for ids, numbers in zip(batch["input_ids"], batch["document_ids"], strict=True)
        for number in range(int(numbers.max()) + 1)
    ]
    assert sorted(documents) == sorted(reference(i) for i in range(len(ROWS)))


def test_padding_and_types_of_batches() -> None:
    collate = MaskingCollator(VOCAB, "none", padding_side="left", pad_id=1, return_tensors="np")
    batch = collate([{"input_ids": [2, 5, 3]}, {"input_ids": [2, 3]}])
    assert type(batch) is dict
    assert batch["input_ids"].tolist() == [[2, 5, 3], [1, 2, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [0, 1, 1]]
    assert all(isinstance(array, np.ndarray) for array in batch.values())
    tensors = collate([[2, 5, 3]], return_tensors="pt")
    assert type(tensors) is maskplug_torch.Batch
    assert isinstance(tensors["input_ids"], torch.Tensor)


def test_refusals_of_the_constructor() -> None:
    model = ModelInfo("Model", predicts_next=True)
    with pytest.raises(OptionError, match="Model has no decoder"):
        collator("t5", model=model)
    with pytest.raises(OptionError, match="packed_length is 0"):
        collator(packed_length=0)
    vocab = maskplug.Vocabulary(size=100, mask_id=4, special_ids=SPECIAL)
    with pytest.raises(VocabularyError, match="no pad_id; pass pad_id"):
        MaskingCollator(vocab)
