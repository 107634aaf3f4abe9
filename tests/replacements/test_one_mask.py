"""Tests of the replacements ``one_mask`` and ``gap_mask``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug import Replacement, Rng, Selection, Vocabulary
from maskplug.errors import OptionError, VocabularyError
from maskplug.replacements import GapMask, OneMask
from support.batches import EOS, MASK, ORDINARY, SPECIAL, VOCAB, batch, equal_rows, fits, likely
from support.cases import RICH

ROW = [2, 5, 6, 7, 8, 3]


def written(part: Replacement, spans: list[tuple[int, int]], vocab: Vocabulary = RICH) -> Any:
    tokens = batch([ROW])
    starts, lengths = np.array(spans).T
    selection = Selection(starts, lengths, np.array([0, len(spans)]), len(ROW))
    return part.replace(tokens, selection, vocab, Rng.at(1, 0, tokens.keys))


def test_one_mask_per_span_and_at_empty_spans() -> None:
    out = written(OneMask(), [(1, 0), (1, 2), (5, 0)])
    assert out.to_lists() == [[2, MASK, MASK, 7, 8, MASK, EOS]]
    assert out.sources.tolist() == [0, -1, -1, 3, 4, -1, 5]


def test_gap_mask_keeps_empty_spans_empty() -> None:
    assert written(GapMask(), [(1, 0), (1, 2), (5, 0)]).to_lists() == [[2, 66, 7, 8, EOS]]


@pytest.mark.parametrize(
    ("part", "vocab", "token"),
    [
        (OneMask(), RICH, 4),
        (OneMask("[X]"), RICH, 62),
        (OneMask(61), RICH, 61),
        (GapMask(), RICH, 66),
        (GapMask(), VOCAB, 4),
        (GapMask("[S]"), RICH, 61),
    ],
)
def test_choice_of_the_mask_token(part: Replacement, vocab: Vocabulary, token: int) -> None:
    assert written(part, [(2, 2)], vocab).to_lists() == [[2, 5, token, 8, 3]]


def test_shares_of_random_tokens() -> None:
    tokens = equal_rows(3_000, 6)
    starts = (np.arange(3_000)[:, None] * 6 + [0, 2, 4]).ravel()
    selection = Selection(starts, np.full(9_000, 2), np.arange(3_001) * 3, 18_000)
    rng = Rng.at(1, 0, tokens.keys)
    out = OneMask(random=0.3).replace(tokens, selection, VOCAB, rng).values
    assert len(out) == 9_000
    assert likely((out != MASK).sum(), 9_000, 0.3)
    drawn = np.bincount(out[out != MASK], minlength=60)
    assert drawn[SPECIAL].sum() == 0
    assert fits(drawn[ORDINARY], np.ones(len(ORDINARY)))
    kept = GapMask(keep=0.1).replace(tokens, selection, VOCAB, rng)
    assert likely((kept.values == MASK).sum(), 9_000, 0.9)
    assert (kept.values[kept.sources >= 0] == tokens.ids[kept.sources[kept.sources >= 0]]).all()


def test_random_only_requires_no_mask_token() -> None:
    bare = Vocabulary(size=60, special_ids=SPECIAL)
    out = written(OneMask(random=1.0), [(1, 2)], bare).to_lists()[0]
    assert out[1] in ORDINARY
    with pytest.raises(VocabularyError, match="'one_mask' inserts a mask token"):
        written(OneMask(), [(1, 2)], bare)
    with pytest.raises(VocabularyError, match="'gap_mask' inserts a mask token"):
        written(GapMask(), [(1, 2)], bare)
    with pytest.raises(VocabularyError, match=r"'one_mask' inserts the special token '\[Y\]'"):
        written(OneMask("[Y]"), [(1, 2)])
    with pytest.raises(VocabularyError, match="all 2 ids are special"):
        written(OneMask(random=0.5), [(1, 2)], Vocabulary(size=2, mask_id=0, special_ids=[1]))


@pytest.mark.parametrize("make", [lambda x: OneMask(random=x), lambda x: GapMask(keep=x)])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_bad_shares(make: Any, value: float) -> None:
    with pytest.raises(OptionError, match=f"is {value}; it must be a number from 0 to 1"):
        make(value)
