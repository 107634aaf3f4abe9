"""Tests of the replacement ``fim``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng, SelectionBound, TokenBatch, Vocabulary
from maskplug.errors import OptionError, VocabularyError
from maskplug.replacements import Fim
from maskplug.selectors import Nothing
from support import reference as ref
from support import reference_t5 as t5_ref
from support.batches import batch, equal_rows, fits, likely, ragged, seeds
from support.t5_rows import MIDDLE, PIECES, PREFIX, SUFFIX, TEXTUAL, VOCAB, Greedy, free_of

MARKS = (PREFIX, MIDDLE, SUFFIX)
CODEC = Greedy()
TEXT = t5_ref.Text(CODEC.encode, CODEC.decode, frozenset(np.flatnonzero(TEXTUAL.special).tolist()))
shares = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
texts = st.lists(
    st.lists(st.one_of(st.sampled_from([*PIECES]), st.sampled_from([*PIECES, 2, 3])), max_size=30),
    max_size=5,
)


def write(part: Fim, tokens: TokenBatch, vocab: Vocabulary = VOCAB, seed: int = 3) -> Any:
    rng = Rng.at(seed, 2, tokens.keys)
    return part.replace(tokens, Nothing().select(tokens, vocab, rng), vocab, rng)


def most(tokens: TokenBatch) -> SelectionBound:
    """Return the bound of a selector that may select everything."""
    return Nothing().bound(tokens.lengths)


@given(ragged(), seeds, shares, shares)
def test_token_level_matches_reference(
    rows: list[list[int]], seed: int, rate: float, spm: float
) -> None:
    tokens = batch(rows)
    result = write(Fim(rate, spm), tokens, seed=seed)
    assert result.to_lists() == [
        t5_ref.fim(ref.Sample(seed, 2, key), row, free_of(row), rate, spm, MARKS)
        for key, row in enumerate(rows)
    ]
    new = result.sources < 0
    assert (result.values[~new] == tokens.ids[result.sources[~new]]).all()
    assert sorted(result.sources[~new].tolist()) == list(range(len(tokens.ids)))
    assert np.isin(result.values[new], MARKS).all()
    assert (result.lengths <= Fim().bound(tokens.lengths, most(tokens))).all()


@given(texts, seeds, shares, shares)
def test_character_level_matches_reference(
    rows: list[list[int]], seed: int, rate: float, spm: float
) -> None:
    tokens = batch(rows)
    part = Fim(rate, spm, "character")
    result = write(part, tokens, TEXTUAL, seed)
    assert result.to_lists() == [
        t5_ref.fim(ref.Sample(seed, 2, key), row, free_of(row), rate, spm, MARKS, TEXT)
        for key, row in enumerate(rows)
    ]
    assert (result.lengths <= part.bound(tokens.lengths, most(tokens))).all()
    kept = result.sources >= 0
    assert (result.values[kept] == tokens.ids[result.sources[kept]]).all()


def parts_of(row: list[int]) -> tuple[list[int], list[int], list[int]]:
    a, b, c = (row.index(mark) for mark in (PREFIX, SUFFIX, MIDDLE))
    return row[a + 1 : b], row[c + 1 :], row[b + 1 : c]


def test_cuts_are_uniform_and_independent() -> None:
    # Two cuts from 0 to 3: each pair a < b has the probability 2/16, each a = b has 1/16.
    samples = 20_000
    rows = write(Fim(1.0, spm=0.0), equal_rows(samples, 3)).to_lists()
    seen = Counter((len(p), len(p) + len(m)) for p, m, _ in map(parts_of, rows))
    pairs = [(a, b) for a in range(4) for b in range(a, 4)]
    assert set(seen) == set(pairs)
    assert fits([seen[pair] for pair in pairs], [1 + (a < b) for a, b in pairs])


def test_rates() -> None:
    samples = 10_000
    tokens = equal_rows(samples, 8)
    rows = write(Fim(0.9, spm=0.3), tokens).to_lists()
    moved = [row for row in rows if PREFIX in row]
    assert likely(len(moved), samples, 0.9)
    prefix_empty = sum(row[1] == SUFFIX for row in moved)  # SPM, or PSM with an empty prefix
    assert likely(prefix_empty, len(moved), 0.3 + 0.7 * (1 - (8 / 9) ** 2))
    assert write(Fim(0.0), tokens).values.tolist() == tokens.ids.tolist()


def test_surrounding_special_tokens_stay_in_place() -> None:
    tokens = batch([[2, 1, 5, 3, 6, 3, 0]] * 60, protected=[[0] * 6 + [1]] * 60)
    for row in write(Fim(1.0, 0.0), tokens).to_lists():
        assert row[:3] == [2, 1, PREFIX]
        assert row[-2:] == [3, 0]
        p, m, s = parts_of(row[:-2])
        assert p + m + s == [5, 3, 6]
        assert (p, m, s) != ([5, 3], [6], []), "a special token goes with what follows it"


def codec(encode: Any = CODEC.encode, decode: Any = CODEC.decode) -> Any:
    return SimpleNamespace(encode=encode, decode=decode)


def decode_with_blanks(ids: Any) -> str:
    text = CODEC.decode(ids)
    return text.replace("ab", "a b") if len(ids) > 1 and 31 not in ids else text


STRIPPING = codec(decode=lambda ids: CODEC.decode(ids).removeprefix("a"))


@pytest.mark.parametrize(
    ("codec", "row", "spm"),
    [
        # Drops a leading "a".
        (STRIPPING, [6, 5, 6, 5, 6, 5, 7], 0.0),
        # Decodes invalid bytes.
        (codec(decode=lambda ids: CODEC.decode(ids).replace("b", "\ufffd")), [6, 5, 7], 0.0),
        # Encodes letter by letter.
        (codec(lambda text: [i for c in text for i in CODEC.encode(c)]), [31] * 17, 0.0),
        # Encodes a letter as the unknown token, and still decodes it.
        (
            codec(
                lambda text: [59 if i == 5 else i for i in CODEC.encode(text)],
                lambda ids: CODEC.decode([5 if i == 59 else i for i in ids]),
            ),
            [6, 5, 7],
            0.0,
        ),
        # Inserts spaces between adjacent parts, as SentencePiece does.
        (codec(decode=decode_with_blanks), [31], 1.0),
        (CODEC, [31, 3, 31], 0.5),
    ],
)
def test_lossy_texts_are_cut_between_tokens(codec: Any, row: Any, spm: float) -> None:
    vocab = replace(TEXTUAL, codec=codec)
    tokens = batch([row] * 300)
    by_tokens = write(Fim(1.0, spm), tokens).to_lists()
    by_texts = write(Fim(1.0, spm, "character"), tokens, vocab).to_lists()
    same = [a == b for a, b in zip(by_tokens, by_texts, strict=True)]
    some = codec is STRIPPING  # whose row some cuts would change, and some not
    assert 0 < sum(same) < 300 if some else all(same)
    for result in by_texts:
        assert 59 not in result
        parts = [[i for i in part if i != 3] for part in parts_of(result)]
        without_special = [i for i in row if i != 3]
        assert "".join(map(CODEC.decode, parts)) == CODEC.decode(without_special)
        # Adjacent parts are decoded together: "a" and "b" must not become "a b".
        assert codec.decode([i for part in parts for i in part]) == codec.decode(without_special)


def test_character_level_requires_a_codec() -> None:
    with pytest.raises(VocabularyError, match=r'give it a codec .* or choose level="token"'):
        write(Fim(level="character"), batch([[5]]))


def test_marks_by_name_or_id() -> None:
    rows = write(Fim(1.0, 0.0, prefix=66, middle="[R]", suffix="[S]"), batch([[5]] * 20)).to_lists()
    assert {token for row in rows for token in row} == {5, 60, 61, 66}
    with pytest.raises(VocabularyError, match=r"'fim' inserts the special token '<PRE>'"):
        write(Fim(prefix="<PRE>"), batch([[5]]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 1.5}, "'rate' is 1.5"),
        ({"spm": -0.1}, "'spm' is -0.1; it must be a number from 0 to 1"),
        ({"spm": float("nan")}, "'spm' is nan"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Fim(**options)
