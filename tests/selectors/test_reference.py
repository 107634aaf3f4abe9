"""Selectors match their scalar references and stay within their bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.selectors import (
    BertBudget,
    BlockNoise,
    ByLanguage,
    Exact,
    Fragment,
    Hard,
    Independent,
    MeanSpans,
    Ngrams,
    Noise,
    Phrases,
    Salient,
    ScheduledNoise,
    Suffix,
    UniformNoise,
    Weighted,
    Words,
)
from maskplug.selectors.ngrams import Law
from maskplug.selectors.scheduled_noise import NoiseSchedule
from support import reference as ref
from support import reference_adaptive as adaptive_ref
from support import reference_diffusion as diffusion_ref
from support import reference_masked_lm as mlm_ref
from support import reference_t5 as t5_ref
from support.batches import (
    MASK,
    PAD,
    SPECIAL,
    VOCAB,
    batch,
    ngram_file,
    ragged,
    rows,
    seeds,
    select,
)
from support.reference import Sample
from support.t5_rows import positions

Row = list[int]
Values = list[Any]
#: Spans as lists of positions in their row.
Spans = Iterable[list[int]]

rates = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
any_unit = st.sampled_from(["token", "word"])
#: Few ids, so that phrases occur: 6, 8, 10 start words, 7 and 9 continue them.
phrase_rows = st.lists(st.sampled_from([6, 7, 8, 9, 10, 10, 3]), max_size=25)
phrase_lists = st.lists(
    st.lists(st.integers(6, 10), min_size=1, max_size=6).map(tuple), max_size=12
)


@dataclass(frozen=True)
class Case:
    """A selector, random options, its reference, and random values of its annotations."""

    selector: Callable[..., Any]
    options: dict[str, st.SearchStrategy[Any]]
    reference: Callable[..., Spans]
    annotations: dict[str, st.SearchStrategy[Any]] = field(default_factory=dict)
    rows: st.SearchStrategy[list[Row]] = ragged()  # noqa: RUF009 - strategies are not changed


def units_of(row: Row, unit: str = "token") -> list[list[int]]:
    return ref.units_of(row, VOCAB.special, unit)


def exact(sample: Sample, row: Row, rate: float, unit: str) -> Spans:
    units = units_of(row, unit)
    drawn = sample.words("exact", len(units))
    return compress(units, ref.exact(drawn, sample.budget(rate, len(units))))


def independent(sample: Sample, row: Row, rate: float, unit: str, **ones: bool) -> Spans:
    units = units_of(row, unit)
    drawn = sample.words("independent", len(units))
    return compress(units, ref.independent(drawn, ref.threshold(rate), **ones))


def until_spent(
    sample: Sample, purpose: str, units: list[list[int]], rate: float, available: int
) -> Spans:
    drawn, last = sample.words(purpose, len(units)), sample.words(purpose, 1, 1)[0]
    budget = sample.budget(rate, available)
    return compress(units, ref.words_to_budget(drawn, last, list(map(len, units)), budget))


def words(sample: Sample, row: Row, rate: float) -> Spans:
    return until_spent(sample, "words", units_of(row, "word"), rate, len(units_of(row)))


def bert_budget(sample: Sample, row: Row, rate: float, max_predictions: int, unit: str) -> Spans:
    units = units_of(row, unit)
    length = sum(token != PAD for token in row)
    budget = mlm_ref.bert_budget(length, rate, max_predictions)
    if unit == "token":
        drawn = sample.words("exact", len(units))
        return compress(units, ref.exact(drawn, min(budget, len(units))))
    drawn = sample.words("bert words", len(units))
    return compress(units, mlm_ref.words_within(drawn, list(map(len, units)), budget))


def by_language(sample: Sample, row: Row, languages: Values, rate: float) -> Spans:
    units = units_of(row)
    drawn = sample.words("by language", len(units))
    of_units = [languages[unit[0]] for unit in units]
    return compress(units, mlm_ref.in_segments(drawn, of_units, ref.threshold(rate)))


def ngrams(sample: Sample, row: Row, rate: float, law: str, max_n: int, unit: str) -> Spans:
    units = units_of(row, unit)
    return ref.joined(mlm_ref.ngrams(sample, rate, len(units), law, max_n), units)


def phrases(sample: Sample, row: Row, rate: float, ngrams: tuple[tuple[int, ...], ...]) -> Spans:
    groups, drawn = units_of(row, "word"), sample.words("phrases", len(units_of(row, "word")))
    units = mlm_ref.segmented(drawn, groups, row, list(map(list, ngrams)))
    return until_spent(sample, "words", units, rate, len(units_of(row)))


def salient(
    sample: Sample, row: Row, numbers: Values, spans: int, rate: float | None, otherwise: str
) -> Spans:
    free = [position for [position] in units_of(row)]
    marked = [i for i in free if numbers[i]]
    units = ref.word_groups(marked, {i for i in marked if not i or numbers[i] != numbers[i - 1]})
    if units and rate is not None:
        return until_spent(sample, "salient", units, rate, len(free))
    if units:
        drawn = sample.words("salient", len(units))
        return compress(units, ref.exact(drawn, min(spans, len(units))))
    others = units_of(row, "word")
    share = 0.15 if rate is None else rate
    drawn_spans = ref.spans(sample, share, len(others), 0.2, 10)
    return ref.joined(drawn_spans, others) if otherwise == "span" else []


def weighted(
    sample: Sample, row: Row, scores: Values, power: float, rate: float, exact: bool
) -> Spans:
    units = units_of(row)
    weights = [mlm_ref.raised(scores[unit[0]], power) for unit in units]
    if not exact:
        return compress(units, mlm_ref.by_score(sample, weights))
    budget = sample.budget(rate, len(units))
    return compress(units, mlm_ref.weighted(sample.stream("weighted"), weights, budget))


def hard(sample: Sample, row: Row, losses: Values, bar: float, rate: float) -> Spans:
    units = units_of(row)
    of_units = [losses[unit[0]] for unit in units]
    return compress(units, adaptive_ref.hard(sample, of_units, bar, rate))


def of_units(reference: Callable[..., Spans]) -> Callable[..., Spans]:
    def adapted(sample: Sample, row: Row, unit: str = "token", **options: Any) -> Spans:
        return reference(sample, units=units_of(row, unit), **options)

    return adapted


def score(most: float) -> st.SearchStrategy[float]:
    return st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, most))


CASES = {
    "exact": Case(Exact, {"rate": rates, "unit": any_unit}, exact),
    "independent": Case(
        Independent,
        {"rate": rates, "unit": any_unit, "always_one": st.booleans(), "leave_one": st.booleans()},
        independent,
    ),
    "words": Case(Words, {"rate": rates}, words),
    "bert_budget": Case(
        BertBudget,
        {"rate": rates, "max_predictions": st.integers(1, 25), "unit": any_unit},
        bert_budget,
    ),
    "by_language": Case(ByLanguage, {"rate": rates}, by_language, {"languages": st.integers(0, 2)}),
    "fragment": Case(
        Fragment, {"rate": rates, "edges": st.floats(0, 0.5)}, of_units(t5_ref.fragment)
    ),
    "suffix": Case(Suffix, {"rate": st.floats(0, 0.5)}, of_units(t5_ref.suffix)),
    "mean_spans": Case(
        MeanSpans,
        {
            "rate": st.floats(0, 0.99),
            "mean_length": st.one_of(st.sampled_from([1.0, 3.0, 64.0]), st.floats(1, 20)),
            "unit": any_unit,
        },
        of_units(t5_ref.mean_spans),
    ),
    "ngrams": Case(
        Ngrams,
        {
            "rate": rates,
            "law": st.sampled_from(get_args(Law)),
            "max_n": st.integers(1, 8),
            "unit": any_unit,
        },
        ngrams,
    ),
    "phrases": Case(
        Phrases,
        {"rate": rates, "ngrams": phrase_lists.map(tuple)},
        phrases,
        rows=st.lists(st.one_of(phrase_rows, rows), max_size=6),
    ),
    "salient": Case(
        Salient,
        {
            "spans": st.integers(1, 3),
            "rate": st.sampled_from([None, 0.0, 0.3, 1.0]),
            "otherwise": st.sampled_from(["span", "nothing"]),
        },
        salient,
        {"salient": st.sampled_from([0, 0, 0, 1, 1, 2])},
    ),
    "hard": Case(
        Hard,
        {"bar": st.one_of(st.just(0.5), st.floats(0, 2)), "rate": rates},
        hard,
        {"losses": st.one_of(st.sampled_from([0.0, 0.5, float("inf")]), st.floats(0, 3))},
    ),
    "weighted": Case(
        Weighted,
        {
            "power": st.sampled_from([1.0, -0.5, 0.75, 2.0, 0.3, 0.0]),
            "rate": rates,
            "exact": st.just(True),
        },
        weighted,
        {"scores": score(1e6)},
    ),
    "weighted independently": Case(
        Weighted,
        {"power": st.sampled_from([1.0, 2.0, 0.5]), "rate": rates, "exact": st.just(False)},
        weighted,
        {"scores": score(1.0)},
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ngrams")


@pytest.mark.parametrize("name", CASES)
@given(seed=seeds, data=st.data())
def test_selector_matches_reference(
    folder: Path, name: str, seed: int, data: st.DataObject
) -> None:
    case = CASES[name]
    drawn_rows = data.draw(case.rows)
    options = {option: data.draw(values) for option, values in case.options.items()}
    annotations = {
        name: [
            data.draw(st.lists(values, min_size=len(row), max_size=len(row))) for row in drawn_rows
        ]
        for name, values in case.annotations.items()
    }
    if "languages" in annotations:  # a row has one segment of each language
        annotations["languages"] = list(map(sorted, annotations["languages"]))
    tokens = batch(drawn_rows, **annotations)
    files = {"ngrams": ngram_file(folder, options["ngrams"])} if name == "phrases" else {}
    selector = case.selector(**{**options, **files})
    got = list(positions(select(selector, tokens, seed, 2), tokens))
    for i, row in enumerate(drawn_rows):
        columns = [values[i] for values in annotations.values()]
        assert got[i] == list(case.reference(Sample(seed, 2, i), row, *columns, **options))
    most = selector.bound(tokens.lengths)
    assert all(sum(map(len, spans)) <= most.tokens[i] for i, spans in enumerate(got))
    assert all(len(spans) <= most.spans[i] for i, spans in enumerate(got))


#: Noise levels and loss weights of the units of a sample.
Levels = list[tuple[float, float]]


def uniform_levels(sample: Sample, noise: UniformNoise, n: int) -> Levels:
    return [diffusion_ref.uniform_noise(sample, noise.eps, noise.always_one, n)] * n


def scheduled_levels(sample: Sample, noise: ScheduledNoise, n: int) -> Levels:
    level = diffusion_ref.level(sample, noise.antithetic)
    return [diffusion_ref.SCHEDULES[noise.schedule](level, noise.eps)] * n


def block_levels(sample: Sample, noise: BlockNoise, n: int) -> Levels:
    levels = diffusion_ref.block_levels(
        sample, n, noise.block, noise.low, noise.high, noise.antithetic
    )
    return [(levels[i // noise.block], 1.0 / levels[i // noise.block]) for i in range(n)]


special = st.booleans()
NOISES: dict[str, tuple[st.SearchStrategy[Noise], Callable[..., Levels]]] = {
    "uniform_noise": (
        st.builds(UniformNoise, st.floats(1e-6, 1), st.booleans(), special),
        uniform_levels,
    ),
    "scheduled_noise": (
        st.builds(
            ScheduledNoise,
            st.sampled_from(get_args(NoiseSchedule)),
            st.just(1e-3),
            st.booleans(),
            special,
        ),
        scheduled_levels,
    ),
    "block_noise": (
        st.tuples(st.floats(1e-3, 1), st.floats(1e-3, 1)).flatmap(
            lambda ends: st.builds(
                BlockNoise,
                st.integers(1, 12),
                st.just(min(ends)),
                st.just(max(ends)),
                st.booleans(),
                special,
            )
        ),
        block_levels,
    ),
}


@pytest.mark.parametrize("name", NOISES)
@given(rows=ragged(), seed=seeds, t=st.integers(0, 2**40), data=st.data())
def test_noise_matches_reference(
    name: str, rows: list[Row], seed: int, t: int, data: st.DataObject
) -> None:
    noises, reference = NOISES[name]
    noise = data.draw(noises)
    tokens = batch(rows)
    rng = Rng.at(seed, t, tokens.keys)
    forced = getattr(noise, "always_one", False)
    expected: list[tuple[int, float]] = []
    blocks: list[int] = []
    for i, row in enumerate(rows):
        fixed = (PAD, MASK) if noise.mask_special else SPECIAL
        is_free = [token not in fixed for token in row]
        free = [int(tokens.offsets[i]) + j for j, unit in enumerate(is_free) if unit]
        sample = Sample(seed, t, i)
        levels = reference(sample, noise, len(free))
        chosen = diffusion_ref.chosen(sample, [p for p, _ in levels], forced)
        weights = [weight for _, weight in levels]
        expected += compress(zip(free, weights, strict=True), chosen)
        blocks += diffusion_ref.block_layer(is_free, getattr(noise, "block", 1))
    mask = noise.select(tokens, VOCAB, rng).mask
    assert np.flatnonzero(mask).tolist() == [position for position, _ in expected]
    # ``pow`` and trigonometric functions differ between platforms.
    tolerance = 0.0 if getattr(noise, "schedule", "log_linear") == "log_linear" else 1e-12
    tolerance = 1e-14 if forced else tolerance
    weights = noise.weights(tokens, VOCAB, rng)[mask]
    np.testing.assert_allclose(weights, [weight for _, weight in expected], tolerance)
    if name == "block_noise":
        numbers = noise.annotations(tokens, VOCAB)["block"]
        assert numbers.dtype == np.int64
        assert numbers.tolist() == blocks
