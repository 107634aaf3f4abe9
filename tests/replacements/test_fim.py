"""Fill in the middle: the reference, the law of cuts, characters, what stays outside."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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
from support import reference_t5 as twin
from support.batches import batch, equal_rows, fits, likely, ragged, seeds
from support.t5_rows import MIDDLE, PIECES, PREFIX, SUFFIX, TEXTUAL, VOCAB, Greedy, free_of

MARKS = (PREFIX, MIDDLE, SUFFIX)
CODEC = Greedy()
TEXT = twin.Text(CODEC.encode, CODEC.decode, frozenset(np.flatnonzero(TEXTUAL.special).tolist()))
shares = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
texts = st.lists(
    st.lists(st.one_of(st.sampled_from([*PIECES]), st.sampled_from([*PIECES, 2, 3])), max_size=30),
    max_size=5,
)


def write(part: Fim, tokens: TokenBatch, vocab: Vocabulary = VOCAB, seed: int = 3) -> Any:
    rng = Rng.at(seed, 2, tokens.keys)
    return part.replace(tokens, Nothing().select(tokens, vocab, rng), vocab, rng)


@given(ragged(), seeds, shares, shares)
def test_tokens_equal_to_the_reference(
    rows: list[list[int]], seed: int, rate: float, spm: float
) -> None:
    tokens = batch(rows)
    made = write(Fim(rate, spm), tokens, seed=seed)
    assert made.to_lists() == [
        twin.fim(ref.Sample(seed, 2, key), row, free_of(row), rate, spm, MARKS)
        for key, row in enumerate(rows)
    ]
    new = made.sources < 0
    assert (made.values[~new] == tokens.ids[made.sources[~new]]).all()
    assert sorted(made.sources[~new].tolist()) == list(range(len(tokens.ids)))
    assert np.isin(made.values[new], MARKS).all()
    assert (
        made.lengths <= Fim().bound(tokens.lengths, SelectionBound(*[tokens.lengths] * 3))
    ).all()


@given(texts, seeds, shares, shares)
def test_characters_equal_to_the_reference(
    rows: list[list[int]], seed: int, rate: float, spm: float
) -> None:
    tokens = batch(rows)
    part = Fim(rate, spm, "character")
    made = write(part, tokens, TEXTUAL, seed)
    assert made.to_lists() == [
        twin.fim(ref.Sample(seed, 2, key), row, free_of(row), rate, spm, MARKS, TEXT)
        for key, row in enumerate(rows)
    ]
    assert (made.lengths <= part.bound(tokens.lengths, SelectionBound(*[tokens.lengths] * 3))).all()
    kept = made.sources >= 0
    assert (made.values[kept] == tokens.ids[made.sources[kept]]).all()


def parts_of(row: list[int]) -> tuple[list[int], list[int], list[int]]:
    a, b, c = (row.index(mark) for mark in (PREFIX, SUFFIX, MIDDLE))
    return row[a + 1 : b], row[c + 1 :], row[b + 1 : c]


def test_cuts_are_uniform_and_independent() -> None:
    # Of two cuts on 0 … 3, each pair a < b has 2/16 and each a = b has 1/16.
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


def test_cuts_between_characters_are_uniform() -> None:
    # "the" is one token of three characters: 16 pairs of cuts, few of them at its ends.
    samples = 20_000
    tokens = TokenBatch.from_flat(np.full(samples, 41), np.arange(samples + 1), range(samples))
    rows = write(Fim(1.0, 0.0, "character"), tokens, TEXTUAL).to_lists()
    seen = Counter(tuple(map(CODEC.decode, parts_of(row)[:2])) for row in rows)
    pairs = [(a, b) for a in range(4) for b in range(a, 4)]
    expected = {("the"[:a], "the"[a:b]): 0 for a, b in pairs}
    for a, b in pairs:
        expected["the"[:a], "the"[a:b]] += 1 + (a < b)
    assert set(seen) == set(expected)
    assert fits([seen[key] for key in expected], list(expected.values()))


def test_both_orders_of_the_parts() -> None:
    for spm, marks in ((0.0, [PREFIX, SUFFIX, MIDDLE]), (1.0, [PREFIX, SUFFIX, MIDDLE])):
        for row in write(Fim(1.0, spm), batch([[5, 6, 7, 8, 9]] * 50)).to_lists():
            assert [token for token in row if token in MARKS] == marks
            p, m, s = parts_of(row)
            assert p + m + s == [5, 6, 7, 8, 9]
            assert not (spm and p)


def test_what_stands_around_stays_outside() -> None:
    tokens = batch([[2, 1, 5, 3, 6, 3, 0]] * 60, protected=[[0] * 6 + [1]] * 60)
    for row in write(Fim(1.0, 0.0), tokens).to_lists():
        assert row[:3] == [2, 1, PREFIX]
        assert row[-2:] == [3, 0]
        p, m, s = parts_of(row[:-2])
        assert p + m + s == [5, 3, 6]
        assert (p, m, s) != ([5, 3], [6], []), "a special token goes with what follows it"


def test_specials_and_empty_rows_are_left_alone() -> None:
    rows = [[2, 3], [], [59], [5], [2, 3]]
    made = write(Fim(1.0, 0.0), batch(rows)).to_lists()
    assert [made[i] for i in (0, 1, 2, 4)] == [rows[i] for i in (0, 1, 2, 4)]
    assert sorted(made[3]) == [5, *sorted(MARKS)]
    assert write(Fim(1.0), batch([])).to_lists() == []
    assert write(Fim(1.0, level="character"), batch([]), TEXTUAL).to_lists() == []


class Stripping(Greedy):
    """Like tokenizers that lose something: the text never begins with an "a"."""

    def decode(self, ids: Any) -> str:
        return super().decode(ids).removeprefix("a")


class Broken(Greedy):
    """Decodes bytes that are no text."""

    def decode(self, ids: Any) -> str:
        return super().decode(ids).replace("b", "\ufffd")


class Verbose(Greedy):
    """Encodes letter by letter."""

    def encode(self, text: str) -> list[int]:
        return [i for letter in text for i in super(Verbose, self).encode(letter)]


class Unknowing(Greedy):
    """Encodes a letter as the unknown token, and still decodes it."""

    def encode(self, text: str) -> list[int]:
        return [59 if i == 5 else i for i in super().encode(text)]

    def decode(self, ids: Any) -> str:
        return super().decode([5 if i == 59 else i for i in ids])


class Blanks(Greedy):
    """Like SentencePiece: what is decoded side by side gets blanks that no part had."""

    def decode(self, ids: Any) -> str:
        joined = super().decode(ids)
        return joined.replace("ab", "a b") if len(ids) > 1 and 31 not in ids else joined


@pytest.mark.parametrize(
    ("codec", "row", "spm"),
    [
        (Stripping(), [6, 5, 6, 5, 6, 5, 7], 0.0),
        (Broken(), [6, 5, 7], 0.0),
        (Verbose(), [31] * 17, 0.0),
        (Unknowing(), [6, 5, 7], 0.0),
        (Blanks(), [31], 1.0),
        (Greedy(), [31, 3, 31], 0.5),
    ],
)
def test_texts_that_would_change_are_cut_between_tokens(codec: Any, row: Any, spm: float) -> None:
    vocab = replace(TEXTUAL, codec=codec)
    tokens = batch([row] * 300)
    by_tokens = write(Fim(1.0, spm), tokens).to_lists()
    by_texts = write(Fim(1.0, spm, "character"), tokens, vocab).to_lists()
    same = [a == b for a, b in zip(by_tokens, by_texts, strict=True)]
    some = isinstance(codec, Stripping)  # whose row some cuts would change, and some not
    assert 0 < sum(same) < 300 if some else all(same)
    for made in by_texts:
        assert 59 not in made
        parts = [[i for i in part if i != 3] for part in parts_of(made)]
        text = Greedy().decode([i for i in row if i != 3])
        assert "".join(map(Greedy().decode, parts)) == text
        # What stands side by side is decoded together: "a" and "b" must not become "a b".
        assert codec.decode([i for part in parts for i in part]) == codec.decode(
            [i for i in row if i != 3]
        )


def test_characters_need_a_codec() -> None:
    with pytest.raises(VocabularyError, match=r'give it a codec .* or choose level="token"'):
        write(Fim(level="character"), batch([[5]]))


def test_marks_are_named_or_given_by_id() -> None:
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
