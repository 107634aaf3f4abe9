"""Time and chance reach a mask through clocks and schedules, and through nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from maskplug.attention import Intervals
from maskplug.parts import Schedule
from maskplug.testing.checks.pattern_purity import assert_same_cells
from maskplug.testing.pattern_subject import DEPTHS, Batch, PatternSubject
from maskplug.testing.subject import NotApplicable

#: (epoch, step, progress)
MOMENTS = ((0, 0, 0.0), (0, 1, 0.0), (1, 1, 0.0), (0, 40, 0.5), (1, 40, 0.5), (5, 1_000, 1.0))


def _at(subject: PatternSubject, batch: Batch, layer_idx: int = 0) -> list[Intervals]:
    return [
        subject.rows(batch, epoch=epoch, step=step, progress=progress, layer_idx=layer_idx)
        for epoch, step, progress in MOMENTS
    ]


def _schedules(subject: PatternSubject) -> bool:
    return any(isinstance(part, Schedule) for part in subject.pattern.parts)


def _told(subject: PatternSubject, moment: tuple[int, int, float]) -> tuple[Any, ...]:
    """What the pattern's clocks and schedules tell of a moment."""
    epoch, step = (np.array([number]) for number in moment[:2])
    times = [int(clock(epoch, step)[0]) for clock in subject.pattern.clocks]
    return (*times, moment[2] if _schedules(subject) else None)


def check_time_comes_by_clocks(subject: PatternSubject) -> None:
    """Where clocks and schedules stand still, the mask does."""
    for batch in subject.batches():
        first: dict[tuple[Any, ...], Intervals] = {}
        for moment, found in zip(MOMENTS, _at(subject, batch), strict=True):
            expected = first.setdefault(_told(subject, moment), found)
            epoch, step, progress = moment
            assert_same_cells(
                batch,
                found,
                expected,
                f"at epoch {epoch}, step {step} and progress {progress} the pattern shows other "
                "cells, and no clock or schedule of its own has moved",
                "Draw with site.rng(self.clock), take options with site.value, and make clocks and "
                "schedules options (fields).",
            )


def check_moves(subject: PatternSubject) -> None:
    """A pattern that says that it moves does so."""
    if not subject.pattern.is_dynamic:
        raise NotApplicable("the pattern says that it stands still")
    for batch, layer_idx in product(subject.batches(), DEPTHS):
        cells = [batch.cells(found) for found in _at(subject, batch, layer_idx)]
        for other in cells[1:]:
            if not all(map(np.array_equal, cells[0], other)):
                return
    if _schedules(subject):
        raise NotApplicable(f"in rows of up to {max(subject.lengths)} keys no schedule shows")
    raise AssertionError(
        "the pattern has a clock that ticks, and shows the same cells at all times. Draw with "
        "site.rng(self.clock); where nothing is drawn, leave the clock out or set it to Never(), "
        "so that `moves` is true for moving masks only"
    )


def check_chance_comes_by_clocks(subject: PatternSubject) -> None:
    """Without a clock nothing is drawn: neither the seed nor the sample's key matters."""
    if subject.pattern.clocks:
        raise NotApplicable("the pattern has a clock, and may draw")
    for batch in subject.batches():
        expected = subject.rows(batch)
        others = [f"another {name}" for name in batch.names]
        for what, found in {
            "seed": subject.rows(batch, seed=1),
            "sample key": subject.rows(batch, keys=others),
        }.items():
            assert_same_cells(
                batch,
                found,
                expected,
                f"with another {what} the pattern shows other cells, though it has no clock",
                "Make the clock an option (a field), and draw with site.rng(self.clock).",
            )
