"""Patterns change with time and draws through their clocks and schedules only."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from maskplug.attention import Intervals
from maskplug.parts import Schedule
from maskplug.testing.pattern_subject import LAYERS, Batch, PatternSubject
from maskplug.testing.subject import NotApplicable

#: (epoch, step, progress)
MOMENTS = ((0, 0, 0.0), (0, 1, 0.0), (1, 1, 0.0), (0, 40, 0.5), (1, 40, 0.5), (5, 1_000, 1.0))


def _rows_at_moments(subject: PatternSubject, batch: Batch, layer_idx: int = 0) -> list[Intervals]:
    return [
        subject.rows(batch, epoch=epoch, step=step, progress=progress, layer_idx=layer_idx)
        for epoch, step, progress in MOMENTS
    ]


def _has_schedule(subject: PatternSubject) -> bool:
    return any(isinstance(part, Schedule) for part in subject.pattern.parts)


def check_time_comes_by_clocks(subject: PatternSubject) -> None:
    """The mask changes with time only if a clock or a schedule of the pattern does."""
    for batch in subject.batches():
        first: dict[tuple[Any, ...], Intervals] = {}
        for moment, rows in zip(MOMENTS, _rows_at_moments(subject, batch), strict=True):
            epoch, step, progress = moment
            times = [
                int(clock(np.array([epoch]), np.array([step]))[0])
                for clock in subject.pattern.clocks
            ]
            state = (*times, progress if _has_schedule(subject) else None)
            batch.assert_same(
                rows,
                first.setdefault(state, rows),
                f"at epoch {epoch}, step {step} and progress {progress} the pattern has another "
                "mask, but no clock or schedule of it has changed",
                "Draw with call.rng(self.clock), read options with call.value, and make clocks and "
                "schedules options (fields).",
            )


def check_is_dynamic(subject: PatternSubject) -> None:
    """A pattern with ``is_dynamic`` changes with time."""
    if not subject.pattern.is_dynamic:
        raise NotApplicable("the pattern is static (is_dynamic is False)")
    for batch, layer_idx in product(subject.batches(), LAYERS):
        cells = [batch.cells(rows) for rows in _rows_at_moments(subject, batch, layer_idx)]
        if not all(all(map(np.array_equal, cells[0], other)) for other in cells[1:]):
            return
    if _has_schedule(subject):
        raise NotApplicable(f"rows of up to {max(subject.lengths)} keys are too short to change")
    raise AssertionError(
        "the pattern has a clock that ticks, but the same mask at all times. Draw with "
        "call.rng(self.clock); if nothing is drawn, remove the clock or set it to Never(), so that "
        "`is_dynamic` is True only for masks that change"
    )


def check_chance_comes_by_clocks(subject: PatternSubject) -> None:
    """Without a clock, neither the seed nor the sample key matters."""
    if subject.pattern.clocks:
        raise NotApplicable("the pattern has a clock, so it may draw")
    for batch in subject.batches():
        expected = subject.rows(batch)
        others = [f"another {key}" for key in batch.keys]
        for what, rows in {
            "seed": subject.rows(batch, seed=1),
            "sample key": subject.rows(batch, keys=others),
        }.items():
            batch.assert_same(
                rows,
                expected,
                f"with another {what} the pattern has another mask, though it has no clock",
                "Make the clock an option (a field), and draw with call.rng(self.clock).",
            )


def check_layer_idx_is_declared(subject: PatternSubject) -> None:
    """Masks differ between layers only if the pattern declares `reads_layer_idx`."""
    if subject.pattern.uses_layer_idx:
        raise NotApplicable("the pattern declares reads_layer_idx")
    for batch, layer_idx in product(subject.batches(), LAYERS[1:]):
        batch.assert_same(
            subject.rows(batch, layer_idx=layer_idx),
            subject.rows(batch),
            f"layer {layer_idx} has another mask than layer 0",
            "Declare it in the class (reads_layer_idx = True): otherwise all layers get the mask "
            "of layer 0.",
        )
