"""Masked, rewritten and gathered rows and inserted tokens match plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Ragged, Rng, Selection, TokenBatch, units
from maskplug.kernels.rewrite import beginnings, insert_one
from maskplug.replacements import Mix
from maskplug.replacements.rewritten import one_each, rewritten
from maskplug.targets.gathered import gathered
from support import reference as ref
from support.batches import MASK, ORDINARY, VOCAB, batch, ragged, seeds
from support.flat import flat, integers, joined, row_offsets

PAD, BOS, NEW = 0, 1, 99
batches = st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=6)
Span = tuple[int, int, list[int]]


@st.composite
def rewriting(draw: st.DrawFn) -> list[tuple[list[int], list[Span]]]:
    """Draw rows, and for each disjoint spans (first, length) and their new tokens."""
    cases = []
    for row in draw(st.lists(st.lists(st.integers(0, 50), max_size=12), max_size=4)):
        cursor, spans = 0, []
        for _ in range(draw(st.integers(0, 3))):
            first = draw(st.integers(cursor, len(row)))
            length = draw(st.integers(0, len(row) - first))
            spans.append((first, length, draw(st.lists(st.integers(60, 99), max_size=3))))
            cursor = first + length
        cases.append((row, spans))
    return cases


def arranged(cases: list[tuple[list[int], list[Span]]]) -> tuple[TokenBatch, Selection, Ragged]:
    tokens = batch([row for row, _ in cases])
    spans = [
        (int(tokens.offsets[i]) + first, length)
        for i, (_, row_spans) in enumerate(cases)
        for first, length, _ in row_spans
    ]
    starts, lengths = np.array(spans, np.int64).reshape(-1, 2).T
    offsets = row_offsets([len(row_spans) for _, row_spans in cases])
    selection = Selection(starts, lengths, offsets, len(tokens.ids))
    return tokens, selection, Ragged.of([new for _, row_spans in cases for _, _, new in row_spans])


@given(rewriting())
def test_rewrite(cases: list[tuple[list[int], list[Span]]]) -> None:
    tokens, selection, written = arranged(cases)
    result = rewritten(tokens, selection, written)
    expected, sources, base = [], [], 0
    for row, spans in cases:
        out, cursor = [], 0
        for first, length, new in spans:
            kept = list(range(cursor, first))
            out += [row[i] for i in kept] + new
            sources += [base + i for i in kept] + [-1] * len(new)
            cursor = first + length
        out += row[cursor:]
        sources += range(base + cursor, base + len(row))
        base += len(row)
        expected.append(out)
    assert result.to_lists() == expected
    assert result.sources is not None
    assert result.sources.tolist() == sources


@given(rewriting(), st.booleans(), st.sampled_from([None, 3]))
def test_gathered(cases: list[tuple[list[int], list[Span]]], headed: bool, end: int | None) -> None:
    tokens, selection, _ = arranged(cases)
    heads = np.arange(100, 100 + len(selection.starts) * headed)
    result = gathered(tokens, selection, heads, end)
    ids, sources = result.values, result.sources
    expected, head = [], 100
    for row, spans in cases:
        out = []
        for first, length, _ in spans:
            out += ([head] if headed else []) + row[first : first + length]
            head += 1
        expected.append(out + ([] if end is None else [end]))
    assert result.to_lists() == expected
    assert sources is not None
    kept = sources >= 0
    assert (tokens.ids[sources[kept]] == ids[kept]).all()


def test_one_each() -> None:
    _, selection, _ = arranged([([5, 6, 7], [(0, 1, []), (2, 0, [])])])
    assert one_each(selection, np.array([8, 9])).to_lists() == [[8], [9]]


@given(batches)
def test_beginnings_are_after_padding_and_one_bos(rows: list[list[int]]) -> None:
    ids, offsets = flat(rows)
    expected = []
    for first, row in zip(offsets.tolist(), rows, strict=False):
        padding = next((i for i, token in enumerate(row) if token != PAD), len(row))
        expected.append(first + padding + (row[padding : padding + 1] == [BOS]))
    assert beginnings(ids, offsets, PAD, BOS).tolist() == expected


@given(st.data(), batches, st.booleans())
def test_insert_one(data: st.DataObject, rows: list[list[int]], moved: bool) -> None:
    ids, offsets = flat(rows)
    places = [data.draw(st.integers(0, len(row))) for row in rows]
    before = [i - 1 if moved else i for i in range(len(ids))]
    positions = integers([first + at for first, at in zip(offsets, places, strict=False)])
    out, bounds, sources = insert_one(
        ids, offsets, integers(before if moved else []), positions, NEW
    )
    expected, expected_sources = [], []
    for first, row, at in zip(offsets.tolist(), rows, places, strict=False):
        expected.append([*row[:at], NEW, *row[at:]])
        row_sources = before[first : first + len(row)]
        expected_sources += [*row_sources[:at], -1, *row_sources[at:]]
    assert out.tolist() == joined(expected)
    assert bounds.tolist() == row_offsets([len(row) for row in expected]).tolist()
    assert sources.tolist() == expected_sources


probabilities = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(
    lambda pair: (pair[0], min(pair[1], 1.0 - pair[0]))
)


@pytest.mark.parametrize("unit", ["token", "word", "span"])
@given(rows=ragged(), seed=seeds, shares=probabilities, picks=st.randoms(use_true_random=False))
def test_mix_matches_reference(
    unit: Any, rows: list[list[int]], seed: int, shares: tuple[float, float], picks: Any
) -> None:
    tokens = batch(rows)
    selection = units(tokens, VOCAB, "word")
    selection = selection.take(np.array([picks.random() < 0.5 for _ in selection.starts], bool))
    rng = Rng.at(seed, 4, tokens.keys)
    inputs = Mix(*shares, unit).replace(tokens, selection, VOCAB, rng).to_lists()
    for i, row in enumerate(rows):
        groups = []
        for s in range(selection.offsets[i], selection.offsets[i + 1]):
            first = int(selection.starts[s] - tokens.offsets[i])
            span = list(range(first, first + int(selection.lengths[s])))
            groups += [[p] for p in span] if unit == "token" else [span]
        sample = ref.Sample(seed, 4, i)
        assert inputs[i] == ref.mix(sample, row, groups, *shares, MASK, ORDINARY)
