"""Clocks: (epoch, step) → t.

*Static* masking has a constant t, *dynamic* masking a t that changes during training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.parts import Clock
from maskplug.types import IntArray
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Never(Clock):
    """t = 0: static masking, one fixed mask per sample.

    Example:
        >>> Never()(np.array([0, 5]), np.array([0, 900])).tolist()
        [0, 0]
    """

    is_static = True

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return np.zeros_like(epoch)


@dataclass(frozen=True)
class Epoch(Clock):
    """t = epoch: a new mask in every epoch, as in RoBERTa.

    Source: Liu et al., "RoBERTa", 2019, section 4.1.
    """

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return epoch


@dataclass(frozen=True)
class Step(Clock):
    """t = step: a new mask at every optimizer step."""

    needs_step = True

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return step


@dataclass(frozen=True)
class Every(Clock):
    """t = epoch // k (or step // k): a new mask after every k epochs (or steps).

    Example:
        >>> Every(k=2)(np.arange(5), np.zeros(5, int)).tolist()
        [0, 0, 1, 1, 2]
    """

    k: int
    of: Literal["epoch", "step"] = "epoch"

    def __post_init__(self) -> None:
        check_whole("k", self.k, 1)

    @property
    def needs_step(self) -> bool:  # type: ignore[override]
        return self.of == "step"

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return (step if self.of == "step" else epoch) // self.k


@dataclass(frozen=True)
class Cycle(Clock):
    """t = epoch mod k: k masks per sample, repeated in turn.

    BERT's training data contained each sequence ten times, with different masks: ``Cycle(10)``.

    Source: Devlin et al., "BERT", 2019 (``dupe_factor`` of its data preparation).

    Example:
        >>> Cycle(k=3)(np.arange(5), np.zeros(5, int)).tolist()
        [0, 1, 2, 0, 1]
    """

    k: int = 10

    def __post_init__(self) -> None:
        check_whole("k", self.k, 1)

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return epoch % self.k
