"""The result of masking in a form that can be compared sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskplug.rng import hash_words
from maskplug.tokens import Masked, TokenBatch, content_keys
from maskplug.types import IntArray, UintArray, readonly

#: The result for one sample: a list of numbers for each name ("inputs", "labels", …).
Row = dict[str, list[Any]]


def by_row(tokens: TokenBatch, masked: Masked) -> list[Row]:
    """Return the result of each sample, with positions counted from the sample's first token."""
    starts, selection, inputs = tokens.offsets[:-1], masked.selection, masked.inputs
    columns: dict[str, tuple[Any, Any]] = {
        "inputs": (inputs.values, inputs.offsets),
        "chosen starts": (selection.starts - starts[selection.rows], selection.offsets),
        "chosen lengths": (selection.lengths, selection.offsets),
    }
    if inputs.sources is not None:
        shift = np.repeat(starts, inputs.lengths)
        relative = np.where(inputs.sources < 0, -1, inputs.sources - shift)
        columns["sources"] = (relative, inputs.offsets)
    if masked.labels is not None:
        columns["labels"] = (masked.labels.values, masked.labels.offsets)
        if masked.weights is not None:
            columns["weights"] = (masked.weights, masked.labels.offsets)
        if masked.divisors is not None:
            columns["divisor"] = (masked.divisors, np.arange(len(tokens) + 1))
    for name, values in masked.annotations.items():
        columns[f"annotation {name!r}"] = (values, inputs.offsets)
    if masked.targets is not None:
        columns["targets"] = (masked.targets.values, masked.targets.offsets)
        for name, values in masked.target_annotations.items():
            columns[f"target annotation {name!r}"] = (values, masked.targets.offsets)
    return [
        {name: values[at[i] : at[i + 1]].tolist() for name, (values, at) in columns.items()}
        for i in range(len(tokens))
    ]


def assert_same_rows(
    actual: Sequence[Row], expected: Sequence[Row], what: str, remedy: str, numbers: Any = None
) -> None:
    """Assert that the results of samples are equal; ``numbers`` are theirs in the message."""
    assert len(actual) == len(expected), (
        f"{what}: {len(actual)} rows, not {len(expected)}. {remedy}"
    )
    for i, (row, expected_row) in enumerate(zip(actual, expected, strict=True)):
        for name in {**expected_row, **row}:
            a, b = row.get(name), expected_row.get(name)
            assert a == b, (
                f"{what}: sample {i if numbers is None else numbers[i]} has {name}\n  {shown(a)}\n"
                f"instead of\n  {shown(b)}\n{remedy}"
            )


def shown(values: Any) -> str:
    """Return numbers as a message shows them, at most the first 48."""
    if values is None:
        return "(missing)"
    return " ".join(map(str, values[:48])) + (" …" if len(values) > 48 else "") or "(empty)"


def choices(tokens: TokenBatch, masked: Masked) -> UintArray:
    """Return one 64-bit hash per sample of the chosen tokens."""
    spans = masked.selection
    starts = spans.starts - tokens.offsets[:-1][spans.rows]
    return hash_words(_hashed(starts, spans.offsets), _hashed(spans.lengths, spans.offsets))


def hashes(tokens: TokenBatch, masked: Masked) -> UintArray:
    """Return one 64-bit hash per sample of the whole result."""
    result = choices(tokens, masked)
    for rows, columns in (
        (masked.inputs, masked.annotations),
        (masked.labels, {} if masked.weights is None else {"weights": masked.weights}),
        (masked.targets, masked.target_annotations),
    ):
        if rows is None:
            continue
        for values in (rows.values, *(columns[name] for name in sorted(columns))):
            words = np.asarray(values, np.float64).view(np.int64)
            result = hash_words(result, _hashed(words, rows.offsets))
    return result


def _hashed(values: IntArray, offsets: IntArray) -> UintArray:
    valid = offsets[0] == 0 and offsets[-1] == len(values) and (np.diff(offsets) >= 0).all()
    assert valid, "the result is not well-formed: see check_shapes and check_selection"
    return content_keys(readonly(values, np.int64), offsets)
