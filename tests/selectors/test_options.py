"""Options of selectors that are out of range raise."""

from __future__ import annotations

from typing import Any

import pytest

from maskplug import Selector
from maskplug.errors import OptionError
from maskplug.preprocessing.resource import Resource
from maskplug.schedule import Linear
from maskplug.selectors import (
    BertBudget,
    BlockNoise,
    ByLanguage,
    Exact,
    Fragment,
    GapSentences,
    Independent,
    InDictionary,
    Insertions,
    MeanSpans,
    Ngrams,
    PoissonSpans,
    ScheduledNoise,
    Spans,
    Suffix,
    Switches,
    UniformNoise,
    Weighted,
    Words,
)
from support.denoising import DICTIONARY

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("selector", "options", "message"),
    [
        (BertBudget, {"rate": -0.1}, "'rate' is -0.1"),
        (
            BertBudget,
            {"max_predictions": 0},
            "'max_predictions' is 0; it must be a whole number from 1 to 2,147,483,647",
        ),
        (
            BlockNoise,
            {"block": 0},
            "'block' is 0; it must be a whole number from 1 to 2,147,483,647",
        ),
        (BlockNoise, {"low": 0.0}, "'low' and 'high' are 0.0 and 1.0; they must be above 0"),
        (BlockNoise, {"high": 1.5}, "'low' and 'high' are 0.001 and 1.5"),
        (BlockNoise, {"low": 0.5, "high": 0.4}, "'low' not above 'high'"),
        (BlockNoise, {"low": NAN}, "'low' and 'high' are nan and 1.0"),
        (Fragment, {"rate": 1.5}, "'rate' is 1.5"),
        (Fragment, {"edges": 0.6}, "'edges' is 0.6; it must be a number from 0 to 0.5"),
        (Fragment, {"edges": NAN}, "'edges' is nan"),
        (GapSentences, {"rate": 1.0}, "'rate' is 1.0; it must be below 1, so that one sentence"),
        (GapSentences, {"rate": Linear(0.3, 1.0)}, "so that one sentence stays visible"),
        (GapSentences, {"rate": 1.5}, "'rate' is 1.5; it must be a number from 0 to 1"),
        (
            GapSentences,
            {"choose": "lead", "unique": True},
            "False and True; they apply to choose='principal'",
        ),
        (GapSentences, {"choose": "random", "sequential": True}, "'choose' is 'random'"),
        (MeanSpans, {"rate": 1.0}, "'rate' is 1.0; it must be below 1, so that a token"),
        (MeanSpans, {"rate": Linear(0.1, 1.0)}, "so that a token between two spans"),
        (MeanSpans, {"rate": -0.1}, "'rate' is -0.1; it must be a number from 0 to 1"),
        (
            MeanSpans,
            {"mean_length": 0.5},
            "'mean_length' is 0.5; it must be a finite number from 1 on",
        ),
        (MeanSpans, {"mean_length": NAN}, "'mean_length' is nan"),
        (
            MeanSpans,
            {"mean_length": INF},
            "'mean_length' is inf; it must be a finite number from 1 on",
        ),
        (Ngrams, {"rate": 1.5}, "'rate' is 1.5; it must be a number from 0 to 1"),
        (Ngrams, {"max_n": 0}, "'max_n' is 0; it must be a whole number from 1 to 1,048,576"),
        (PoissonSpans, {"rate": 2.0}, "'rate' is 2.0"),
        (PoissonSpans, {"mean": 0.0}, "'mean' is 0.0; it must be a number above 0 and at most 100"),
        (PoissonSpans, {"mean": 101.0}, "'mean' is 101.0"),
        (PoissonSpans, {"mean": NAN}, "'mean' is nan"),
        (Spans, {"rate": 2}, "'rate' is 2"),
        (Spans, {"p": 0.0}, "'p' is 0.0; it must be a number above 0 and at most 1"),
        (Spans, {"p": NAN}, "'p' is nan"),
        (
            Spans,
            {"max_length": 0},
            "'max_length' is 0; it must be a whole number from 1 to 1,048,576",
        ),
        (Weighted, {"rate": 2.0}, "'rate' is 2.0"),
        (Weighted, {"power": NAN}, "'power' is nan; it must be a number from -64 to 64"),
        (Weighted, {"power": 65.0}, "'power' is 65.0"),
        (ByLanguage, {"rate": 7}, "'rate' is 7"),
        (Exact, {"rate": 1.5}, r"'rate' is 1.5; .* from 0 to 1"),
        (InDictionary, {"dictionary": Resource.of(DICTIONARY), "rate": 3}, "'rate' is 3"),
        *[(Independent, {"rate": rate}, "from 0 to 1") for rate in (-0.01, 1.01, NAN, "0.1", None)],
        (Insertions, {"rate": -1}, "'rate' is -1"),
        *[
            (
                ScheduledNoise,
                {"eps": eps},
                f"'eps' is {eps}; it must be a number from 0 to less than 1",
            )
            for eps in (-0.1, 1.0, NAN)
        ],
        *[(Suffix, {"rate": rate}, "'rate' is") for rate in (0.6, Linear(0.1, 0.7), -1.0)],
        *[
            (Switches, {"tau": tau}, f"'tau' is {tau}; it must be a finite number from 0 on")
            for tau in (-0.1, INF, NAN)
        ],
        *[
            (
                UniformNoise,
                {"eps": eps},
                f"'eps' is {eps}; it must be a number above 0 and at most 1",
            )
            for eps in (0.0, -1.0, 1.5, NAN)
        ],
        (Words, {"rate": -1}, r"-1; .* from 0 to 1"),
    ],
)
def test_bad_options(selector: type[Selector], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        selector(**options)
