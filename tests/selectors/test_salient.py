"""Tests of the selector ``salient``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng, TokenBatch
from maskplug.errors import OptionError, TokenError
from maskplug.selectors import Salient
from support import reference as ref
from support.batches import ORDINARY, VOCAB, batch, fits, ragged, seeds

N = 6_000
ROW = [2, *ORDINARY[:9], 3]
LAYER = [0, 1, 1, 0, 2, 3, 3, 3, 0, 1, 0]
#: The spans of the annotation as positions; the two runs of 1 are different spans.
SPANS = [(1, 2), (4,), (5, 6, 7), (9,)]


def chosen(selector: Salient, rows: list[list[int]], annotations: list[list[int]]) -> list[Any]:
    tokens = batch(rows, salient=annotations)
    mask = selector.select(tokens, VOCAB, Rng.at(3, 0, tokens.keys)).mask
    return [tuple(np.flatnonzero(row).tolist()) for row in np.split(mask, tokens.offsets[1:-1])]


@st.composite
def marked(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]]]:
    rows = draw(ragged())
    numbers = st.sampled_from([0, 0, 0, 1, 1, 2])
    return rows, [draw(st.lists(numbers, min_size=len(r), max_size=len(r))) for r in rows]


@given(marked(), seeds, st.integers(1, 3), st.sampled_from([None, 0.0, 0.3, 1.0]))
def test_matches_reference(
    drawn: tuple[list[list[int]], list[list[int]]], seed: int, spans: int, rate: float | None
) -> None:
    rows, annotations = drawn
    tokens = batch(rows, salient=annotations)
    selection = Salient(spans, rate).select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))
    expected = []
    for i, (row, numbers) in enumerate(zip(rows, annotations, strict=True)):
        sample = ref.Sample(seed, 2, i)
        free = [j for j, token in enumerate(row) if not VOCAB.special[token]]
        marked_positions = [j for j in free if numbers[j]]
        starts = {j for j in marked_positions if j == 0 or numbers[j] != numbers[j - 1]}
        groups = ref.word_groups(marked_positions, starts)
        if not groups:
            words = ref.word_groups(free, {j for j, token in enumerate(row) if token % 2 == 0})
            share = 0.15 if rate is None else rate
            taken = ref.joined(ref.spans(sample, share, len(words), 0.2, 10), words)
        else:
            if rate is None:
                picked = ref.exact(sample.words("salient", len(groups)), min(spans, len(groups)))
            else:
                picked = ref.words_to_budget(
                    sample.words("salient", len(groups)),
                    sample.words("salient", 1, 1)[0],
                    [len(group) for group in groups],
                    sample.budget(rate, len(free)),
                )
            taken = [group for group, one in zip(groups, picked, strict=True) if one]
        expected += [(int(tokens.offsets[i]) + group[0], len(group)) for group in taken]
    got = zip(selection.starts.tolist(), selection.lengths.tolist(), strict=True)
    assert list(got) == expected


def test_one_whole_span_per_sample() -> None:
    counts = Counter(chosen(Salient(), [ROW] * N, [LAYER] * N))
    assert set(counts) == set(SPANS)
    assert fits([counts[span] for span in SPANS], np.ones(4))


def test_two_spans() -> None:
    counts = Counter(chosen(Salient(spans=2), [ROW] * N, [LAYER] * N))
    assert set(counts) == {(*a, *b) for i, a in enumerate(SPANS) for b in SPANS[i + 1 :]}
    assert fits(list(counts.values()), np.ones(6))
    assert set(chosen(Salient(spans=9), [ROW], [LAYER])) == {(1, 2, 4, 5, 6, 7, 9)}


def test_rate_counts_tokens() -> None:
    row, numbers = ORDINARY[:40], [1, 1, 0, 2, 2] * 8
    masks = chosen(Salient(rate=0.3), [row] * N, [numbers] * N)
    sizes = np.array([len(mask) for mask in masks])
    assert set(sizes.tolist()) <= {12}
    assert all(i % 5 != 2 for mask in masks for i in mask)


def test_fallback_without_salient_spans() -> None:
    row = ORDINARY[:40]
    tokens = batch([row] * 50, salient=[[0] * 40] * 50)
    rng = Rng.at(3, 0, tokens.keys)
    fallback = Salient().select(tokens, VOCAB, rng)
    assert (
        fallback.mask.tolist()
        == maskplug.part("selector", "spans").select(tokens, VOCAB, rng).mask.tolist()
    )
    assert not Salient(otherwise="nothing").select(tokens, VOCAB, rng).mask.any()
    mixed = chosen(Salient(), [row, ROW, row, []], [[0] * 40, LAYER, [0] * 40, []])
    assert len(mixed[0]) > 1
    assert mixed[1] in SPANS
    assert len(mixed[2]) > 1
    assert mixed[3] == ()


def test_all_selected_tokens_become_masks_by_default() -> None:
    tokens = batch([ROW] * 200, salient=[LAYER] * 200)
    masked = maskplug.strategy("salient")(tokens, VOCAB)
    assert (masked.inputs.values[masked.selection.mask] == 4).all()


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({}, r"'salient@1' requires the annotation 'salient', one value per token"),
        ({"salient": [[0, -1]]}, r"non-negative integers; sample 0, position 1 has -1"),
        ({"salient": [[0.5, 1]]}, r"non-negative integers; sample 0, position 0 has 0.5"),
        ({"salient": [[1, float("nan")]]}, r"sample 0, position 1 has nan"),
    ],
)
def test_bad_annotations(annotations: dict[str, Any], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        maskplug.strategy("salient")(batch([[5, 6]], **annotations), VOCAB)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spans": 0}, "'spans' is 0; it must be a whole number from 1 to 2,147,483,647"),
        ({"rate": 1.2}, "'rate' is 1.2"),
        ({"otherwise": "all"}, "'otherwise' is 'all'; it must be one of 'span', 'nothing'"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("salient", **options)


def test_required_annotations() -> None:
    assert maskplug.strategy("salient").required_annotations == ("salient",)
    maskplug.strategy("salient").dry_run(VOCAB)
    assert isinstance(batch([[5]], salient=[[1]]), TokenBatch)
