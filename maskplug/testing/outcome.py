"""What a strategy made of each sample, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskplug.rng import hash_words
from maskplug.tokens import Masked, TokenBatch, content_keys
from maskplug.types import IntArray, UintArray, readonly

#: What became of one sample: a list of numbers for each thing that a strategy returns.
Row = dict[str, list[Any]]


def by_row(tokens: TokenBatch, masked: Masked) -> list[Row]:
    """What became of each sample, positions counted from the sample's beginning."""
    starts, selection, inputs = tokens.offsets[:-1], masked.selection, masked.inputs
    found: dict[str, tuple[Any, Any]] = {
        "inputs": (inputs.values, inputs.offsets),
        "chosen starts": (selection.starts - starts[selection.rows], selection.offsets),
        "chosen lengths": (selection.lengths, selection.offsets),
    }
    if inputs.sources is not None:
        own = np.where(inputs.sources < 0, -1, inputs.sources - np.repeat(starts, inputs.lengths))
        found["sources"] = (own, inputs.offsets)
    if masked.labels is not None:
        found["labels"] = (masked.labels.values, masked.labels.offsets)
        if masked.weights is not None:
            found["weights"] = (masked.weights, masked.labels.offsets)
        if masked.divisors is not None:
            found["divisor"] = (masked.divisors, np.arange(len(tokens) + 1))
    for name, layer in masked.annotations.items():
        found[f"layer {name!r}"] = (layer, inputs.offsets)
    if masked.targets is not None:
        found["targets"] = (masked.targets.values, masked.targets.offsets)
        for name, layer in masked.target_annotations.items():
            found[f"target layer {name!r}"] = (layer, masked.targets.offsets)
    return [
        {name: values[at[i] : at[i + 1]].tolist() for name, (values, at) in found.items()}
        for i in range(len(tokens))
    ]


def assert_same(
    found: Sequence[Row], expected: Sequence[Row], what: str, remedy: str, names: Any = None
) -> None:
    """Compare rows.

    Args:
        found, expected: what became of the samples.
        what: when they differ, the beginning of the message.
        remedy: and its end.
        names: the numbers of the samples, for the message.

    Raises:
        AssertionError: when they differ; the message shows the first difference.
    """
    assert len(found) == len(expected), f"{what}: {len(found)} rows, not {len(expected)}. {remedy}"
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        for name in {**other, **one}:
            a, b = one.get(name), other.get(name)
            assert a == b, (
                f"{what}: sample {i if names is None else names[i]} has {name}\n  {shown(a)}\n"
                f"instead of\n  {shown(b)}\n{remedy}"
            )


def shown(values: Any) -> str:
    """Numbers for a message; of very many the first ones."""
    if values is None:
        return "none at all"
    return " ".join(map(str, values[:48])) + (" …" if len(values) > 48 else "") or "(nothing)"


def choices(tokens: TokenBatch, masked: Masked) -> UintArray:
    """One 64-bit hash of what was chosen of each sample."""
    spans = masked.selection
    begins = spans.starts - tokens.offsets[:-1][spans.rows]
    return hash_words(_hashed(begins, spans.offsets), _hashed(spans.lengths, spans.offsets))


def _hashed(values: IntArray, offsets: IntArray) -> UintArray:
    """One hash for each row, of rows that are sound."""
    sound = offsets[0] == 0 and offsets[-1] == len(values) and (np.diff(offsets) >= 0).all()
    assert sound, "the result is not well-formed: see check_shapes and check_selection"
    return content_keys(readonly(values, np.int64), offsets)


def hashes(tokens: TokenBatch, masked: Masked) -> UintArray:
    """One 64-bit hash of all that became of each sample."""
    found = choices(tokens, masked)
    for rows, columns in (
        (masked.inputs, masked.annotations),
        (masked.labels, {} if masked.weights is None else {"weights": masked.weights}),
        (masked.targets, masked.target_annotations),
    ):
        if rows is None:
            continue
        for values in (rows.values, *(columns[name] for name in sorted(columns))):
            words = np.asarray(values, np.float64).view(np.int64)
            found = hash_words(found, _hashed(words, rows.offsets))
    return found
