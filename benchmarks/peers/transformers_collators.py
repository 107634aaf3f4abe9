"""Compare our collator with those of transformers, from features to the tensors of a batch.

Both sides use the same tokenizer and the same rows, several batches of them in turn. Each side only
gets the columns it needs: ours finds special tokens and words through the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np

from benchmarks.inputs import WORDS, random_rows, sample_text, tokenizer
from benchmarks.timing import Comparison

Batch = list[dict[str, Any]]
IDS = ("input_ids", "attention_mask")


def comparisons(small: bool) -> Iterator[Comparison]:
    """Yield a comparison with every collator of transformers that masks."""
    import torch

    rows, length, batches = (4, 40, 3) if small else (32, 512, 12)
    reader = tokenizer(500 if small else WORDS)
    plain = random_batches(rows, length, batches, len(reader))
    size = f"{rows} × {length}"
    yield masked_lm(reader, f"masked LM, {size}, lists", plain, goal=30)
    special = [1, *[0] * (length - 2), 1]
    marked = [[{**f, "special_tokens_mask": special[:]} for f in batch] for batch in plain]
    yield masked_lm(reader, f"masked LM, {size}, lists, special_tokens_mask", marked)
    arrays = converted(plain, np.array)
    yield masked_lm(reader, f"masked LM, {size}, numpy rows", arrays, goal=100)
    tensors = converted(plain, torch.tensor)
    yield masked_lm(reader, f"masked LM, {size}, torch rows", tensors)
    yield from from_arrow(reader, size, plain)
    lines = np.array(sample_text()[: rows * batches]).reshape(batches, rows).tolist()
    text = only([tokenized(reader, texts) for texts in lines], *IDS)
    yield masked_lm(reader, f"masked LM, {rows} rows of real text, lists", text)
    yield whole_words(reader, size, long_batches(reader, rows, length, batches))
    yield permutation(reader, size, plain)


def masked_lm(reader: Any, what: str, batches: list[Batch], goal: float = 0) -> Comparison:
    """Compare BERT's masking: 15 %, 80/10/10."""
    ours = _ours(reader, "dynamic", rate=0.15)
    return _comparison(what, batches, ours, _theirs(reader), goal=goal)


def from_arrow(reader: Any, size: str, batches: list[Batch]) -> Iterator[Comparison]:
    """Compare on rows of a ``datasets.Dataset``, and including the time to fetch them.

    Fetching costs more than our collator. Each side uses the format that suits it best: lists for
    the collator of transformers, numpy for ours.
    """
    from datasets import Dataset

    dataset = Dataset.from_list([feature for batch in batches for feature in batch])
    rows = len(batches[0])
    indices = [list(range(i, i + rows)) for i in range(0, len(dataset), rows)]
    arrays = dataset.with_format("numpy")
    fetched = [arrays.__getitems__(batch) for batch in indices]
    yield masked_lm(reader, f"masked LM, {size}, rows of an Arrow dataset", fetched, goal=100)
    ours, theirs = _ours(reader, "dynamic", rate=0.15), _theirs(reader)
    yield Comparison(
        f"masked LM, {size}, fetched from an Arrow dataset",
        "transformers",
        tokens_in(batches),
        in_turn(lambda batch: ours(arrays.__getitems__(batch)), indices),
        in_turn(lambda batch: theirs(dataset.__getitems__(batch)), indices),
    )


def whole_words(reader: Any, size: str, batches: list[Batch]) -> Comparison:
    """Compare whole words of real text; transformers needs offsets, and only writes [MASK]."""
    ours = _ours(reader, "whole_word", rate=0.15, mask=1.0, random=0.0)
    only_masks = {"mask_replace_prob": 1.0, "random_replace_prob": 0.0}
    theirs = _theirs(reader, whole_word_mask=True, **only_masks)
    needed = only(batches, *IDS, "special_tokens_mask", "offset_mapping")
    return _comparison(
        f"whole words, {size}, lists", only(batches, *IDS), ours, theirs, needed, goal=100
    )


def permutation(reader: Any, size: str, batches: list[Batch]) -> Comparison:
    """Compare XLNet's objective; both sides write length × length numbers for each row."""
    from transformers import DataCollatorForPermutationLanguageModeling

    ours = _ours(reader, "permutation", rate=1 / 6, max_n=5, unit="token")
    theirs = DataCollatorForPermutationLanguageModeling(reader, plm_probability=1 / 6)
    return _comparison(f"permutation, {size}, lists", batches, ours, theirs, goal=10)


def _comparison(
    what: str,
    batches: list[Batch],
    ours: Any,
    theirs: Any,
    their_batches: list[Batch] | None = None,
    goal: float = 0,
) -> Comparison:
    sides = in_turn(ours, batches), in_turn(theirs, their_batches or batches)
    return Comparison(what, "transformers", tokens_in(batches), *sides, goal or None)


def _ours(reader: Any, strategy: str, **options: Any) -> Any:
    from maskplug_hf import DataCollatorForMasking

    collator = DataCollatorForMasking(reader, strategy, seed=1, **options)
    collator.set_epoch(0)
    return collator


def _theirs(reader: Any, **options: Any) -> Any:
    from transformers import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(reader, mlm_probability=0.15, **options)


def random_batches(rows: int, length: int, batches: int, size: int = WORDS) -> list[Batch]:
    """Return batches of random rows of ids below ``size``."""
    features = random_rows(rows * batches, length, size)
    return [features[i : i + rows] for i in range(0, len(features), rows)]


def long_batches(reader: Any, rows: int, length: int, batches: int) -> list[Batch]:
    """Return rows of real text that are cut to one length; each begins at another line."""
    lines = sample_text()
    begins = np.arange(batches * rows).reshape(batches, rows) * 7 % (len(lines) - length)
    return [
        tokenized(reader, [" ".join(lines[i : i + length]) for i in batch], length)
        for batch in begins.tolist()
    ]


def tokenized(reader: Any, texts: list[str], max_length: int = 512) -> Batch:
    """Return features with all columns that the collators of transformers can use."""
    columns = reader(
        texts,
        truncation=True,
        max_length=max_length,
        return_special_tokens_mask=True,
        return_offsets_mapping=True,
        return_token_type_ids=False,
    )
    return [{name: columns[name][i] for name in columns} for i in range(len(texts))]


def only(batches: list[Batch], *names: str) -> list[Batch]:
    """Return some columns of the features."""
    return [[{name: feature[name] for name in names} for feature in batch] for batch in batches]


def converted(batches: list[Batch], convert: Callable[[Any], Any]) -> list[Batch]:
    """Return the features with every list converted."""
    return [[{n: convert(row) for n, row in f.items()} for f in batch] for batch in batches]


def tokens_in(batches: list[Batch]) -> int:
    """Return the average number of tokens in a batch."""
    return sum(len(feature["input_ids"]) for batch in batches for feature in batch) // len(batches)


def in_turn(collator: Callable[[Any], object], batches: list[Any]) -> Callable[[], object]:
    """Return a call that collates the next of the batches."""
    following = cycle(batches)
    return lambda: collator(next(following))
