"""Loss tracking for adaptive strategies: losses of one round determine masks two rounds later."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from maskplug.errors import OptionError, SpecMismatchError, TokenError, shortened
from maskplug.types import FloatArray, IntArray
from maskplug.validation.options import SIZE, check_number, check_whole
from maskplug.vocabulary import Vocabulary

#: Losses are summed as integers in units of 2**-20, so that the order of addition is irrelevant.
SCALE = 1 << 20
#: Losses are clipped to this value.
MAX_LOSS = float(1 << 15)
#: Number of tables kept: those of the previous, the current and the next round.
KEPT = 3
#: The score of a class that has not been seen.
UNSEEN = -1.0


@dataclass(frozen=True)
class LossTrackingConfig:
    """How losses are aggregated for adaptive masks.

    Args:
        every: number of optimizer steps per round.
        momentum: share of a score that remains when a round ends, from 0 to 1.
        by: "token" (classes are token ids) or "layer" (the annotation ``classes`` of the batch).
        classes: number of classes for "layer"; None for "token" (the size of the vocabulary).
    """

    every: int = 100
    momentum: float = 0.9
    by: Literal["token", "layer"] = "token"
    classes: int | None = None

    def __post_init__(self) -> None:
        check_whole("every", self.every, 1)
        check_number("momentum", self.momentum, least=0.0, most=1.0)
        if (self.by == "layer") != (self.classes is not None):
            raise OptionError(
                f"option 'classes' is {shortened(self.classes)} with by={shortened(self.by)}; "
                'by="layer" needs the number of classes, and with by="token" they are the '
                "vocabulary's ids"
            )
        check_whole("classes", self.classes, 1, SIZE)

    def size(self, vocab: Vocabulary) -> int:
        """Return the number of classes."""
        return vocab.size if self.classes is None else self.classes


class Tables:
    """The scores of three rounds, in memory that processes can share.

    One process writes, any number read. The table of a round is written a whole round before its
    first step, so that workers that prefetch less than a round always find it.

    Args:
        memory: ``Tables.room(classes)`` float64 zeros: an array, or memory that processes share,
            such as a tensor after ``share_memory_()``, which is then pickled as shared memory.
        every: number of steps per round.
    """

    def __init__(self, memory: Any, every: int) -> None:
        self.memory, self.every = memory, every
        self.cells: FloatArray = np.asarray(memory)
        self._rounds, self._scores = np.split(self.cells.reshape(KEPT, -1), [1], axis=1)

    def __reduce__(self) -> tuple[Any, ...]:
        return Tables, (self.memory, self.every)

    @staticmethod
    def room(classes: int) -> int:
        """Return the required size of ``cells``."""
        return KEPT * (1 + classes)

    def at(self, step: int) -> FloatArray:
        """Return the score of each class for masks of a step: float64, relative to the mean.

        All scores are 1 in the rounds 0 and 1.

        Raises:
            OptionError: when the table of the step's round is not available (yet, or any more).
        """
        wanted = step // self.every
        if wanted < 2:
            return np.ones(self._scores.shape[1])
        slot = wanted % KEPT
        before = self._rounds[slot, 0]
        scores: FloatArray = self._scores[slot].copy()
        if not before == self._rounds[slot, 0] == wanted:  # or it was overwritten meanwhile
            there = sorted({int(number) for number in self._rounds[:, 0] if number >= 2})
            raise OptionError(
                f"the losses for masks of step {step} (round {wanted}, of {self.every} steps) are "
                f"not available; available rounds: {[0, 1, *there]}. Batches can be prepared at "
                "most one round ahead of training: raise the strategy's 'every', or lower the "
                "number of workers or their prefetch factor"
            )
        return scores

    def publish(self, number: int, scores: FloatArray) -> None:
        """Write the scores of a round; they replace those of three rounds before."""
        slot = number % KEPT
        self._rounds[slot] = 0.0
        self._scores[slot] = scores
        self._rounds[slot] = number

    @staticmethod
    def fit(cells: FloatArray, number: int) -> bool:
        """Return whether cells have the content expected at the beginning of round ``number``."""
        rounds, scores = np.split(cells.reshape(KEPT, -1), [1], axis=1)
        before, *published = (n if n >= 2 else 0 for n in (number - 1, number, number + 1))
        slots = [(number + ahead) % KEPT for ahead in (-1, 0, 1)]
        oldest, *newer = rounds[slots, 0].tolist()
        return number >= 0 and newer == published and oldest in (0, before) and scores.min() >= 0


class Losses:
    """The exponential moving average of the loss of each class, for adaptive strategies.

    Training is divided into rounds of ``plan.every`` steps. At the end of a round, the mean loss of
    each class seen in it updates the score of the class; the scores are used for masks two rounds
    later. Masks of a step therefore do not depend on how far a data loader prefetches.

    The adapters of Trainer and fairseq do this. Other training loops call :meth:`add` with the
    losses of each step, then :meth:`advance_to`, and pass the object to the strategy as
    ``feedback``.

    Args:
        plan: ``strategy.feedback_plan``.
        classes: number of classes, ``plan.size(vocab)``.
        tables: memory of the scores; private to this process by default.

    Example:
        >>> losses = Losses(LossTrackingConfig(every=1), classes=3)
        >>> losses.add([0, 1, 1], [1.0, 2.0, 4.0])
        >>> losses.advance_to(step=1)
        >>> losses.at(2).tolist(), losses.hardest(1)
        ([0.5, 1.5, 1.0], [(1, 3.0)])
    """

    def __init__(
        self, plan: LossTrackingConfig, classes: int, tables: Tables | None = None
    ) -> None:
        self.plan = plan
        self.classes = classes
        self.tables = tables or Tables(np.zeros(Tables.room(classes)), plan.every)
        self.reset()

    def reset(self, step: int = 0) -> None:
        """Discard all losses; masks are uniform until losses from ``step`` on are published."""
        self.round = step // self.plan.every
        self.scores = np.full(self.classes, UNSEEN)
        self.sums = np.zeros((2, self.classes), np.int64)  # of the losses, and how many
        self.tables.cells[:] = 0.0
        for ahead in range(2):
            self._publish(self.round + ahead)

    def at(self, step: int) -> FloatArray:
        """Return the score of each class for masks of a step; see :meth:`Tables.at`."""
        return self.tables.at(step)

    def add(self, classes: Any, losses: Any) -> None:
        """Add the losses of predicted tokens.

        Args:
            classes: class of each token, from 0 to the number of classes - 1.
            losses: loss of each token. NaN and infinite values are ignored; negative ones count as
                0.

        Raises:
            TokenError: when a class is out of range or the lengths differ.
        """
        self.add_sums(sums_of(classes, losses, self.classes))

    def add_sums(self, sums: IntArray) -> None:
        """Add the result of :func:`sums_of` of one process, or the sum over processes."""
        self.sums += sums

    def advance_to(self, step: int) -> None:
        """End all rounds before ``step`` and publish their scores."""
        while self.round < step // self.plan.every:
            seen = self.sums[1] > 0
            means = self.sums[0, seen] / self.sums[1, seen] / SCALE
            old = self.scores[seen]
            # Unlike momentum * old + (1 - momentum) * mean, this keeps equal losses unchanged.
            moved = old + (1.0 - self.plan.momentum) * (means - old)
            self.scores[seen] = np.where(old == UNSEEN, means, moved)
            self.sums[:] = 0
            self._publish(self.round + 2)
            self.round += 1

    def _publish(self, number: int) -> None:
        if number >= 2:
            self.tables.publish(number, relative(self.scores))

    def hardest(self, n: int = 10) -> list[tuple[int, float]]:
        """Return the ``n`` classes with the highest scores, in descending order."""
        order = np.argsort(-self.scores, kind="stable")[:n]
        return [(int(c), float(self.scores[c])) for c in order if self.scores[c] != UNSEEN]

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a resumed run needs: numbers, text and arrays."""
        arrays = {"scores": self.scores, "sums": self.sums, "tables": self.tables.cells}
        copies = {name: array.copy() for name, array in arrays.items()}
        return {**self._identity(), "round": self.round, **copies}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`; arrays may be lists.

        Raises:
            SpecMismatchError: when the state has another plan or number of classes, or is damaged;
                the object is unchanged then.
        """
        if not isinstance(state, Mapping):
            raise SpecMismatchError(f"the saved losses are of type {type(state).__name__}")
        current = self._identity()
        saved = {name: _plain(state.get(name)) for name in current}
        if saved != current:
            raise SpecMismatchError(f"losses were saved with {saved}; this run has {current}")
        scores = _saved(state, "scores", (self.classes,), np.float64)
        sums = _saved(state, "sums", (2, self.classes), np.int64)
        cells = _saved(state, "tables", self.tables.cells.shape, np.float64)
        number = _plain(state.get("round"))
        if type(number) is not int or not Tables.fit(cells, number):
            raise SpecMismatchError(
                f"the saved losses are damaged: their tables are not those of round {number!r}"
            )
        if not ((scores >= 0) | (scores == UNSEEN)).all() or sums.min() < 0:
            raise SpecMismatchError("the saved losses are damaged: some are negative")
        self.round, self.scores, self.sums = number, scores, sums
        self.tables.cells[:] = cells

    def _identity(self) -> dict[str, Any]:
        return {**asdict(self.plan), "classes": self.classes}


def _plain(value: Any) -> int | float | str | None:
    """Return a saved number or text; None for anything else."""
    if type(value) is int and value.bit_length() > 63:
        return None  # Python refuses to print the largest ones
    return value if type(value) in (int, float, str) else None


def _saved(state: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a copy of a saved array; raise a SpecMismatchError for other values and shapes."""
    try:
        array = np.asarray(state.get(name))
    except (TypeError, ValueError, RecursionError):  # rows of different lengths
        array = np.empty(0, object)
    kinds = "iu" if dtype is np.int64 else "iuf"
    if array.dtype.kind not in kinds or array.shape != shape or not np.isfinite(array).all():
        raise SpecMismatchError(
            f"the saved losses are damaged: {name!r} is not {dtype.__name__} of shape {shape}"
        )
    return array.astype(dtype)


def sums_of(classes: Any, losses: Any, size: int) -> IntArray:
    """Return sum (in units of 2**-20) and count of the losses per class: int64 of shape (2, size).

    Each loss is rounded to a whole number of units, so that sums of batches and processes are exact
    in any order. See :meth:`Losses.add`.

    Raises:
        TokenError: when a class is out of range or the lengths differ.

    Example:
        >>> sums_of([1, 1, 0], [0.5, 1.0, float("nan")], size=2).tolist()
        [[0, 1572864], [0, 2]]
    """
    classes, losses = np.asarray(classes, np.int64), np.asarray(losses, np.float64)
    if classes.shape != losses.shape:
        raise TokenError(
            f"{losses.size} losses came with {classes.size} classes; expected one class per loss"
        )
    if classes.size and not 0 <= classes.min() <= classes.max() < size:
        raise TokenError(
            f"classes are from {classes.min()} to {classes.max()}; "
            f"expected values from 0 to {size - 1}"
        )
    there = np.isfinite(losses)
    sums = np.zeros((2, size), np.int64)
    units = np.rint(np.clip(losses[there], 0.0, MAX_LOSS) * SCALE).astype(np.int64)
    np.add.at(sums[0], classes[there], units)
    np.add.at(sums[1], classes[there], 1)
    return sums


def relative(scores: FloatArray) -> FloatArray:
    """Return scores divided by their mean; unseen classes get 1.

    Equal scores give exactly 1 each.

    Example:
        >>> relative(np.array([0.1, 0.1, UNSEEN, 0.1])).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    seen = scores[scores != UNSEEN]
    if not seen.size:
        return np.ones_like(scores)
    # Summing differences to the minimum is exact for equal scores.
    least = float(seen.min())
    mean = least + math.fsum(seen - least) / len(seen)
    if mean == 0.0:
        return np.ones_like(scores)
    return np.where(scores == UNSEEN, 1.0, scores / mean)
