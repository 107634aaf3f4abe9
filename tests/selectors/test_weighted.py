"""Tokens by their scores: from files and layers, exact and one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng
from maskplug.errors import OptionError, TokenError, VocabularyError
from maskplug.preprocessing.resource import Resource
from maskplug.selectors import Exact, Weighted
from maskplug.selectors.scores import raised
from support import reference as ref
from support import reference_masked_lm as own
from support.batches import ORDINARY, SIZE, VOCAB, batch, equal_rows, fits, likely, ragged, seeds

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


def scored(rows: list[list[int]], annotations: list[list[float]]) -> maskplug.TokenBatch:
    return batch(rows, scores=[np.array(layer, float) for layer in annotations])


@st.composite
def with_scores(draw: st.DrawFn, most: float) -> tuple[list[list[int]], list[list[float]]]:
    rows = draw(ragged())
    score = st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, most))
    return rows, [draw(st.lists(score, min_size=len(r), max_size=len(r))) for r in rows]


def expected_by_reference(
    rows: list[list[int]],
    annotations: list[list[float]],
    seed: int,
    power: float,
    rate: float | None,
) -> list[int]:
    found, start = [], 0
    for i, (row, layer) in enumerate(zip(rows, annotations, strict=True)):
        free = [j for j, token in enumerate(row) if not VOCAB.special[token]]
        weights = [own.raised(layer[j], power) for j in free]
        sample = ref.Sample(seed, 2, i)
        if rate is None:
            chosen = own.by_score(sample, weights)
        else:
            budget = sample.budget(rate, len(free))
            chosen = own.weighted(sample.stream("weighted"), weights, budget)
        found += [start + j for j, one in zip(free, chosen, strict=True) if one]
        start += len(row)
    return found


@given(with_scores(1e6), seeds, st.floats(0, 1), st.sampled_from([1.0, -0.5, 0.75, 2.0, 0.3, 0.0]))
def test_exact_bit_for_bit(drawn: Any, seed: int, rate: float, power: float) -> None:
    rows, annotations = drawn
    tokens = scored(rows, annotations)
    selector = Weighted(power=power, rate=rate)
    mask = selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys)).mask
    assert np.flatnonzero(mask).tolist() == expected_by_reference(
        rows, annotations, seed, power, rate
    )


@given(with_scores(1.0), seeds, st.sampled_from([1.0, 2.0, 0.5]))
def test_one_by_one_bit_for_bit(drawn: Any, seed: int, power: float) -> None:
    rows, annotations = drawn
    tokens = scored(rows, annotations)
    selector = Weighted(power=power, exact=False)
    mask = selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys)).mask
    assert np.flatnonzero(mask).tolist() == expected_by_reference(
        rows, annotations, seed, power, None
    )


@given(st.one_of(st.just(0.0), st.floats(1e-30, 1e30)), st.floats(-4, 4))
def test_powers(value: float, power: float) -> None:
    got = float(raised(np.array([value]), power)[0])
    assert got == own.raised(value, power)
    base = 1.0 if value == 0 and power < 0 else value
    rounded = round(abs(power) * 65536) / 65536 * (1 if power >= 0 else -1)
    assert got == pytest.approx(base**rounded, rel=1e-12)


@pytest.mark.parametrize(
    ("power", "value", "expected"),
    [(1.0, 0.1, 0.1), (-0.5, 16.0, 0.25), (0.75, 16.0, 8.0), (0.0, 5.0, 1.0), (-1.0, 0.0, 1.0)],
)
def test_powers_that_are_exact(power: float, value: float, expected: float) -> None:
    assert raised(np.array([value]), power).tolist() == [expected]


def test_equal_scores_are_no_scores(table: Any) -> None:
    samples = 20_000
    tokens = equal_rows(samples, 6)
    selector = Weighted(table([0.37] * SIZE), rate=0.5)
    mask = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys)).mask.reshape(-1, 6)
    codes = np.bincount(mask @ (1 << np.arange(6)), minlength=64)
    three = [code for code in range(64) if code.bit_count() == 3]
    assert codes[three].sum() == samples
    assert fits(codes[three], np.ones(20))


def test_the_budget_is_that_of_exact(table: Any) -> None:
    tokens = equal_rows(500, 37)
    rng = Rng.at(1, 0, tokens.keys)
    selector = Weighted(table(range(SIZE)), rate=0.3)
    exact = Exact(0.3).select(tokens, VOCAB, rng)
    assert selector.select(tokens, VOCAB, rng).counts.tolist() == exact.counts.tolist()


def test_single_draws_are_in_proportion_to_the_weights(table: Any) -> None:
    counts = np.zeros(SIZE)
    counts[[5, 7, 9, 11]] = [1, 4, 16, 64]
    tokens = batch([[5, 7, 9, 11]] * N)
    selector = Weighted(table(counts), power=-0.5, rate=0.25)
    chosen = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys)).starts % 4
    assert fits(np.bincount(chosen, minlength=4), [8, 4, 2, 1])


def test_one_by_one_with_its_score(table: Any) -> None:
    scores = np.zeros(SIZE)
    scores[[5, 7, 9, 11]] = [0.0, 0.1, 0.5, 1.0]
    tokens = batch([[5, 7, 9, 11]] * N)
    selector = Weighted(table(scores), exact=False)
    mask = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys)).mask.reshape(N, 4)
    assert not mask[:, 0].any()
    assert mask[:, 3].all()
    assert likely(mask[:, 1].sum(), N, 0.1)
    assert likely(mask[:, 2].sum(), N, 0.5)
    assert likely((mask[:, 1] & mask[:, 2]).sum(), N, 0.05)


def test_one_by_one_never_nothing(table: Any) -> None:
    scores = np.full(SIZE, 0.01)
    scores[7] = 0.03
    tokens = batch([[5, 7]] * N)
    selector = Weighted(table(scores), exact=False)
    mask = selector.select(tokens, VOCAB, Rng.at(1, 0, tokens.keys)).mask.reshape(N, 2)
    assert mask.any(axis=1).all()
    assert likely(mask[:, 1].sum(), N, 0.03 + 0.97 * 0.99 * 0.75)


def test_npy_and_text_are_the_same_scores(table: Any) -> None:
    values = np.arange(SIZE) / 7
    text = Weighted(table([float(value) for value in values]))
    array = Weighted(table(values, "scores.npy"))
    tokens = equal_rows(50, 20)
    rng = Rng.at(1, 0, tokens.keys)
    masks = [one.select(tokens, VOCAB, rng).mask.tolist() for one in (text, array)]
    assert masks[0] == masks[1]


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
def test_wrong_counts(table: Any, count: int, message: str) -> None:
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


def test_what_is_no_array(tmp_path: Path) -> None:
    path = tmp_path / "broken.npy"
    path.write_bytes(b"no array")
    with pytest.raises(OptionError, match=r"broken\.npy is no \.npy file of numbers"):
        Weighted(Resource.of(path))


@pytest.mark.parametrize(
    ("layer", "options", "message"),
    [
        (None, {}, "'weighted@1' reads the annotation 'scores', one value for each token"),
        ([1.0, -2.0], {}, r"sample 0, position 1 has -2.0"),
        ([float("nan"), 1.0], {}, "sample 0, position 0 has nan"),
        ([1.0, float("inf")], {}, "position 1 has inf"),
        ([0.5, 2.0], {"exact": False}, "holds probabilities; sample 0, position 1 has 2.0"),
    ],
)
def test_bad_layers(layer: Any, options: dict[str, Any], message: str) -> None:
    annotations = {} if layer is None else {"scores": [layer]}
    with pytest.raises(TokenError, match=message):
        maskplug.strategy("weighted", **options)(batch([[5, 6]], **annotations), VOCAB)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 2.0}, "'rate' is 2.0"),
        ({"power": float("nan")}, "'power' is nan; it must be a number from -64 to 64"),
        ({"power": 65.0}, "'power' is 65.0"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Weighted(**options)


def test_it_says_what_it_reads(table: Any) -> None:
    assert maskplug.strategy("weighted").required_annotations == ("scores",)
    file = table([1.0] * SIZE)
    assert maskplug.strategy("weighted", scores=file.path).required_annotations == ()
    for exact in (True, False):
        maskplug.strategy("weighted", exact=exact).dry_run(VOCAB)


def test_the_fingerprint_is_that_of_the_content(table: Any) -> None:
    one = maskplug.strategy("weighted", scores=table([1.0] * SIZE, "a.txt").path)
    same = maskplug.strategy("weighted", scores=table([1.0] * SIZE, "b.txt").path)
    other = maskplug.strategy("weighted", scores=table([2.0] * SIZE, "c.txt").path)
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_scores_of_one_word_do_not_move_the_draws_of_specials() -> None:
    row = ORDINARY[:12]
    scores = [float(i) for i in range(12)]
    bare = scored([row], [scores])
    dressed = scored([[2, *row, 3, 0]], [[99.0, *scores, 99.0, 99.0]])
    strategy = maskplug.strategy("weighted", rate=0.4)
    masks = [strategy(tokens, VOCAB, seed=3).selection.mask for tokens in (bare, dressed)]
    assert masks[1].tolist() == [False, *masks[0].tolist(), False, False]
