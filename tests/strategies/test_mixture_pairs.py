"""Mixtures of any two strategies do not depend on the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Masked, TokenBatch
from maskplug.context import MaskingContext
from maskplug.errors import OptionError
from maskplug.strategies.composition import Mixture
from maskplug.testing.outcome import by_row
from support.batches import ORDINARY
from support.cases import CASES, LABELS, RICH, case
from support.scale import scenes

ROWS = [
    [2, *ORDINARY[:9], 7, *ORDINARY[20:28], 9, 3],
    [],
    [2, 3],
    [2, 12, 3],
    [2, *ORDINARY[5:11], 3, *ORDINARY[30:41], 3],
    [2, *ORDINARY[12:19], 7, 3],
]


@pytest.fixture(scope="module")
def strategies() -> dict[str, maskplug.Strategy]:
    return {label: case(label).make(label) for label in LABELS}


@pytest.fixture(scope="module")
def tokens() -> TokenBatch:
    """Return rows with every annotation that a built-in strategy requires."""
    tokens = TokenBatch.from_lists(ROWS, keys=range(len(ROWS)))
    for one in CASES.values():
        tokens = one.batch(tokens)
    return tokens


def form(masked: Masked) -> tuple[Any, ...]:
    """Return the form of a result: which outputs it has, and their dtypes."""
    rows = [masked.labels, masked.targets, masked.inputs.sources, masked.weights, masked.divisors]
    annotations = [
        {n: v.dtype for n, v in some.items()}
        for some in (masked.annotations, masked.target_annotations)
    ]
    return tuple(x is None for x in rows), *annotations


@pytest.mark.parametrize("first", LABELS)
def test_rows_do_not_depend_on_the_batch(
    first: str, strategies: dict[str, maskplug.Strategy], tokens: TokenBatch
) -> None:
    start = LABELS.index(first)
    for other in LABELS[start : start + scenes(6, len(LABELS))]:
        pair = (strategies[first], strategies[other])
        if pair[0].predicts != pair[1].predicts:
            with pytest.raises(OptionError, match="in one form"):
                maskplug.strategy("mixture", strategies=pair)
            continue
        mixture = maskplug.strategy("mixture", strategies=pair)
        assert mixture.predicts == pair[0].predicts
        together = mixture(tokens, RICH, seed=3, epoch=1)
        wanted, rows = form(together), by_row(tokens, together)
        for i in range(len(ROWS)):
            alone = mixture(tokens.row(i), RICH, seed=3, epoch=1)
            assert form(alone) == wanted, (first, other)
            assert by_row(tokens.row(i), alone) == [rows[i]], (first, other)
        assert form(mixture(tokens.take(np.zeros(0, np.int64)), RICH)) == wanted, (first, other)
        assert form(mixture.dry_run(RICH)) == wanted, (first, other)


@pytest.mark.parametrize("label", LABELS)
def test_predicts_matches_the_result(
    label: str, strategies: dict[str, maskplug.Strategy], tokens: TokenBatch
) -> None:
    masked = strategies[label](tokens, RICH)
    labels = "order" if "order" in masked.annotations else "labels"
    assert strategies[label].predicts == ("targets" if masked.labels is None else labels)
    assert (masked.labels is None) != (masked.targets is None)


def test_labels_without_weights_keep_their_mean_loss(tokens: TokenBatch) -> None:
    """In a mixture their weights are 1 and their divisors their number; diffusion is unchanged."""
    mixture = maskplug.strategy("mixture", strategies=["dynamic", "mdlm"])
    assert isinstance(mixture, Mixture)
    rows = by_row(tokens, mixture(tokens, RICH, seed=4))
    choices = mixture.choices(MaskingContext.at(4, 0, 0, tokens.keys)).tolist()
    assert set(choices) == {0, 1}
    for i, choice in enumerate(choices):
        alone = by_row(tokens, mixture.strategies[choice](tokens, RICH, seed=4))[i]
        if choice == 0:
            alone["weights"] = [float(label >= 0) for label in alone["labels"]]
            alone["divisor"] = [int(sum(alone["weights"]))]
        assert rows[i] == alone
