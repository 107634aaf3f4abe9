"""The kinds of part that a strategy is made of: one abstract class for each question it answers.

Parts are frozen dataclasses. They know tokens, the vocabulary and their draws, and no framework.
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
#: What a model is trained on: labels in place, labels in a random order, or targets to generate.
Predicts = Literal["labels", "order", "targets"]


class Part(ABC):
    """Anything that can be registered and named in a spec; its dataclass fields are its options."""

    kind: ClassVar[str]
    #: The layers of a batch that the part reads, besides word_starts, sentence_starts, protected.
    required_annotations: tuple[str, ...] = ()
    #: How the losses are summed up that the part follows; None for parts that follow none.
    feedback_plan: LossTrackingConfig | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Check what authors get wrong first.

        Raises:
            PluginError: when the class lacks a method, or an argument is for an attribute without
                annotation.
        """
        definitions.check_methods(cls)
        if args or kwargs:
            definitions.check_arguments(cls, args, kwargs)
        return super().__new__(cls)


def parts_in(value: Any) -> Iterator[Part]:
    """A part, and every part among its options, in their order."""
    if isinstance(value, tuple):
        for item in value:
            yield from parts_in(item)
    elif isinstance(value, Part):
        yield value
        for item in fields(value) if is_dataclass(value) else ():
            yield from parts_in(getattr(value, item.name))


def added_later(*names: str) -> Callable[[Factory], Factory]:
    """Mark options that a registered factory (a function or a part's class) got after its release.

    Specs leave such an option out while it has its default, so that specs and fingerprints that
    are older than the option stay valid, and nothing needs a new version.

    Args:
        names: of the options; each has a default, with which masks are what they were before.

    Raises:
        PluginError: when the factory has no such option, or the option has no default.

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
    """When is the mask redrawn? Turns (epoch, step) into t."""

    kind = "clock"
    #: True when t depends on the step, so that an adapter must carry steps with the samples.
    needs_step: bool = False
    #: True when t never changes.
    is_static: bool = False

    @abstractmethod
    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        """T of every sample: int64, not negative, of the shape of ``epoch`` and ``step``."""


class Schedule(Part):
    """How much? A value that changes with progress, and is clamped outside [0, 1]."""

    kind = "schedule"

    @abstractmethod
    def __call__(self, progress: FloatArray) -> FloatArray:
        """The value at each progress: float64, of the same shape."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that the schedule can take."""


class SelectionBound(NamedTuple):
    """The most that a selector may choose in rows of given lengths: int64, one each.

    Attributes:
        tokens: how many tokens.
        spans: how many spans, empty ones among them.
        empty: how many empty spans.
    """

    tokens: IntArray
    spans: IntArray
    empty: IntArray


class Selector(Part):
    """Which tokens?"""

    kind = "selector"

    @abstractmethod
    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        """The chosen spans: sorted, disjoint, and only of tokens that may be masked."""

    def bound(self, lengths: IntArray) -> SelectionBound:
        """The most that may be chosen in rows of these lengths; no empty span by default."""
        return SelectionBound(lengths, lengths, np.zeros_like(lengths))


class Replacement(Part):
    """What is written there?"""

    kind = "replacement"

    @abstractmethod
    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        """What the model reads: a new ragged array of ids; ``tokens`` is left alone.

        A replacement that changes the number or the order of the tokens gives their ``sources``.
        """

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        """The greatest length that rows of ``lengths`` can get: int64, one each.

        Args:
            lengths: of the rows before.
            most: what the selector may choose in them.
        """
        return lengths


class Target(Part):
    """What must the model predict?"""

    kind = "target"
    #: What every result holds; None where that is known with the first result only.
    predicts: Predicts | None = None
    #: True for a target with a label for each input, however many the replacement made.
    each_input: bool = False

    @abstractmethod
    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        """Return the masked batch with ``labels`` (aligned with the inputs) or ``targets``.

        Args:
            tokens: the original.
            masked: holds the inputs and the selection.
            vocab: the vocabulary of the ids.
            rng: the draws of the samples.
        """

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        """The greatest length of what is predicted: int64, one each; see ``Replacement.bound``."""
        return lengths
