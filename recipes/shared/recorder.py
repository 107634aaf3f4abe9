"""Record the masks that are drawn in this process, through maskplug's observer hook."""

from __future__ import annotations

from typing import Any, NamedTuple

import maskplug
from maskplug.plugins import plugins


class Row(NamedTuple):
    """The original ids of a sample, the selection, the inputs and the targets."""

    original: list[int]
    chosen: list[bool]
    inputs: list[int]
    predicted: list[int]


class Recorder:
    """A context manager that records rows by (t, key).

    Args:
        limit: the number of values of t to record.
    """

    def __init__(self, limit: int = 3) -> None:
        self.limit = limit
        self.rows: dict[tuple[int, int], Row] = {}

    @maskplug.hookimpl
    def maskplug_after_mask(self, masked: maskplug.Masked, event: maskplug.MaskingEvent) -> None:
        """Record a batch."""
        offsets = event.tokens.offsets
        predicted = masked.labels if masked.targets is None else masked.targets
        assert predicted is not None
        columns = (
            maskplug.Ragged(event.tokens.ids, offsets),
            maskplug.Ragged(masked.selection.mask, offsets),
            masked.inputs,
            predicted,
        )
        rows = zip(*(column.to_lists() for column in columns), strict=True)
        moments = zip(event.rng.t.tolist(), event.tokens.keys.tolist(), strict=True)
        for (t, key), row in zip(moments, rows, strict=True):
            if t < self.limit:
                self.rows[t, key] = Row(*row)

    def __enter__(self) -> Recorder:
        plugins().manager.register(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        plugins().manager.unregister(self)
