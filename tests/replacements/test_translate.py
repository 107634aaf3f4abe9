"""Tests of dictionaries and the replacement ``translate``."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Ragged, Rng, Selection, SelectionBound, Vocabulary, units
from maskplug.errors import OptionError, VocabularyError
from maskplug.preprocessing.resource import Resource
from maskplug.replacements import Translate
from maskplug.replacements.dictionary import Dictionary, read
from maskplug.types import offsets_of
from support.batches import VOCAB, batch, fits
from support.cases import RICH
from support.denoising import DICTIONARY, WORDS

FILE = Resource.of(DICTIONARY)


def test_files_are_read_once_and_duplicate_lines_ignored() -> None:
    words = read(FILE)
    assert words is read(Resource.of(str(DICTIONARY)))
    assert words.words.to_lists() == [list(word) for word in WORDS]
    choices = np.split(np.arange(len(words.translations)), words.offsets[1:-1])
    lists = words.translations.to_lists()
    assert [[lists[i] for i in indices] for indices in choices] == list(WORDS.values())
    assert words.lines.tolist() == [1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    "line",
    ["5", "5 6", "5\t", "\t5", "5\t6\t7", "a\t5", "5\t-6", "5\t6.0", "５\t6", "9" * 30 + "\t1"],
)
def test_bad_files_raise(tmp_path: Path, line: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(f"1\t2\n{line}\n", encoding="utf-8")
    with pytest.raises(OptionError, match=r"words.tsv, line 2: .*not of the form"):
        Translate(Resource.of(path))
    path.write_text("\n \n")
    with pytest.raises(OptionError, match=r"words.tsv holds no words"):
        Translate(Resource.of(path))


def test_changed_file_raises(tmp_path: Path) -> None:
    path = tmp_path / "words.tsv"
    path.write_text("1\t2\n")
    named = Resource.of(path)
    path.write_text("1\t3\n")
    with pytest.raises(OptionError, match="has changed"):
        Translate(named)


def test_translations_must_be_ordinary_tokens() -> None:
    tokens = batch([[6, 7]])
    small = Vocabulary(size=25, word_start=np.arange(25) % 2 == 0)
    masked = Vocabulary(size=60, mask_id=21, word_start=np.arange(60) % 2 == 0)
    for vocab, line, wrong in ((small, 2, 30), (masked, 1, 21)):
        with pytest.raises(VocabularyError, match=f"tsv, line {line}: the id {wrong} is"):
            Translate(FILE).replace(
                tokens, units(tokens, VOCAB, "word"), vocab, Rng.at(1, 0, tokens.keys)
            )


def test_translations_are_uniform_and_other_words_stay() -> None:
    tokens = batch([[2, 6, 7, 12, 8, 3]] * 4_000)
    rng = Rng.at(1, 0, tokens.keys)
    part = Translate(FILE)
    out = part.replace(tokens, units(tokens, RICH, "word"), RICH, rng)
    kinds = {(2, 20, 21, 22, 12, 12, 3), (2, 30, 12, 12, 3)}
    seen = [tuple(row) for row in out.to_lists()]
    assert set(seen) == kinds
    assert fits([seen.count(kind) for kind in kinds], np.ones(2))
    kept = out.sources >= 0
    assert (out.values[kept] == tokens.ids[out.sources[kept]]).all()
    assert kept.sum() == 3 * 4_000  # the special tokens, and the word that is not there


def test_bounds_follow_the_longest_translation() -> None:
    lengths = np.array([4, 0])
    bound = Translate(FILE).bound(lengths, SelectionBound(lengths, lengths, np.zeros_like(lengths)))
    assert bound.tolist() == [6, 0]  # 6 7 -> 20 21 22


dictionaries = st.lists(
    st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=60, unique_by=tuple
)


@given(dictionaries, st.lists(st.integers(0, 9), max_size=40), st.data())
def test_find_matches_exact_ids(words: list[list[int]], row: list[int], data: Any) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(row)))) | {0, len(row)})
    spans = list(pairwise(cuts))
    starts = np.array([a for a, _ in spans], np.int64)
    lengths = np.array([b - a for a, b in spans], np.int64)
    tokens = batch([row])
    selection = Selection(starts, lengths, np.array([0, len(spans)]), len(row))
    table = Ragged.of(words)
    dictionary = Dictionary(table, table, offsets_of(np.ones(len(words))), np.arange(len(words)))
    expected = [words.index(row[a:b]) if row[a:b] in words else -1 for a, b in spans]
    assert dictionary.find(tokens, selection).tolist() == expected
