"""The strategy: masks a batch; built by name, from a spec or by ``compose``."""

from __future__ import annotations

import shlex
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from maskplug import spec as specs
from maskplug.context import MaskingContext, MaskingEvent
from maskplug.errors import (
    PASSED_ON,
    MaskplugError,
    OptionError,
    PluginError,
    ResultError,
    StrategyError,
    TokenError,
    described,
    shortened,
)
from maskplug.loss_tracking import LossTrackingConfig
from maskplug.parts import Clock, Part, Predicts, Schedule, parts_in
from maskplug.plugins import plugins, registry
from maskplug.rng import Feedback
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import FloatArray, IntArray
from maskplug.validation.results import check_arguments, check_type
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Strategy(Part):
    """A masking strategy; build one with :func:`strategy` or :func:`compose`.

    Attributes:
        label: the pinned name, ``dynamic@1`` or ``distribution:name@1``.
        options: all options in canonical form, with defaults (except those of
            :func:`maskplug.parts.added_later`); None if they are the fields of the class.
    """

    kind = "strategy"

    label: str = field(default="", kw_only=True)
    options: Mapping[str, Any] | None = field(default=None, kw_only=True)

    @abstractmethod
    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask a batch; users call :meth:`__call__`."""

    @property
    @abstractmethod
    def primary_clock(self) -> Clock:
        """The clock whose t observers and messages use."""

    @abstractmethod
    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """Return the maximum lengths of inputs and predictions for rows of these lengths: int64."""

    @property
    def predicts(self) -> Predicts | None:
        """The form of every result: "labels", "order" (labels with an order) or "targets".

        None if the strategy or its target does not declare it.
        """
        return None

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """All clocks of the strategy, stages included."""
        return tuple(part for part in self._parts if isinstance(part, Clock))

    def __call__(
        self,
        tokens: TokenBatch,
        vocab: Vocabulary,
        *,
        seed: int = 0,
        epoch: int | IntArray = 0,
        step: int | IntArray = 0,
        progress: float | FloatArray = 0.0,
        feedback: Feedback | None = None,
    ) -> Masked:
        """Mask a batch. The result of a sample depends on the arguments only, not on other samples.

        Args:
            tokens: the batch; it is not changed.
            vocab: the vocabulary of its ids.
            seed: from 0 to 2**64 - 1.
            epoch: counted from 0; an int, or an int64 array with one per sample.
            step: counted from 0; an int, or an int64 array with one per sample.
            progress: for schedules, from 0 (start of training) to 1 (end).
            feedback: for adaptive strategies, the tracked losses.

        Raises:
            MaskplugError: when tokens, vocabulary and strategy do not match, or a part returned an
                invalid result.
            StrategyError: when a part raised; the message contains a command that reproduces it.

        Example:
            >>> import maskplug
            >>> vocab = maskplug.Vocabulary(size=100, mask_id=4, special_ids=[2, 3])
            >>> tokens = maskplug.TokenBatch.from_lists([[2, 17, 88, 51, 3]], keys=["doc-1"])
            >>> masked = maskplug.strategy("dynamic", rate=0.4)(tokens, vocab, seed=7, epoch=1)
            >>> masked.inputs.to_lists(), masked.labels.to_lists()
            ([[2, 17, 88, 34, 3]], [[-100, -100, -100, 51, -100]])
        """
        check_arguments(tokens, vocab)
        self._check_annotations(tokens)
        context = MaskingContext.at(seed, epoch, step, tokens.keys, progress, feedback)
        masked = self._masked(tokens, vocab, context)
        loaded = plugins()
        if loaded.observed:
            loaded.after_mask(masked, MaskingEvent(self, tokens, vocab, context))
        return masked

    def dry_run(self, vocab: Vocabulary, seed: int = 0) -> Masked:
        """Mask eight ordinary tokens without calling observers, so that errors are raised early.

        Returns:
            The result; its form tells adapters what output to expect.

        Raises:
            MaskplugError: as any call.
        """
        ids = vocab.ordinary[:8]
        annotations = {name: np.zeros(len(ids), np.int64) for name in self.required_annotations}
        starts = np.ones(len(ids), np.bool_)
        annotations |= {"word_starts": starts, "sentence_starts": starts}  # type: ignore[dict-item]
        tokens = TokenBatch.from_flat(ids, [0, len(ids)], [0], annotations)
        return self._masked(tokens, vocab, MaskingContext.at(seed, 0, 0, tokens.keys))

    def _masked(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask a batch; explain exceptions of parts."""
        try:
            masked = self.mask(tokens, vocab, context)
            check_type(masked, Masked, "mask")
        except ResultError as error:
            if str(error).startswith("strategy "):  # already names an inner strategy
                raise
            raise ResultError(f"strategy {self.label!r}: {error}") from error
        except (MaskplugError, *PASSED_ON):
            raise
        except BaseException as error:  # also SystemExit
            raise self._explained(error, tokens, vocab, context) from error
        return masked

    def _check_annotations(self, tokens: TokenBatch) -> None:
        missing = [name for name in self.required_annotations if name not in tokens.annotations]
        if missing:
            have = ", ".join(map(repr, tokens.annotations)) or "none"
            raise TokenError(
                f"strategy {self.label!r} requires the annotation {missing[0]!r}, one value "
                f"per token, but the batch has only: {have}. 'maskplug list "
                f"{self.label.split('@')[0]}' describes it"
            )

    def _explained(
        self, error: BaseException, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext
    ) -> StrategyError:
        problem = f"strategy {self.label!r} raised {described(error)}"
        if not len(tokens):
            return StrategyError(f"{problem}\n  the batch has no samples")
        failing = self._first_failing(tokens, vocab, context)
        ids = " ".join(map(str, tokens.row(failing).ids.tolist()))
        try:
            time = f"t = {context.rng(self.primary_clock).t[failing]}"
        except Exception as clock_error:
            time = f"no t: the clock {self.primary_clock!r} raised {described(clock_error)}"
        sample = f"  sample key {tokens.keys[failing]}, {time}"
        try:
            options = shlex.quote(self.options_json)
        except PluginError as error:
            return StrategyError(
                f"{problem}\n{sample}\n  it cannot be reproduced by a command: {error}"
            )
        command = (
            f"maskplug show --strategy {self.label} --options {options} "
            f"--seed {context.seed} --epoch {context.epoch[failing]} "
            f"--step {context.step[failing]} --progress {context.progress[failing]} "
            f"--key {tokens.keys[failing]} --ids '{ids}'"
        )
        return StrategyError(f"{problem}\n{sample}\n  reproduce it with: {command}")

    def _first_failing(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> int:
        """Return the first sample that raises when masked alone, or 0."""
        for i in range(len(tokens)):
            try:
                self.mask(tokens.row(i), vocab, context.take(np.array([i])))
            except PASSED_ON:
                raise
            except BaseException:
                return i
        return 0

    @cached_property
    def needs_step(self) -> bool:
        """Whether masks depend on the step, so that adapters must pass it with the samples."""
        return any(clock.needs_step for clock in self.clocks) or self.feedback_plan is not None

    @cached_property
    def needs_progress(self) -> bool:
        """Whether any option is a schedule, so that adapters must pass the progress."""
        return any(isinstance(part, Schedule) for part in self._parts)

    @cached_property
    def is_static(self) -> bool:
        """Whether the mask of a sample never changes."""
        changes = self.needs_progress or self.feedback_plan is not None
        return not changes and all(clock.is_static for clock in self.clocks)

    @cached_property
    def feedback_plan(self) -> LossTrackingConfig | None:  # type: ignore[override]
        """How losses are tracked for the masks; None for strategies that use no losses.

        Raises:
            OptionError: when parts require different configurations.
        """
        plans = {part.feedback_plan for part in self._leaves} - {None}
        if len(plans) > 1:
            raise OptionError(
                f"strategy {self.label!r} has parts that track losses differently: "
                f"{', '.join(sorted(map(str, plans)))}; use the same options for them"
            )
        return plans.pop() if plans else None

    @cached_property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        """The annotations that its parts need."""
        return tuple(
            dict.fromkeys(name for part in self._leaves for name in part.required_annotations)
        )

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        return tuple(parts_in(self))[1:]

    @property
    def _leaves(self) -> list[Part]:
        """The parts that are not strategies."""
        return [part for part in self._parts if not isinstance(part, Strategy)]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Name, version and all options as plain JSON values."""
        options = self.options
        if options is None:
            options = {name: specs.canonical(value) for name, value in self._field_values.items()}
        return {"strategy": self.label, "options": dict(options)}

    @property
    def _field_values(self) -> dict[str, Any]:
        """The fields of the class without label and options."""
        common = {item.name for item in fields(Strategy)}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in common}

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the spec."""
        return specs.fingerprint(self.spec)

    @property
    def options_json(self) -> str:
        """The options as JSON for the command line."""
        return specs.to_json(self.spec["options"])

    def __repr__(self) -> str:
        try:
            spec = self.spec
        except PluginError:  # a part that is not registered
            return f"<maskplug strategy of {', '.join(map(repr, self._field_values.values()))}>"
        options = ", ".join(f"{k}={v!r}" for k, v in spec["options"].items())
        return f"<maskplug strategy {self.label}({options}) {self.fingerprint}>"


def strategy(name: str | Mapping[str, Any] | Strategy, /, **options: Any) -> Strategy:
    """Build a strategy by name or from a spec.

    Args:
        name: ``"span"``, ``"span@1"``, ``"distribution:span@1"``, a ``Strategy.spec``, or a built
            strategy, which is returned.
        options: options of the strategy; ``maskplug list NAME`` describes them.

    Raises:
        UnknownNameError: for an unknown name; similar names are suggested.
        OptionError: for an unknown or invalid option.

    Example:
        >>> strategy("span", rate=0.2).spec["options"]["rate"]
        0.2
    """
    if isinstance(name, Strategy):
        if options:
            raise OptionError(
                f"cannot pass options {sorted(options)} together with the built strategy {name!r}"
            )
        return name
    label: Any = name
    if isinstance(name, Mapping):
        if set(name) != {"strategy", "options"}:
            keys = shortened(list(name))
            raise OptionError(f"a spec has the keys 'strategy' and 'options', got {keys}")
        if not isinstance(name["options"], Mapping):
            value = shortened(name["options"])
            raise OptionError(f"the options of a spec are a mapping, got {value}")
        label, options = name["strategy"], {**name["options"], **options}
    built: Strategy = specs.build(registry().find("strategy", label), options)
    return built


def part(kind: str, name: str, **options: Any) -> Any:
    """Build a part by kind and name.

    Example:
        >>> part("schedule", "linear", start=0.3, end=0.15)
        Linear(start=0.3, end=0.15)
    """
    return specs.resolve(kind, {"name": name, **options})
