"""Tests of the replacement and the target ``sentinels``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Masked, Rng, Selection, SelectionBound, TokenBatch, Vocabulary
from maskplug.errors import VocabularyError
from maskplug.replacements import Sentinels
from maskplug.selectors import Exact
from maskplug.targets import Sentinels as Target
from support import reference_t5 as t5_ref
from support.batches import batch, ragged, seeds, select
from support.t5_rows import SENTINELS, VOCAB, positions

FEW = Vocabulary(size=20, eos_id=3, sentinel_ids=[17, 12, 15])


def masked(
    tokens: TokenBatch, selection: Selection, vocab: Vocabulary, target: Target | None = None
) -> Masked:
    rng = Rng.at(0, 0, tokens.keys)
    inputs = Sentinels().replace(tokens, selection, vocab, rng)
    return (target or Target()).build(tokens, Masked(inputs, selection), vocab, rng)


def chosen(tokens: TokenBatch, *places: int) -> Selection:
    return Selection.from_mask(np.isin(np.arange(len(tokens.ids)), places), tokens)


@given(ragged(), seeds, st.floats(0, 1), st.booleans(), st.booleans())
def test_matches_reference(
    rows: list[list[int]], seed: int, rate: float, final: bool, eos: bool
) -> None:
    tokens = batch(rows)
    selection = select(Exact(rate), tokens, seed, vocab=VOCAB)
    result = masked(tokens, selection, VOCAB, Target(final, eos))
    expected = [
        t5_ref.behind_sentinels(row, spans, SENTINELS, final, VOCAB.eos_id if eos else None)
        for row, spans in zip(rows, positions(selection, tokens), strict=True)
    ]
    assert result.inputs.to_lists() == [inputs for inputs, _ in expected]
    assert result.targets.to_lists() == [targets for _, targets in expected]
    assert (result.selection.mask == selection.mask).all()
    counts = np.array([np.isin(row, SENTINELS).sum() for row in result.inputs])
    assert counts.tolist() == result.selection.counts.tolist()
    hidden = np.array([sum(map(len, spans)) for spans in positions(selection, tokens)], int)
    bound = Target(final, eos).bound(tokens.lengths, SelectionBound(hidden, hidden, hidden))
    assert (result.targets.lengths <= bound).all()


def test_sources_are_original_positions() -> None:
    tokens = batch([[5, 6, 7, 8], [9]])
    result = masked(tokens, chosen(tokens, 1, 2), FEW)
    assert result.inputs.to_lists() == [[5, 17, 8], [9]]
    assert result.inputs.sources.tolist() == [0, -1, 3, 4]
    assert result.targets.sources.tolist() == [-1, 1, 2, -1, -1]


def test_adjacent_spans_merge_within_rows_only() -> None:
    tokens = batch([[5, 6], [7, 8]])
    result = masked(tokens, chosen(tokens, 0, 1, 2), FEW, Target(final_sentinel=True))
    assert result.inputs.to_lists() == [[17], [17, 8]]
    assert result.targets.to_lists() == [[17, 5, 6, 12, 3], [17, 7, 12, 3]]
    assert result.selection.counts.tolist() == [1, 1]


def test_no_eos_without_eos_id() -> None:
    tokens = batch([[5, 6, 7]])
    result = masked(tokens, chosen(tokens, 1), Vocabulary(size=20, sentinel_ids=[17]))
    assert result.targets.to_lists() == [[17, 6]]


def test_vocabulary_without_sentinels_raises() -> None:
    bare = Vocabulary(size=60)
    for name in ("t5", "t5_iid"):
        for rows in ([[5, 6, 7]], []):
            with pytest.raises(VocabularyError, match=r"has none\. Add some .*sentinel_ids="):
                maskplug.strategy(name)(batch(rows), bare)
        with pytest.raises(VocabularyError, match="choose a strategy that writes none"):
            maskplug.strategy(name).dry_run(bare)


@pytest.mark.parametrize(("places", "final"), [((2, 4, 6, 8), False), ((2, 4, 6), True)])
def test_too_few_sentinels_raise(places: Any, final: bool) -> None:
    tokens = batch([[5], [5, 6, 7, 8, 9, 10, 11, 13]], keys=[40, 41])
    message = r"sample 1 of the batch \(key 41\) needs 4 sentinels, and this vocabulary has 3"
    with pytest.raises(VocabularyError, match=message):
        masked(tokens, chosen(tokens, *places), FEW, Target(final_sentinel=final))
    assert masked(tokens, chosen(tokens, 2, 4, 6), FEW).inputs.lengths.tolist() == [1, 8]
