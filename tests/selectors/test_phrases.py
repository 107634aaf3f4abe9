"""Tests of the selector ``phrases``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng
from maskplug.errors import OptionError, VocabularyError
from maskplug.preprocessing.resource import Resource
from maskplug.selectors import Phrases
from support import reference as ref
from support import reference_masked_lm as mlm_ref
from support.batches import VOCAB, batch, fits, likely, ragged, seeds

N = 6_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("phrases")


def phrases(folder: Path, *entries: list[int], rate: float = 0.15) -> Phrases:
    lines = [" ".join(map(str, entry)) for entry in entries]
    path = folder / f"{len(list(folder.iterdir()))}.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return Phrases(Resource.of(path), rate)


def units_of(selector: Phrases, row: list[int], samples: int = 1) -> list[list[list[int]]]:
    tokens = batch([row] * samples)
    units = selector.units(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    spans = [
        tokens.ids[start : start + length].tolist()
        for start, length in zip(units.starts, units.lengths, strict=True)
    ]
    return [spans[a:b] for a, b in zip(units.offsets, units.offsets[1:], strict=False)]


# Few ids, so that phrases occur: 6, 8, 10 start words, 7 and 9 continue them.
small = st.sampled_from([6, 7, 8, 9, 10, 10, 3])
entries = st.lists(st.lists(st.sampled_from([6, 7, 8, 9, 10]), min_size=1, max_size=6), max_size=12)


@given(
    st.lists(st.lists(small, max_size=25), max_size=4), entries, seeds, st.floats(0, 1), ragged(2)
)
def test_matches_reference(
    folder: Path,
    rows: list[list[int]],
    listed: list[list[int]],
    seed: int,
    rate: float,
    others: list[list[int]],
) -> None:
    rows = [*rows, *others]
    tokens = batch(rows)
    selector = phrases(folder, *listed, rate=rate)
    selection = selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))
    got = [
        list(range(start, start + length))
        for start, length in zip(selection.starts, selection.lengths, strict=True)
    ]
    expected = []
    for i, row in enumerate(rows):
        free = [j for j, token in enumerate(row) if not VOCAB.special[token]]
        groups = ref.word_groups(free, {j for j, token in enumerate(row) if token % 2 == 0})
        sample = ref.Sample(seed, 2, i)
        segments = mlm_ref.segmented(sample.words("phrases", len(groups)), groups, row, listed)
        chosen = ref.words_to_budget(
            sample.words("words", len(segments)),
            sample.words("words", 1, 1)[0],
            [len(unit) for unit in segments],
            sample.budget(rate, len(free)),
        )
        taken = [unit for unit, one in zip(segments, chosen, strict=True) if one]
        expected += [[int(tokens.offsets[i]) + j for j in unit] for unit in taken]
    assert got == expected


def test_longest_entry_wins(folder: Path) -> None:
    selector = phrases(folder, [6, 8], [8, 10], [6, 8, 10])
    assert units_of(selector, [12, 6, 8, 10, 14]) == [[[12], [6, 8, 10], [14]]]
    assert units_of(selector, [6, 8, 12]) == [[[6, 8], [12]]]


def test_phrases_match_word_boundaries(folder: Path) -> None:
    selector = phrases(folder, [7, 8], [6, 7, 8], [10, 12])
    assert units_of(selector, [6, 7, 8]) == [[[6, 7, 8]]]
    assert units_of(selector, [6, 7, 8, 9]) == [[[6, 7], [8, 9]]]
    assert units_of(selector, [4, 7, 8]) == [[[7, 8]]]  # a word that begins behind a special
    assert units_of(selector, [6, 7, 7, 8]) == [[[6, 7, 7], [8]]]
    assert units_of(selector, [10, 12, 13]) == [[[10], [12, 13]]]


def test_phrases_do_not_cross_special_tokens_or_rows(folder: Path) -> None:
    selector = phrases(folder, [6, 8])
    assert units_of(selector, [6, 3, 8, 6]) == [[[6], [8], [6]]]
    tokens = batch([[6], [8], [6, 8]])
    units = selector.units(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    assert units.lengths.tolist() == [1, 1, 2]


def test_one_of_overlapping_phrases_is_drawn(folder: Path) -> None:
    drawn = Counter(str(row) for row in units_of(phrases(folder, [6, 8], [8, 10]), [6, 8, 10], N))
    assert set(drawn) == {"[[6, 8], [10]]", "[[6], [8, 10]]"}
    assert likely(drawn["[[6, 8], [10]]"], N, 0.5)


def test_three_overlapping_phrases(folder: Path) -> None:
    # The middle phrase is first in a third of the orders, and excludes both others.
    selector = phrases(folder, [6, 8], [8, 10], [10, 12])
    drawn = Counter(str(row) for row in units_of(selector, [6, 8, 10, 12], N))
    both, middle = "[[6, 8], [10, 12]]", "[[6], [8, 10], [12]]"
    assert set(drawn) == {both, middle}
    assert likely(drawn[both], N, 2 / 3)


def test_draws_depend_on_the_sample_only(folder: Path) -> None:
    selector = phrases(folder, [6, 8], [8, 10])
    row = [2, 6, 8, 10, 3]
    once = units_of(selector, row, 40)
    assert once == units_of(selector, row, 40)
    alone = batch([row], keys=[17])
    units = selector.units(alone, VOCAB, Rng.at(1, 0, alone.keys))
    assert units.lengths.tolist() == [len(unit) for unit in once[17]]


def test_whole_units_are_selected_up_to_the_budget(folder: Path) -> None:
    row = [6, 8, 10, 12, 13, 14, 16, 18] * 5
    selector = phrases(folder, [6, 8, 10], [12, 13, 14], rate=0.3)
    tokens = batch([row] * N)
    mask = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys)).mask.reshape(N, 5, 8)
    for unit in (slice(0, 3), slice(3, 6)):
        part = mask[:, :, unit]
        assert (part.any(axis=2) == part.all(axis=2)).all()
    counts = mask.sum(axis=(1, 2))
    assert abs(counts - 12).max() <= 2
    assert abs(counts.mean() - 12) < 4 * max(counts.std() / np.sqrt(N), 1e-3)


def test_phrases_and_words_are_equally_likely(folder: Path) -> None:
    selector = phrases(folder, [6, 8], [10, 12], rate=0.05)
    tokens = batch([[6, 8, 10, 12, 14, 16]] * N)
    units = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    assert set(units.counts.tolist()) == {1}
    firsts = np.bincount(units.starts % 6, minlength=6)
    assert fits(firsts[[0, 2, 4, 5]], np.ones(4))


def test_replacement_is_decided_per_phrase(folder: Path) -> None:
    path = phrases(folder, [6, 8, 10]).ngrams.path
    strategy = maskplug.strategy("pmi", ngrams=path, rate=1.0, mask=0.5, random=0.0)
    masked = strategy(batch([[6, 8, 10]] * N), VOCAB, seed=1)
    hidden = (masked.inputs.values == 4).reshape(N, 3)
    assert (hidden.all(axis=1) == hidden.any(axis=1)).all()
    assert likely(hidden[:, 0].sum(), N, 0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("6 8\nsix eight\n", r"bad\.txt, line 2: 'six eight' is no n-gram"),
        ("6 8\n\n7 9\n", r"line 2: '' is no n-gram \(an n-gram has one or more ids"),
        ("6 -8\n", r"line 1: .* none of them negative"),
        ("6 8\thigh\n", r"line 1: .*could not convert string to float: 'high'"),
        (b"6 8\n\xff\n", r"bad\.txt, line 2: not UTF-8"),
    ],
)
def test_bad_files(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("pmi", ngrams=path)


def test_scores_and_empty_files_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "scored.txt"
    path.write_text("6 8\t3.25\n10 12\t-1e-3\n")
    assert units_of(Phrases(Resource.of(path)), [6, 8, 10]) == [[[6, 8], [10]]]
    path = tmp_path / "empty.txt"
    path.write_text("")
    assert units_of(Phrases(Resource.of(path)), [6, 7, 8]) == [[[6, 7], [8]]]


def test_ids_outside_the_vocabulary_raise(folder: Path) -> None:
    selector = phrases(folder, [6, 8], [8, 60])
    with pytest.raises(VocabularyError, match=r"line 2: id 60 .* from 0 to 59; was the list made"):
        units_of(selector, [6, 8])


def test_missing_file_raises_with_its_path() -> None:
    with pytest.raises(OptionError, match=r"nowhere\.txt cannot be read"):
        maskplug.strategy("pmi", ngrams="nowhere.txt")
