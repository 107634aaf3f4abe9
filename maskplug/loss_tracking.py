"""What a model tells of its losses, and when masks may follow it: in rounds, two rounds later."""

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

#: Losses are summed as whole numbers of 2**-20, so that no order of adding can change a sum.
SCALE = 1 << 20
#: What greater losses count as.
GREATEST = float(1 << 15)
#: How many tables are kept: of the round before, of this one and of the next.
KEPT = 3
#: The score of a class that has not been seen.
UNSEEN = -1.0


@dataclass(frozen=True)
class LossTrackingConfig:
    """How losses are summed up for the masks that follow them.

    Args:
        every: the number of optimizer steps of a round.
        momentum: from 0 to 1, how much of a score stays when a round ends; 1 keeps the first.
        by: "token" (a class is a token id) or "layer" (the batch's layer ``classes`` tells it).
        classes: their number, for "layer"; None for "token", where the vocabulary tells it.
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
        """The number of classes."""
        return vocab.size if self.classes is None else self.classes


class Tables:
    """The scores that masks are drawn with, of three rounds, in cells that processes may share.

    One process publishes, any number read. A round's table is published a whole round before its
    first step, so that a process that makes batches less than a round ahead always finds it.

    Args:
        memory: ``Tables.room(classes)`` float64 zeros, as an array, or in memory that processes
            share: a tensor after ``share_memory_()``, for example. It is pickled in its place.
        every: the number of steps of a round.
    """

    def __init__(self, memory: Any, every: int) -> None:
        self.memory, self.every = memory, every
        self.cells: FloatArray = np.asarray(memory)
        self._rounds, self._scores = np.split(self.cells.reshape(KEPT, -1), [1], axis=1)

    def __reduce__(self) -> tuple[Any, ...]:
        return Tables, (self.memory, self.every)

    @staticmethod
    def room(classes: int) -> int:
        """The number of cells."""
        return KEPT * (1 + classes)

    @property
    def classes(self) -> int:
        """The number of scores of a table."""
        return int(self._scores.shape[1])

    def at(self, step: int) -> FloatArray:
        """The score of each class for masks of this step: float64, 1 for the mean.

        All are 1 in the rounds 0 and 1.

        Raises:
            OptionError: when the table of the step's round is not there (yet, or any more).
        """
        wanted = step // self.every
        if wanted < 2:
            return np.ones(self.classes)
        slot = wanted % KEPT
        before = self._rounds[slot, 0]
        scores: FloatArray = self._scores[slot].copy()
        if not before == self._rounds[slot, 0] == wanted:  # also where it changed meanwhile
            there = sorted({int(number) for number in self._rounds[:, 0] if number >= 2})
            raise OptionError(
                f"the losses that masks of step {step} follow (round {wanted}, of {self.every} "
                f"steps) are not there; there are those of the rounds {[0, 1, *there]}. A batch "
                "may be made less than a round ahead of training: raise the strategy's 'every', "
                "or lower the number of workers or what they load ahead"
            )
        return scores

    def publish(self, number: int, scores: FloatArray) -> None:
        """Make these the scores of a round; those of three rounds before are gone."""
        slot = number % KEPT
        self._rounds[slot] = 0.0
        self._scores[slot] = scores
        self._rounds[slot] = number

    @staticmethod
    def fit(cells: FloatArray, number: int) -> bool:
        """Whether these cells hold what has been published when round ``number`` begins."""
        rounds, scores = np.split(cells.reshape(KEPT, -1), [1], axis=1)
        before, *published = (n if n >= 2 else 0 for n in (number - 1, number, number + 1))
        slots = [(number + ahead) % KEPT for ahead in (-1, 0, 1)]
        oldest, *newer = rounds[slots, 0].tolist()
        return number >= 0 and newer == published and oldest in (0, before) and scores.min() >= 0

    def clear(self) -> None:
        """Only the rounds 0 and 1 are there."""
        self.cells[:] = 0.0


class Losses:
    """An exponential moving average of the loss of each class, for adaptive strategies to follow.

    Time is cut into rounds of ``plan.every`` steps. When a round ends, the mean loss of each class
    that was seen in it moves the class's score; the scores then are the table of the round after
    the next one. Masks of a step therefore depend on the step's round alone, not on how far ahead
    a data-loading worker runs.

    Adapters do all this in Trainer and in fairseq; a training loop of one's own calls :meth:`add`
    with the losses of each step, :meth:`reach` after it, and gives the object to the strategy.

    Args:
        plan: ``strategy.feedback_plan``.
        classes: their number: ``plan.size(vocab)``.
        tables: where scores are published; in this process's memory by default.

    Example:
        >>> losses = Losses(Plan(every=1), classes=3)
        >>> losses.add([0, 1, 1], [1.0, 2.0, 4.0])
        >>> losses.reach(step=1)
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
        """Forget everything: masks are uniform until losses from ``step`` on have been published.

        What a run tells after this is what it would have told at first.
        """
        self.round = step // self.plan.every
        self.scores = np.full(self.classes, UNSEEN)
        self.sums = np.zeros((2, self.classes), np.int64)  # of the losses, and how many
        self.tables.clear()
        for ahead in range(2):
            self._publish(self.round + ahead)

    def at(self, step: int) -> FloatArray:
        """The score of each class for masks of this step; see :meth:`Tables.at`."""
        return self.tables.at(step)

    def add(self, classes: Any, losses: Any) -> None:
        """Take in the losses of predicted tokens.

        Args:
            classes: of each token, from 0 to the number of classes - 1.
            losses: of each token. NaN and infinite ones are left out; negative ones count as 0.

        Raises:
            TokenError: when a class is out of range, or there is not one for each loss.
        """
        self.add_sums(sums_of(classes, losses, self.classes))

    def add_sums(self, sums: IntArray) -> None:
        """Take in what :func:`sums_of` made, of one process or, added up, of many."""
        self.sums += sums

    def advance_to(self, step: int) -> None:
        """Say that the steps before ``step`` are over: the rounds that ended are published."""
        while self.round < step // self.plan.every:
            self._close()

    def _close(self) -> None:
        seen = self.sums[1] > 0
        means = self.sums[0, seen] / self.sums[1, seen] / SCALE
        old = self.scores[seen]
        # This form, unlike momentum * old + (1 - momentum) * mean, leaves equal losses alone.
        moved = old + (1.0 - self.plan.momentum) * (means - old)
        self.scores[seen] = np.where(old == UNSEEN, means, moved)
        self.sums[:] = 0
        self._publish(self.round + 2)
        self.round += 1

    def _publish(self, number: int) -> None:
        if number >= 2:
            self.tables.publish(number, relative(self.scores))

    def hardest(self, n: int = 10) -> list[tuple[int, float]]:
        """The ``n`` classes with the greatest scores among those seen, hardest first."""
        order = np.argsort(-self.scores, kind="stable")[:n]
        return [(int(c), float(self.scores[c])) for c in order if self.scores[c] != UNSEEN]

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs to make the same masks: numbers, text and arrays."""
        arrays = {"scores": self.scores, "sums": self.sums, "tables": self.tables.cells}
        copies = {name: array.copy() for name, array in arrays.items()}
        return {**self._identity(), "round": self.round, **copies}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state_dict`; lists do for arrays.

        Raises:
            SpecMismatchError: when it is of another plan or number of classes, or damaged. Nothing
                has changed then.
        """
        if not isinstance(state, Mapping):
            raise SpecMismatchError(f"the saved losses are of type {type(state).__name__}")
        own = self._identity()
        saved = {name: _plain(state.get(name)) for name in own}
        if saved != own:
            raise SpecMismatchError(f"losses were saved with {saved}; this run follows {own}")
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
    """A saved number or text; None for anything else."""
    if type(value) is int and value.bit_length() > 63:
        return None  # Python refuses to print the largest ones
    return value if type(value) in (int, float, str) else None


def _saved(state: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """A copy of a saved array, or of the lists that stand for one.

    Raises:
        SpecMismatchError: when it is no array of finite numbers of this shape.
    """
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
    """The losses of each class in units of 2**-20, and how many there are: int64, shape (2, size).

    Each loss is rounded to a whole number of units first, so that sums of several batches or
    processes add up exactly, in any order. See :meth:`Losses.add`.

    Raises:
        TokenError: when a class is out of range, or there is not one for each loss.

    Example:
        >>> sums_of([1, 1, 0], [0.5, 1.0, float("nan")], size=2).tolist()
        [[0, 1572864], [0, 2]]
    """
    classes, losses = np.asarray(classes, np.int64), np.asarray(losses, np.float64)
    if classes.shape != losses.shape:
        raise TokenError(f"{losses.size} losses came with {classes.size} classes: one each")
    if classes.size and not 0 <= classes.min() <= classes.max() < size:
        raise TokenError(
            f"the classes go from {classes.min()} to {classes.max()}; "
            f"there are those from 0 to {size - 1}"
        )
    there = np.isfinite(losses)
    sums = np.zeros((2, size), np.int64)
    units = np.rint(np.clip(losses[there], 0.0, GREATEST) * SCALE).astype(np.int64)
    np.add.at(sums[0], classes[there], units)
    np.add.at(sums[1], classes[there], 1)
    return sums


def relative(scores: FloatArray) -> FloatArray:
    """Scores divided by their mean; a class that has not been seen has the mean, 1.

    Equal scores give exactly 1 each.

    Example:
        >>> relative(np.array([0.1, 0.1, UNSEEN, 0.1])).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    seen = scores[scores != UNSEEN]
    if not seen.size:
        return np.ones_like(scores)
    # The sum of what exceeds the least is exact for equal scores, and rounded once for others.
    least = float(seen.min())
    mean = least + math.fsum(seen - least) / len(seen)
    if mean == 0.0:
        return np.ones_like(scores)
    return np.where(scores == UNSEEN, 1.0, scores / mean)
