"""Uses of every kernel that strategies and patterns call, for tests of what is compiled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

import maskplug
from maskplug.attention.blocks import Blocks
from maskplug.collate import pad
from maskplug.errors import MaskplugError
from maskplug.kernels.compilation import kernels, watched
from support.batches import ORDINARY
from support.cases import LABELS, RICH, case

#: Rows of several lengths and of several sentences (7 and 9 end one).
ROWS = [[2, *np.resize([*ORDINARY[k:], 7, 12, 9], 20 + k).tolist(), 3] for k in range(12)]
#: Options that choose other kernels, where a strategy has them.
OPTIONS: dict[str, tuple[Any, ...]] = {
    "unit": ("token", "word", "sentence"),
    "exact": (True, False),
    "method": ("same-length", "delete", "single"),
    "rate": (0.5, {"name": "linear", "start": 0.1, "end": 0.5}),
}


def batches(label: str) -> Iterator[maskplug.TokenBatch]:
    """Yield a usual batch; keys by content and protected tokens; a batch without rows."""
    rows = maskplug.TokenBatch.from_lists(ROWS, keys=range(len(ROWS)))
    yield case(label).batch(rows)
    unnamed = maskplug.TokenBatch.from_lists([np.array(row) for row in ROWS])
    layers = {"protected": np.arange(len(unnamed.ids)) % 5 == 0}
    yield case(label).batch(maskplug.TokenBatch(unnamed.ids, unnamed.offsets, unnamed.keys, layers))
    yield case(label).batch(maskplug.TokenBatch.from_lists([]))


def variants(label: str) -> Iterator[maskplug.Strategy]:
    """A strategy as it is, and with each of the ``OPTIONS`` that it takes."""
    yield case(label).make(label)
    for name, values in OPTIONS.items():
        for value in values:
            with suppress(MaskplugError):
                yield maskplug.strategy(label, **{**case(label).options, name: value})


def use(strategy: maskplug.Strategy, label: str) -> None:
    """Mask batches of every kind at several times, and pad what comes out."""
    for number, tokens in enumerate(batches(label)):
        for epoch in (number, np.arange(len(tokens))):
            try:
                masked = strategy(tokens, RICH, seed=1, epoch=epoch, progress=0.5)
            except MaskplugError:
                continue  # a variant that needs layers or a vocabulary of its own
            for rows in (masked.inputs, masked.labels, masked.targets):
                if rows is not None:
                    pad(rows, 0)
            if masked.weights is not None:
                pad(maskplug.Ragged(masked.weights, masked.labels.offsets), 0)  # type: ignore[union-attr]


def strategies() -> None:
    """Use every strategy that is built in."""
    for label in LABELS:
        for strategy in variants(label):
            use(strategy, label)


def patterns() -> None:
    """Render every pattern that is built in, in every way, in several scenes."""
    from support.attention_cases import CASES
    from support.scenes import scene

    rng = np.random.default_rng(0)
    for one in CASES:
        for pattern in (one.pattern, ~one.pattern):
            for _ in range(3):
                where = scene(one, rng).arguments
                rendered: list[Callable[..., Any]] = [pattern.dense, pattern.intervals]
                for render in rendered:
                    render(**where)
                rows = pattern.intervals(**where)
                _ = rows.counts, Blocks.of(rows, 4), rows.to_lists(), (rows | rows).dense()


if __name__ == "__main__":
    with watched() as compiled:
        strategies()
        patterns()
    signatures = {name: [str(s) for s in kernel.signatures] for name, kernel in kernels().items()}
    print(json.dumps({"signatures": signatures, "compiled": [c.name for c in compiled]}))
