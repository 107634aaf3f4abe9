"""Inputs and targets restore the original, for every objective."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Masked, TokenBatch
from maskplug.errors import TokenError
from maskplug.objectives import reconstruct as restore
from maskplug.ragged import Ragged
from support.scale import scenes
from support.t5_rows import (
    MIDDLE,
    PIECES,
    PREFIX,
    SUFFIX,
    TEXTUAL,
    VOCAB,
    Greedy,
    batch_of,
    rows_of,
)

SAMPLES, LONGEST = scenes(400, 10_000), 600
MODES = {"[R]": 60, "[S]": 61, "[X]": 62}
ends = pytest.mark.parametrize("ends", [False, True], ids=["bare", "bos and eos"])
by_sentinels = partial(restore.from_sentinels, vocab=VOCAB)
by_suffix = partial(restore.from_suffix, vocab=VOCAB)


def restored(masked: Masked, tokens: TokenBatch, rebuild: Callable[[Any, Any], Any]) -> bool:
    """Return whether every row is restored from its inputs and targets."""
    triples = zip(masked.inputs, masked.targets, rows_of(tokens), strict=True)
    return all(np.array_equal(rebuild(inputs, targets), row) for inputs, targets, row in triples)


@ends
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("t5", {"rate": 0.05}),
        ("t5", {"rate": 0.15}),
        ("t5", {"rate": 0.5, "final_sentinel": True}),
        ("t5", {"rate": 0.9, "eos": False}),
        ("t5", {"rate": 0.5, "mean_length": 1.0}),
        ("t5", {"rate": 0.9, "mean_length": 1.0}),
        ("t5", {"rate": 0.15, "mean_length": 64.0, "unit": "word"}),
        ("t5_iid", {"rate": 0.15}),
        ("t5_iid", {"rate": 0.5}),
        ("t5_iid", {"rate": 1.0}),
        ("prefix_lm", {}),
        ("prefix_lm", {"rate": 0.25}),
        ("prefix_lm", {"eos": False}),
    ],
    ids=str,
)
def test_spans_and_suffixes(ends: bool, name: str, options: dict[str, Any]) -> None:
    rebuild = by_suffix if name == "prefix_lm" else by_sentinels
    tokens = batch_of(SAMPLES, LONGEST, ends)
    assert restored(maskplug.strategy(name, **options)(tokens, VOCAB, seed=3), tokens, rebuild)


@ends
def test_mass(ends: bool) -> None:
    tokens = batch_of(SAMPLES, LONGEST, ends)
    masked = maskplug.strategy("mass")(tokens, VOCAB, seed=3)
    places = Ragged(masked.target_annotations["position_ids"], masked.targets.offsets)
    rows = zip(masked.inputs, masked.targets, places, rows_of(tokens), strict=True)
    assert all(
        np.array_equal(restore.from_fragment(inputs, targets, at), row)
        for inputs, targets, at, row in rows
    )


@ends
def test_ul2(ends: bool) -> None:
    tokens = batch_of(SAMPLES, LONGEST, ends)
    masked = maskplug.strategy("ul2")(tokens, VOCAB, seed=3)
    seen = set()

    def rebuild(inputs: Any, targets: Any) -> Any:
        mode, rest = restore.without_mode(inputs, MODES.values())
        seen.add(mode)
        return (by_suffix if mode == MODES["[S]"] else by_sentinels)(rest, targets)

    assert restored(masked, tokens, rebuild)
    assert seen == set(MODES.values())


@ends
@pytest.mark.parametrize("spm", [0.0, 1.0])
def test_fim_between_tokens(ends: bool, spm: float) -> None:
    tokens = batch_of(SAMPLES, LONGEST, ends)
    masked = maskplug.strategy("fim", rate=0.9, spm=spm)(tokens, VOCAB, seed=3)
    rows = zip(masked.inputs, rows_of(tokens), strict=True)
    assert all(
        np.array_equal(restore.from_fim(inputs, PREFIX, MIDDLE, SUFFIX, VOCAB), row)
        for inputs, row in rows
    )


@cache
def texts() -> tuple[TokenBatch, list[str]]:
    """Return texts and their tokens between bos and eos."""
    codec = Greedy()
    rng = np.random.default_rng(0)
    long = "".join(rng.choice([piece for piece in PIECES.values() if piece != "漢字"], 9_000))
    lengths, places = rng.integers(0, LONGEST + 1, SAMPLES), rng.integers(0, 8_000, SAMPLES)
    chosen = [long[at : at + n] for at, n in zip(places.tolist(), lengths.tolist(), strict=True)]
    rows = [[2, *codec.encode(text), 3] for text in chosen]
    return TokenBatch.from_lists(rows, keys=range(SAMPLES)), chosen


def test_fim_between_characters() -> None:
    tokens, wanted = texts()
    strategy = maskplug.strategy("fim", rate=1.0, spm=0.0, level="character")
    masked = strategy(tokens, TEXTUAL, seed=3)
    codec = Greedy()
    rows = [
        restore.from_fim(inputs, PREFIX, MIDDLE, SUFFIX, TEXTUAL).tolist()
        for inputs in masked.inputs
    ]
    assert all(row[0] == 2 and row[-1] == 3 for row in rows)
    assert [codec.decode(row[1:-1]) for row in rows] == wanted
    inside = sum(row != old.tolist() for row, old in zip(rows, rows_of(tokens), strict=True))
    assert inside > SAMPLES / 10, "cuts fall inside tokens"


def test_from_marks() -> None:
    assert restore.from_marks([4, 5, 4], [[6, 7], []], 4).tolist() == [6, 7, 5]
    assert restore.from_marks([], [], 4).tolist() == []
    with pytest.raises(TokenError, match="got 1 pieces for a row with 2 marks"):
        restore.from_marks([4, 4], [[5]], 4)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([5, 1199, 1198], [1199, 6], r"sentinels \[1199, 1198\] and the targets \[1199\]"),
        ([5, 1199], [1198, 6], "in the same order"),
        ([5, 1199, 1198], [1198, 6, 1199, 7], "in the same order"),
        ([5, 1199], [6, 1199, 7], "targets must begin with the first"),
        ([5, 1199], [], r"the targets \[\]"),
        ([5], [6], "targets must begin with the first"),
        ([5, 1199], [1199, 6, 1198, 7], "tokens follow the final sentinel 1198"),
        ([5], [1199, 1198], "at most one more"),
    ],
)
def test_mismatched_sentinels_raise(inputs: list[int], targets: list[int], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        restore.from_sentinels(inputs, targets, VOCAB)


def test_mismatched_positions_and_marks_raise() -> None:
    with pytest.raises(TokenError, match="got 1 position_ids for 2 targets"):
        restore.from_fragment([5, 6], [7, 8], [0])
    for place in (-1, 2):
        with pytest.raises(TokenError, match=f"position {place} is outside a row of 2 tokens"):
            restore.from_fragment([5, 6], [7], [place])
    for row in ([PREFIX, 5, SUFFIX, 6], [SUFFIX, PREFIX, MIDDLE], [PREFIX] * 3):
        with pytest.raises(TokenError, match="one each of prefix, suffix and middle"):
            restore.from_fim(row, PREFIX, MIDDLE, SUFFIX, VOCAB)


def test_rows_without_marks_are_unchanged() -> None:
    assert restore.from_fim([5, 6], PREFIX, MIDDLE, SUFFIX, VOCAB).tolist() == [5, 6]
    assert restore.without_mode([5, 6, 60], MODES.values())[0] is None
    assert restore.from_suffix([], [7], VOCAB).tolist() == [7]
    assert restore.from_sentinels([], [3], VOCAB).tolist() == []
