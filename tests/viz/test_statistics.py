"""Statistics and text of masked batches, for every kind of objective."""

from __future__ import annotations

import numpy as np

import maskplug
from maskplug import Masked, Ragged, Selection
from maskplug.viz.statistics import report
from maskplug.viz.text import render
from support.batches import MASK, VOCAB, batch, equal_rows

TOKENS = batch([[2, 6, 8, 10, 12, 3]])
CHOSEN = Selection(np.array([1, 3]), np.array([2, 1]), np.array([0, 2]), 6)


def piece(i: int) -> str:
    return f"w{i}"


def test_labels_in_place() -> None:
    masked = Masked(Ragged.of([[2, MASK, 20, 10, 12, 3]]), CHOSEN)
    counts = report(TOKENS, masked, VOCAB)
    assert (counts.masks, counts.randoms, counts.kept, counts.removed) == (1, 1, 1, 0)
    assert (counts.chosen, counts.maskable, counts.rate) == (3, 4, 0.75)
    assert counts.span_lengths.tolist() == [0, 0, 1]
    assert counts.mean_span == 3
    line = render(TOKENS, masked, VOCAB, piece)[0]
    assert str(line) == "w2 [w6] [w8→w20] [w10=] w12 w3"


def test_rows_of_other_length() -> None:
    inputs = Ragged(np.array([2, 59, 30, 12, 3]), [0, 5], np.array([0, -1, -1, 4, 5]))
    masked = Masked(inputs, CHOSEN, targets=Ragged.of([[6, 8, 10, 3]]))
    counts = report(TOKENS, masked, VOCAB)
    assert (counts.masks, counts.randoms, counts.kept, counts.removed) == (0, 0, 0, 3)
    assert (counts.tokens, counts.inputs, counts.targets) == (6, 5, 4)
    first, second = render(TOKENS, masked, VOCAB, piece)
    assert str(first) == "w2 ‹w59› ‹w30› w12 w3"
    assert str(second) == "⇒ w6 w8 w10 ‹w3›"


def test_statistics_are_consistent() -> None:
    tokens = equal_rows(300, 40)
    masked = maskplug.strategy("dynamic", rate=0.4)(tokens, VOCAB)
    counts = report(tokens, masked, VOCAB)
    assert counts.chosen == counts.masks + counts.randoms + counts.kept == 300 * 16
    assert (counts.span_lengths * np.arange(1, len(counts.span_lengths) + 1)).sum() == counts.chosen
    assert counts.empty == 0
    assert report(batch([]), maskplug.strategy("none")(batch([]), VOCAB), VOCAB).rate == 0.0
