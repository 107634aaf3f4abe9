"""What is predicted: something, with sound weights, and enough to restore the original."""

from __future__ import annotations

import numpy as np

from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.testing.outcome import shown
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked
from maskplug.types import BoolArray


def check_something_is_predicted(subject: Subject) -> None:
    """A sample with anything to predict has a prediction: a row without one teaches nothing."""
    for masked in subject.samples:
        empty = np.flatnonzero(~_predicts(subject, masked))
        assert not len(empty), (
            f"sample {empty[0]} ({subject.batch.lengths[empty[0]]} tokens) has nothing to predict, "
            "and some of its tokens may be masked: choose at least one (budget(…) does), or "
            "declare this check as a known exception and say why"
        )


def _predicts(subject: Subject, masked: Masked) -> BoolArray:
    """For each sample, whether it has a prediction, or no token that could be one."""
    ordinary = ~subject.vocab.special
    if masked.targets is not None:
        rows, counts = masked.targets, ordinary[masked.targets.values]
    elif masked.labels is not None:
        rows, counts = masked.labels, masked.labels.values != IGNORE
    else:
        raise AssertionError("the result has neither labels nor targets: there is no objective")
    sample = np.repeat(np.arange(len(rows)), rows.lengths)
    predictions = np.bincount(sample[counts], minlength=len(rows))
    return np.asarray(predictions > 0)


def check_weights(subject: Subject) -> None:
    """Weights are finite, not negative, and 0 where nothing is predicted."""
    if all(masked.weights is None for masked in subject.samples):
        raise NotApplicable("all predictions weigh alike")
    for masked in subject.samples:
        if masked.weights is None or masked.labels is None:
            continue
        weights = masked.weights
        assert np.isfinite(weights).all(), (
            f"a weight is {weights[~np.isfinite(weights)][0]}: keep away from the time at which "
            "the probability of a mask is 0"
        )
        assert (weights >= 0).all(), f"a weight is {weights.min()}; weights are not negative"
        idle = (masked.labels.values == IGNORE) & (weights != 0)
        assert not idle.any(), (
            f"a token without a label weighs {weights[idle][0]}; where nothing is predicted the "
            "weight is 0, so that sums and means of weights are those of predictions"
        )


def _with_sentinels(subject: Subject) -> list[tuple[Masked, Ragged]]:
    """The masked batches in which sentinels stand for what the targets hold."""
    sentinels = subject.vocab.sentinel_ids
    found = [
        (masked, masked.targets)
        for masked in subject.samples
        if masked.targets is not None and np.isin(masked.inputs.values, sentinels).any()
    ]
    if not found:
        raise NotApplicable("no sentinels are written")
    return found


def check_sentinels(subject: Subject) -> None:
    """Sentinels are used in the vocabulary's order, the same in a sample's input and its target.

    A target may end with the next one, as T5's do.
    """
    order = subject.vocab.sentinel_ids
    for masked, targets in _with_sentinels(subject):
        for i, (source, target) in enumerate(zip(masked.inputs, targets, strict=True)):
            read, asked = (row[np.isin(row, order)] for row in (source, target))
            assert np.array_equal(read, order[: len(read)]), (
                f"the sentinels of the input of sample {i} are {shown(read)}, not "
                f"{shown(order[: len(read)])}: the first of vocab.sentinel_ids, in its order"
            )
            wanted = order[: len(read) + (len(asked) > len(read))]
            assert np.array_equal(asked, wanted), (
                f"the sentinels of the target of sample {i} are {shown(asked)}, and those of its "
                f"input {shown(read)}: they must be the same, in the same order"
            )


def check_sentinels_restore_the_original(subject: Subject) -> None:
    """With the target's spans in the place of the sentinels, the input is the original again."""
    ordinary, sentinels = ~subject.vocab.special, set(subject.vocab.sentinel_ids.tolist())
    for masked, targets in _with_sentinels(subject):
        for i in range(len(subject.batch)):
            spans: dict[int, list[int]] = {}
            under: list[int] = []
            for token in targets.values[targets.offsets[i] : targets.offsets[i + 1]].tolist():
                if token in sentinels:
                    under = spans.setdefault(token, [])
                elif ordinary[token]:
                    under.append(token)
            restored: list[int] = []
            a, b = masked.inputs.offsets[i], masked.inputs.offsets[i + 1]
            for token in masked.inputs.values[a:b].tolist():
                restored += spans.get(token, []) if token in sentinels else [token]
            original = subject.batch.row(i).ids
            wanted = original[ordinary[original]].tolist()
            got = [token for token in restored if ordinary[token]]
            if not spans and not any(t in sentinels for t in masked.inputs.values[a:b].tolist()):
                continue  # a sample that another part of a mixture masks, without sentinels
            assert got == wanted, (
                f"sample {i} cannot be restored: its target's spans in the place of the input's "
                f"sentinels give\n  {shown(got)}\nand the original is\n  {shown(wanted)}\n"
                "Each span goes behind its own sentinel, and no token is left out or said twice."
            )
