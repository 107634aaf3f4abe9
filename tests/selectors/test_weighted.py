"""Tests of the selector ``weighted``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug.errors import OptionError, TokenError, VocabularyError
from maskplug.preprocessing.resource import Resource
from maskplug.selectors import Weighted
from maskplug.selectors.weighted import raised
from support import reference_masked_lm as mlm_ref
from support.batches import SIZE, VOCAB, batch, equal_rows, fits, likely, masks, select, uniform

N = 10_000


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def write(values: Any, name: str = "scores.txt") -> Resource:
        path = tmp_path / name
        if name.endswith(".npy"):
            np.save(path, np.asarray(values))
        else:
            path.write_text("".join(f"{value}\n" for value in values))
        return Resource.of(path)

    return write


@given(st.one_of(st.just(0.0), st.floats(1e-30, 1e30)), st.floats(-4, 4))
def test_powers(value: float, power: float) -> None:
    got = float(raised(np.array([value]), power)[0])
    assert got == mlm_ref.raised(value, power)
    base = 1.0 if value == 0 and power < 0 else value
    rounded = round(abs(power) * 65536) / 65536 * (1 if power >= 0 else -1)
    assert got == pytest.approx(base**rounded, rel=1e-12)


def test_equal_scores_select_uniformly(table: Any) -> None:
    assert uniform(masks(Weighted(table([0.37] * SIZE), rate=0.5), 20_000, 6), 20)


def test_single_draws_follow_the_weights(table: Any) -> None:
    counts = np.zeros(SIZE)
    counts[[5, 7, 9, 11]] = [1, 4, 16, 64]
    tokens = batch([[5, 7, 9, 11]] * N)
    selector = Weighted(table(counts), power=-0.5, rate=0.25)
    chosen = select(selector, tokens).starts % 4
    assert fits(np.bincount(chosen, minlength=4), [8, 4, 2, 1])


def test_independent_probability_is_the_score(table: Any) -> None:
    scores = np.zeros(SIZE)
    scores[[5, 7, 9, 11]] = [0.0, 0.1, 0.5, 1.0]
    tokens = batch([[5, 7, 9, 11]] * N)
    selector = Weighted(table(scores), exact=False)
    mask = select(selector, tokens).mask.reshape(N, 4)
    assert not mask[:, 0].any()
    assert mask[:, 3].all()
    assert likely(mask[:, 1].sum(), N, 0.1)
    assert likely(mask[:, 2].sum(), N, 0.5)
    assert likely((mask[:, 1] & mask[:, 2]).sum(), N, 0.05)


def test_independent_selects_at_least_one(table: Any) -> None:
    scores = np.full(SIZE, 0.01)
    scores[7] = 0.03
    tokens = batch([[5, 7]] * N)
    selector = Weighted(table(scores), exact=False)
    mask = select(selector, tokens).mask.reshape(N, 2)
    assert mask.any(axis=1).all()
    assert likely(mask[:, 1].sum(), N, 0.03 + 0.97 * 0.99 * 0.75)


def test_npy_and_text_files_are_equivalent(table: Any) -> None:
    values = np.arange(SIZE) / 7
    text = Weighted(table([float(value) for value in values]))
    array = Weighted(table(values, "scores.npy"))
    assert (masks(text, 50, 20) == masks(array, 50, 20)).all()


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["1", "nan", "2"], {}, r"scores\.txt, line 2: nan is no score"),
        (["1", "2", "-0.5"], {}, r"line 3: -0.5 is no score"),
        (["inf"], {}, r"line 1: inf is no score"),
        (["1", "", "2"], {}, r"line 2: '' is no number"),
        (["1", "two"], {}, r"line 2: 'two' is no number"),
        (["0.5", "1.5"], {"exact": False}, r"line 2: 1.5 .* a probability, from 0 to 1"),
        (["1", "1e200"], {"power": 2.0}, r"line 2: 1e\+200 to the power 2.0 is inf"),
    ],
)
def test_bad_scores(table: Any, lines: list[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("weighted", scores=table(lines).path, **options)


@pytest.mark.parametrize(
    ("count", "message"),
    [(59, "59 scores .* 60 ids: line 60 is missing"), (61, "line 61 is one too many")],
)
def test_wrong_number_of_scores_raises(table: Any, count: int, message: str) -> None:
    with pytest.raises(VocabularyError, match=message):
        maskplug.strategy("weighted", scores=table([1] * count).path)(equal_rows(1, 5), VOCAB)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([0.5, -1.0]), r"scores\.npy, entry 2: -1.0 is no score"),
        (np.ones((2, 2)), r"float64 of shape \(2, 2\); scores are one row"),
        (np.array(["a"]), "scores are one row of numbers"),
    ],
)
def test_bad_arrays(table: Any, array: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Weighted(table(array, "scores.npy"))


def test_invalid_npy_raises(tmp_path: Path) -> None:
    path = tmp_path / "broken.npy"
    path.write_bytes(b"no array")
    with pytest.raises(OptionError, match=r"broken\.npy is no \.npy file of numbers"):
        Weighted(Resource.of(path))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (None, {}, "'weighted@1' requires the annotation 'scores', one value per token"),
        ([1.0, -2.0], {}, r"sample 0, position 1 has -2.0"),
        ([float("nan"), 1.0], {}, "sample 0, position 0 has nan"),
        ([1.0, float("inf")], {}, "position 1 has inf"),
        ([0.5, 2.0], {"exact": False}, "must hold probabilities; sample 0, position 1 has 2.0"),
    ],
)
def test_bad_annotations(values: Any, options: dict[str, Any], message: str) -> None:
    annotations = {} if values is None else {"scores": [values]}
    with pytest.raises(TokenError, match=message):
        maskplug.strategy("weighted", **options)(batch([[5, 6]], **annotations), VOCAB)


def test_required_annotations(table: Any) -> None:
    assert maskplug.strategy("weighted").required_annotations == ("scores",)
    file = table([1.0] * SIZE)
    assert maskplug.strategy("weighted", scores=file.path).required_annotations == ()
    for exact in (True, False):
        maskplug.strategy("weighted", exact=exact).dry_run(VOCAB)


def test_fingerprint_depends_on_content(table: Any) -> None:
    one = maskplug.strategy("weighted", scores=table([1.0] * SIZE, "a.txt").path)
    same = maskplug.strategy("weighted", scores=table([1.0] * SIZE, "b.txt").path)
    other = maskplug.strategy("weighted", scores=table([2.0] * SIZE, "c.txt").path)
    assert one.fingerprint == same.fingerprint != other.fingerprint
