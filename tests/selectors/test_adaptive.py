"""Tests of the selector ``adaptive``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Losses, OptionError, TokenBatch
from maskplug.errors import TokenError
from support import reference_adaptive as ref
from support.batches import (
    ORDINARY,
    SIZE,
    SPECIAL,
    VOCAB,
    batch,
    equal_rows,
    fits,
    likely,
    ragged,
    seeds,
)
from support.reference import Sample

EVERY = 3


class Scores:
    """Feedback with one table per round; other rounds are all ones."""

    def __init__(self, tables: dict[int, Any], size: int = SIZE) -> None:
        self.tables, self.size = tables, size

    def at(self, step: int) -> Any:
        return np.asarray(self.tables.get(step // EVERY, np.ones(self.size)), float)


def adaptive(**options: Any) -> maskplug.Strategy:
    return maskplug.strategy(
        "adaptive", **{"every": EVERY, "rate": 0.3, "clock": "step", **options}
    )


def inclusion(strategy: Any, scores: Any, samples: int = 4000, length: int = 10) -> Any:
    """Count how often each position is selected in rows of distinct ordinary tokens."""
    tokens = equal_rows(samples, length)
    masked = strategy(tokens, VOCAB, seed=5, step=6, feedback=Scores({2: scores}))
    return masked.selection.mask.reshape(samples, length).sum(axis=0)


def table(scores_of: dict[int, float]) -> Any:
    """Return scores of ordinary tokens by their position in a row of ``equal_rows``."""
    scores = np.ones(SIZE)
    for place, score in scores_of.items():
        scores[ORDINARY[place]] = score
    return scores


@given(ragged(), seeds, st.lists(st.floats(0, 9), min_size=SIZE, max_size=SIZE), st.data())
def test_matches_reference(
    rows: list[list[int]], seed: int, scores: list[float], data: st.DataObject
) -> None:
    steps = np.array([data.draw(st.sampled_from([0, 5, 6, 8, 9])) for _ in rows], np.int64)
    tokens, tables = batch(rows), {2: scores, 3: scores[::-1]}
    masked = adaptive(floor=0.2)(tokens, VOCAB, seed=seed, step=steps, feedback=Scores(tables))
    for i, row in enumerate(rows):
        free = [token for token in row if token not in SPECIAL]
        of_round = tables.get(int(steps[i]) // EVERY, [1.0] * SIZE)
        chosen = ref.adaptive(Sample(seed, int(steps[i]), i), free, of_round, 0.3, 0.2)
        mask = masked.selection.mask[tokens.offsets[i] : tokens.offsets[i + 1]]
        got = [hit for hit, token in zip(mask.tolist(), row, strict=True) if token not in SPECIAL]
        assert got == chosen


@given(ragged(), seeds, st.floats(0, 20))
def test_equal_losses_give_the_same_masks_as_no_losses(rows: Any, seed: int, loss: float) -> None:
    strategy = adaptive(every=1, momentum=0.6)
    losses = Losses(strategy.feedback_plan, SIZE)
    for step in range(4):
        losses.add(ORDINARY[step:], [loss] * (len(ORDINARY) - step))
        losses.advance_to(step + 1)
    with_feedback = strategy(batch(rows), VOCAB, seed=seed, step=5, feedback=losses)
    without_feedback = strategy(batch(rows), VOCAB, seed=seed, step=5)
    assert with_feedback.inputs.to_lists() == without_feedback.inputs.to_lists()


def test_single_draws_follow_the_weights() -> None:
    scores = table({0: 4.0, 1: 0.5, 2: 0.01})
    counts = inclusion(adaptive(rate=0.1), scores)
    assert fits(counts, [4.0, 0.5, 0.1, *np.ones(7)])  # the floor is 0.1
    counts = inclusion(adaptive(rate=0.1, temperature=2.0, floor=0.5), scores)
    assert fits(counts, [2.0, 0.5**0.5, 0.5, *np.ones(7)])
    counts = inclusion(adaptive(rate=0.1, temperature=0.5), scores)
    assert fits(counts, [16.0, 0.25, 0.1, *np.ones(7)])


def test_higher_temperature_flattens_the_distribution() -> None:
    shares = [
        inclusion(adaptive(temperature=t), table({0: 3.0}))[0] for t in (0.5, 1.0, 2.0, 8.0, 1e9)
    ]
    assert shares == sorted(shares, reverse=True)
    assert likely(shares[-1], 4000, 0.3)
    assert inclusion(adaptive(temperature=1e-9), table({0: 1.1}))[0] == 4000


def test_each_sample_uses_the_scores_of_its_round() -> None:
    rows = [ORDINARY[:20]] * 6
    tables = {2: table({0: 1e6}), 3: table({1: 1e6})}
    masked = adaptive(rate=0.05)(
        batch(rows), VOCAB, seed=1, step=[9, 6, 8, 11, 6, 9], feedback=Scores(tables)
    )
    first = masked.selection.mask.reshape(6, 20)[:, :2].tolist()
    one, two = [True, False], [False, True]
    assert first == [two, one, one, two, one, two]


def test_scores_change_by_round_and_draws_by_clock() -> None:
    strategy = adaptive(clock="epoch")
    tokens, feedback = equal_rows(1, 40), Scores({2: table({0: 9.0})})
    assert strategy.needs_step
    assert not adaptive(clock="never").is_static
    masks = [
        strategy(tokens, VOCAB, seed=1, epoch=1, step=step, feedback=feedback).inputs.to_lists()
        for step in (0, 5, 9, 12)
    ]
    assert all(mask == masks[0] for mask in masks)


def layered(classes: Any) -> TokenBatch:
    return batch([ORDINARY[:6]] * 2000, classes=[classes] * 2000)


def test_classes_from_annotation() -> None:
    strategy = adaptive(by="layer", classes=3, rate=1 / 6)
    feedback = Scores({2: [1.0, 3.0, 0.5]}, 3)
    masked = strategy(layered([0, 1, 2, 0, 1, 2]), VOCAB, seed=1, step=6, feedback=feedback)
    counts = masked.selection.mask.reshape(2000, 6).sum(axis=0)
    assert fits(counts, [1.0, 3.0, 0.5, 1.0, 3.0, 0.5])
    assert strategy.required_annotations == ("classes",)
    assert adaptive().required_annotations == ()


def test_bad_classes() -> None:
    strategy = adaptive(by="layer", classes=3)
    with pytest.raises(TokenError, match=r"requires the annotation 'classes'.*has only: none"):
        strategy(batch([[5, 6]]), VOCAB)
    for wrong in (3, -1):
        with pytest.raises(TokenError, match=rf"from 0 to 2 .*sample 1, position 0 has {wrong}"):
            strategy(batch([[5, 6], [5]], classes=[[0, 1], [wrong]]), VOCAB)
    special = batch([[2, 5, 3]], classes=[[-1, 1, 99]])
    assert strategy(special, VOCAB).selection.mask.tolist() == [False, True, False]


def test_feedback_with_wrong_size_raises() -> None:
    with pytest.raises(OptionError, match="scores for 7 classes; the strategy has 60"):
        adaptive()(batch([[5, 6]]), VOCAB, step=6, feedback=Scores({}, 7))


def test_feedback_plan_is_found_in_nested_strategies() -> None:
    inner = {"name": "adaptive", "every": 7, "momentum": 0.5}
    plan = maskplug.strategy("adaptive", every=7, momentum=0.5).feedback_plan
    for strategy in (
        maskplug.strategy("mixture", strategies=["dynamic", inner]),
        maskplug.strategy("chain", strategies=["word_dropout", inner]),
        maskplug.strategy("compose", selector={"name": "adaptive", "every": 7, "momentum": 0.5}),
    ):
        assert strategy.feedback_plan == plan
        assert strategy.needs_step
    assert maskplug.strategy("mixture", strategies=["dynamic", "span"]).feedback_plan is None
    other = {"name": "adaptive", "every": 8}
    with pytest.raises(
        OptionError,
        match=r"track losses differently: LossTrackingConfig\(every=7.*LossTrackingConfig\(every=8",
    ):
        _ = maskplug.strategy("mixture", strategies=[inner, other]).feedback_plan


def test_mixture_and_chain_use_feedback() -> None:
    feedback = Scores({2: table({0: 1e9})})
    for name in ("mixture", "chain"):
        strategy = maskplug.strategy(
            name, strategies=[{"name": "adaptive", "every": EVERY, "rate": 0.1}]
        )
        masked = strategy(equal_rows(50, 10), VOCAB, step=6, feedback=feedback)
        assert masked.selection.mask.reshape(50, 10)[:, 0].all()
