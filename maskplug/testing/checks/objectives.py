"""Predictions exist, have valid weights, and restore the original."""

from __future__ import annotations

import numpy as np

from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.testing.outcome import shown
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked


def check_something_is_predicted(subject: Subject) -> None:
    """Every sample has a prediction, since a row without one teaches the model nothing."""
    ordinary = ~subject.vocab.special
    for masked in subject.samples:
        if masked.targets is not None:
            rows, predictions = masked.targets, ordinary[masked.targets.values]
        elif masked.labels is not None:
            rows, predictions = masked.labels, masked.labels.values != IGNORE
        else:
            raise AssertionError("the result has neither labels nor targets: there is no objective")
        sample = np.repeat(np.arange(len(rows)), rows.lengths)
        counts = np.bincount(sample[predictions], minlength=len(rows))
        empty = np.flatnonzero(counts == 0)
        assert not len(empty), (
            f"sample {empty[0]} ({subject.batch.lengths[empty[0]]} tokens) has nothing to predict, "
            "though some of its tokens may be masked: choose at least one (budget(…) does), or "
            "declare this check as a known exception with the reason"
        )


def check_weights(subject: Subject) -> None:
    """Weights are finite, not negative, and 0 where nothing is predicted."""
    if all(masked.weights is None for masked in subject.samples):
        raise NotApplicable("all predictions have the same weight")
    for masked in subject.samples:
        if masked.weights is None or masked.labels is None:
            continue
        weights = masked.weights
        assert np.isfinite(weights).all(), (
            f"a weight is {weights[~np.isfinite(weights)][0]}: exclude the time at which the "
            "probability of a mask is 0"
        )
        assert (weights >= 0).all(), f"a weight is {weights.min()}; weights must not be negative"
        unused = (masked.labels.values == IGNORE) & (weights != 0)
        assert not unused.any(), (
            f"a token without a label has the weight {weights[unused][0]}; it must be 0, so that "
            "sums and means of weights are those of predictions"
        )


def _with_sentinels(subject: Subject) -> list[tuple[Masked, Ragged]]:
    """Return the masked batches with sentinels in the inputs, and their targets."""
    sentinels = subject.vocab.sentinel_ids
    batches = [
        (masked, masked.targets)
        for masked in subject.samples
        if masked.targets is not None and np.isin(masked.inputs.values, sentinels).any()
    ]
    if not batches:
        raise NotApplicable("no sentinels are written")
    return batches


def check_sentinels(subject: Subject) -> None:
    """Input and target of a sample have the same sentinels, in the vocabulary's order.

    A target may end with the next sentinel, as in T5.
    """
    order = subject.vocab.sentinel_ids
    for masked, targets in _with_sentinels(subject):
        for i, (source, target) in enumerate(zip(masked.inputs, targets, strict=True)):
            inputs, outputs = (row[np.isin(row, order)] for row in (source, target))
            assert np.array_equal(inputs, order[: len(inputs)]), (
                f"the sentinels of the input of sample {i} are {shown(inputs)}, not "
                f"{shown(order[: len(inputs)])}: the first of vocab.sentinel_ids, in its order"
            )
            assert np.array_equal(outputs, order[: len(inputs) + (len(outputs) > len(inputs))]), (
                f"the sentinels of the target of sample {i} are {shown(outputs)}, but those of its "
                f"input {shown(inputs)}: they must be the same, in the same order"
            )


def check_sentinels_restore_the_original(subject: Subject) -> None:
    """Replacing the sentinels of the input by the spans of the target restores the original."""
    ordinary, sentinels = ~subject.vocab.special, set(subject.vocab.sentinel_ids.tolist())
    for masked, targets in _with_sentinels(subject):
        for i in range(len(subject.batch)):
            spans: dict[int, list[int]] = {}
            span: list[int] = []
            for token in targets.values[targets.offsets[i] : targets.offsets[i + 1]].tolist():
                if token in sentinels:
                    span = spans.setdefault(token, [])
                elif ordinary[token]:
                    span.append(token)
            a, b = masked.inputs.offsets[i], masked.inputs.offsets[i + 1]
            inputs = masked.inputs.values[a:b].tolist()
            if not spans and not sentinels & set(inputs):
                continue  # a sample that another part of a mixture masks, without sentinels
            restored = [t for token in inputs for t in spans.get(token, [token]) if ordinary[t]]
            original = subject.batch.row(i).ids
            expected = original[ordinary[original]].tolist()
            assert restored == expected, (
                f"sample {i} cannot be restored: with the target's spans in place of the sentinels "
                f"the input is\n  {shown(restored)}\nbut the original is\n  {shown(expected)}\n"
                "Write each span after its own sentinel, and write every token exactly once."
            )
