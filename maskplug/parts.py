"""Abstract base classes of the parts that a strategy is composed of.

Parts are frozen dataclasses. They use tokens, the vocabulary and random draws, and no framework.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeVar

import numpy as np

from maskplug.errors import PluginError
from maskplug.loss_tracking import LossTrackingConfig
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import FloatArray, IntArray
from maskplug.validation import definitions
from maskplug.vocabulary import Vocabulary

Factory = TypeVar("Factory", bound=Callable[..., Any])
#: Training targets: labels in place, labels in a random order, or sequences to generate.
Predicts = Literal["labels", "order", "targets"]


class Part(ABC):
    """Base class of everything that has a registered name; its dataclass fields are its options."""

    kind: ClassVar[str]
    #: Annotations that the part needs, besides word_starts, sentence_starts and protected.
    required_annotations: tuple[str, ...] = ()
    #: How the part needs losses to be tracked; None for parts that use no losses.
    feedback_plan: LossTrackingConfig | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Check the class and the arguments before the instance is created.

        Raises:
            PluginError: when the class lacks a method, or an argument names an attribute without
                a type annotation.
        """
        definitions.check_methods(cls)
        if args or kwargs:
            definitions.check_arguments(cls, args, kwargs)
        return super().__new__(cls)


def parts_in(value: Any) -> Iterator[Part]:
    """Yield a part and all parts among its options, in order."""
    if isinstance(value, tuple):
        for item in value:
            yield from parts_in(item)
    elif isinstance(value, Part):
        yield value
        for item in fields(value) if is_dataclass(value) else ():
            yield from parts_in(getattr(value, item.name))


def added_later(*names: str) -> Callable[[Factory], Factory]:
    """Mark options that were added to a registered factory after its release.

    Specs omit such an option while it has its default, so that older specs and fingerprints stay
    valid and no new version is needed.

    Args:
        names: the options; each needs a default that leaves the masks as before.

    Raises:
        PluginError: when the factory has no such option or the option has no default.

    Example:
        >>> @added_later("deep")
        ... def masker(rate: float = 0.15, deep: bool = False) -> None: ...
        >>> masker.added_options
        frozenset({'deep'})
    """

    def mark(factory: Factory) -> Factory:
        parameters = inspect.signature(factory).parameters
        for name in names:
            if name not in parameters or parameters[name].default is inspect.Parameter.empty:
                raise PluginError(
                    f"{factory.__name__} marks {name!r} as added later; it must be one of its "
                    f"options that have a default: {', '.join(parameters) or 'it has none'}"
                )
        inherited: frozenset[str] = getattr(factory, "added_options", frozenset())
        factory.added_options = inherited | {*names}  # type: ignore[attr-defined]
        return factory

    return mark


class Clock(Part):
    """When is the mask redrawn? A clock turns (epoch, step) into t."""

    kind = "clock"
    #: True when t depends on the step, so that adapters must pass steps with the samples.
    needs_step: bool = False
    #: True when t never changes.
    is_static: bool = False

    @abstractmethod
    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        """Return t of every sample: int64, not negative, of the shape of ``epoch`` and ``step``."""


class Schedule(Part):
    """A value as a function of training progress, clamped outside [0, 1]."""

    kind = "schedule"

    @abstractmethod
    def __call__(self, progress: FloatArray) -> FloatArray:
        """Return the value at each progress: float64, of the same shape."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The minimum and maximum of the schedule."""


class SelectionBound(NamedTuple):
    """Upper bounds of what a selector chooses in rows of given lengths: int64, one per row.

    Attributes:
        tokens: maximum number of tokens.
        spans: maximum number of spans, empty spans included.
        empty: maximum number of empty spans.
    """

    tokens: IntArray
    spans: IntArray
    empty: IntArray


class Selector(Part):
    """Which tokens are selected?"""

    kind = "selector"

    @abstractmethod
    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        """Return the selected spans: sorted, disjoint, maskable tokens only."""

    def bound(self, lengths: IntArray) -> SelectionBound:
        """Return upper bounds for rows of these lengths; by default all tokens, no empty span."""
        return SelectionBound(lengths, lengths, np.zeros_like(lengths))


class Replacement(Part):
    """What replaces the selected tokens?"""

    kind = "replacement"

    @abstractmethod
    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        """Return the input ids of the model as a new ragged array; ``tokens`` is not changed.

        A replacement that changes the number or the order of the tokens sets ``sources``.
        """

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        """Return the maximum length of rows after replacement: int64, one per row.

        Args:
            lengths: the row lengths before replacement.
            most: upper bounds of the selection.
        """
        return lengths


class Target(Part):
    """What does the model predict?"""

    kind = "target"
    #: The form of every result; None if it is known only from a result.
    predicts: Predicts | None = None
    #: True for a target with one label per input token, whatever the replacement does.
    each_input: bool = False

    @abstractmethod
    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        """Return the inputs with aligned ``labels``, or with ``targets`` of any length."""

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        """Return the maximum length of the prediction: int64; see ``Replacement.bound``."""
        return lengths
