"""Our collator against transformers' own, from features to the tensors of a batch.

Both sides have the same tokenizer and meet the same rows, ten or more batches of them in turn. What
a side does not need is not given to it: ours knows special tokens and words from the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.comparison import Comparison
from benchmarks.peers.transformers_features import (
    Batch,
    converted,
    in_turn,
    long_batches,
    marked,
    only,
    random_batches,
    text_batches,
    tokenizer,
    tokens_in,
)

PEER = "transformers"
IDS = ("input_ids", "attention_mask")


def comparisons(small: bool) -> Iterator[Comparison]:
    """Every collator of transformers that masks; ``small`` on a few short rows."""
    import torch

    torch.set_num_threads(1)
    rows, length, batches = (4, 40, 3) if small else (32, 512, 12)
    reader = tokenizer()
    plain = random_batches(reader, rows, length, batches)
    size = f"{rows} × {length}"
    yield masked_lm(reader, f"masked LM, {size}, lists", plain, goal=30)
    yield masked_lm(reader, f"masked LM, {size}, lists, special_tokens_mask", marked(plain))
    arrays = converted(plain, np.array)
    yield masked_lm(reader, f"masked LM, {size}, numpy rows", arrays, goal=100)
    tensors = converted(plain, torch.tensor)
    yield masked_lm(reader, f"masked LM, {size}, torch rows", tensors)
    yield from from_arrow(reader, size, plain)
    text = only(text_batches(reader, rows, batches), *IDS)
    yield masked_lm(reader, f"masked LM, {rows} rows of real text, lists", text)
    yield whole_words(reader, size, long_batches(reader, rows, length, batches))
    yield permutation(reader, size, plain)


def masked_lm(
    reader: Any, what: str, batches: list[Batch], goal: float | None = None
) -> Comparison:
    """BERT's 15 %, of which eight in ten become [MASK] and one another token."""
    return Comparison(
        what,
        PEER,
        tokens_in(batches),
        in_turn(_ours(reader, "dynamic", rate=0.15), batches),
        in_turn(_theirs(reader), batches),
        goal,
    )


def from_arrow(reader: Any, size: str, batches: list[Batch]) -> Iterator[Comparison]:
    """Rows of a ``datasets.Dataset``: as its numpy format hands them out, and fetched each time.

    Fetching is the same on both sides, and costs more than our collator; each side gets the format
    that suits it best: lists for transformers' collator, numpy for ours.
    """
    from datasets import Dataset

    dataset = Dataset.from_list([feature for batch in batches for feature in batch])
    rows = len(batches[0])
    indices = [list(range(i, i + rows)) for i in range(0, len(dataset), rows)]
    arrays = dataset.with_format("numpy")
    handed = [arrays.__getitems__(of) for of in indices]
    yield masked_lm(reader, f"masked LM, {size}, rows of an Arrow dataset", handed, goal=100)
    ours, theirs = _ours(reader, "dynamic", rate=0.15), _theirs(reader)
    yield Comparison(
        f"masked LM, {size}, fetched from an Arrow dataset",
        PEER,
        tokens_in(batches),
        in_turn(lambda of: ours(arrays.__getitems__(of)), indices),
        in_turn(lambda of: theirs(dataset.__getitems__(of)), indices),
    )


def whole_words(reader: Any, size: str, batches: list[Batch]) -> Comparison:
    """Whole words of real text; transformers finds them by offsets, and only writes [MASK]."""
    needed = only(batches, *IDS, "special_tokens_mask", "offset_mapping")
    only_masks = {"mask_replace_prob": 1.0, "random_replace_prob": 0.0}
    return Comparison(
        f"whole words, {size}, lists",
        PEER,
        tokens_in(batches),
        in_turn(_ours(reader, "whole_word", rate=0.15, mask=1.0, random=0.0), only(batches, *IDS)),
        in_turn(_theirs(reader, whole_word_mask=True, **only_masks), needed),
        goal=100,
    )


def permutation(reader: Any, size: str, batches: list[Batch]) -> Comparison:
    """XLNet's predictions in an order; both sides write length × length numbers for each row."""
    from transformers import DataCollatorForPermutationLanguageModeling

    return Comparison(
        f"permutation, {size}, lists",
        PEER,
        tokens_in(batches),
        in_turn(_ours(reader, "permutation", rate=1 / 6, max_n=5, unit="token"), batches),
        in_turn(DataCollatorForPermutationLanguageModeling(reader, plm_probability=1 / 6), batches),
        goal=10,
    )


def _ours(reader: Any, strategy: str, **options: Any) -> Any:
    from maskplug_hf import DataCollatorForMasking

    collator = DataCollatorForMasking(reader, strategy, seed=1, **options)
    collator.set_epoch(0)
    return collator


def _theirs(reader: Any, **options: Any) -> Any:
    from transformers import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(reader, mlm_probability=0.15, **options)
