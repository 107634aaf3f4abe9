"""Options of selectors that are out of range raise."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from maskplug import Selector, selectors
from maskplug.errors import OptionError
from maskplug.preprocessing.resource import Resource
from maskplug.schedule import Linear
from maskplug.selectors import (
    Adaptive,
    BertBudget,
    BlockNoise,
    Fragment,
    GapSentences,
    Hard,
    MeanSpans,
    Ngrams,
    PoissonSpans,
    Salient,
    ScheduledNoise,
    Spans,
    Suffix,
    Switches,
    UniformNoise,
    Weighted,
)
from support.cases import DATA

NAN, INF = float("nan"), float("inf")
CLASSES = [getattr(selectors, name) for name in selectors.__all__ if name != "Noise"]
REQUIRED = {
    "InDictionary": {"dictionary": Resource.of(DATA / "dictionary.tsv")},
    "Phrases": {"ngrams": Resource.of(DATA / "ngrams.txt")},
}


@pytest.mark.parametrize("rate", [-0.01, 1.01, 7, NAN, "0.1", Linear(0.1, 1.5)], ids=str)
@pytest.mark.parametrize(
    "selector", [one for one in CLASSES if "rate" in {item.name for item in fields(one)}]
)
def test_bad_rates(selector: Any, rate: Any) -> None:
    with pytest.raises(OptionError, match=r"'rate' is .*; it must be a number from 0 to 1, or a"):
        selector(**REQUIRED.get(selector.__name__, {}), rate=rate)


@pytest.mark.parametrize(
    ("selector", "option", "values", "message"),
    [
        (Adaptive, "temperature", [0.0, INF], "a finite number above 0"),
        (Adaptive, "floor", [-0.1, 1.1], "a number from 0 to 1"),
        (Adaptive, "every", [0], "a whole number from 1 to 2,147,483,647"),
        (BertBudget, "max_predictions", [0], "a whole number from 1 to 2,147,483,647"),
        (BlockNoise, "block", [0], "a whole number from 1 to 2,147,483,647"),
        (Fragment, "edges", [0.6, NAN], "a number from 0 to 0.5"),
        (MeanSpans, "rate", [1.0, Linear(0.1, 1.0)], "below 1, so that a token between two spans"),
        (MeanSpans, "mean_length", [0.5, NAN, INF], "a finite number from 1 on"),
        (GapSentences, "rate", [1.0, Linear(0.3, 1.0)], "below 1, so that one sentence stays"),
        (Hard, "bar", [-0.1, NAN], "a finite number from 0 on"),
        (Ngrams, "max_n", [0], "a whole number from 1 to 1,048,576"),
        (PoissonSpans, "mean", [0.0, 101.0, NAN], "a number above 0 and at most 100"),
        (Salient, "spans", [0], "a whole number from 1 to 2,147,483,647"),
        (Spans, "p", [0.0, NAN], "a number above 0 and at most 1"),
        (Spans, "max_length", [0], "a whole number from 1 to 1,048,576"),
        (Weighted, "power", [NAN, 65.0], "a number from -64 to 64"),
        (ScheduledNoise, "eps", [-0.1, 1.0, NAN], "a number from 0 to less than 1"),
        (Switches, "tau", [-0.1, INF, NAN], "a finite number from 0 on"),
        (UniformNoise, "eps", [0.0, -1.0, 1.5, NAN], "a number above 0 and at most 1"),
    ],
)
def test_bad_options(
    selector: type[Selector], option: str, values: list[Any], message: str
) -> None:
    for value in values:
        with pytest.raises(OptionError, match=f"'{option}' is .*; it must be {message}") as error:
            selector(**{option: value})
        assert isinstance(value, Linear) or f"'{option}' is {value};" in str(error.value)


@pytest.mark.parametrize(
    ("selector", "options", "message"),
    [
        (BlockNoise, {"low": 0.0}, "'low' and 'high' are 0.0 and 1.0; they must be above 0"),
        (BlockNoise, {"high": 1.5}, "'low' and 'high' are 0.001 and 1.5"),
        (BlockNoise, {"low": 0.5, "high": 0.4}, "'low' not above 'high'"),
        (BlockNoise, {"low": NAN}, "'low' and 'high' are nan and 1.0"),
        (GapSentences, {"choose": "lead", "unique": True}, "False and True; they apply to choose="),
        (GapSentences, {"choose": "random", "sequential": True}, "'choose' is 'random'"),
        *[(Suffix, {"rate": rate}, "cannot exceed 0.5") for rate in (0.6, Linear(0.1, 0.7))],
    ],
)
def test_bad_combinations(selector: type[Selector], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        selector(**options)
