"""A strategy: what turns a batch into inputs and predictions, under a name. And nothing more."""

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
    """A masking strategy. Make one with :func:`strategy` or :func:`compose`.

    Attributes:
        label: the pinned name, ``dynamic@1`` or ``distribution:name@1``.
        options: all options of the name in canonical form, defaults included (but for those of
            :func:`maskplug.parts.added_later`); None where they are those of the class itself.
    """

    kind = "strategy"

    label: str = field(default="", kw_only=True)
    options: Mapping[str, Any] | None = field(default=None, kw_only=True)

    @abstractmethod
    def mask(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask a batch; :meth:`__call__` is what users call."""

    @property
    @abstractmethod
    def primary_clock(self) -> Clock:
        """The clock whose t observers and messages name."""

    @abstractmethod
    def bounds(self, lengths: IntArray) -> tuple[IntArray, IntArray]:
        """The greatest lengths of inputs and of predictions for rows of these lengths: int64."""

    @property
    def predicts(self) -> Predicts | None:
        """What every result holds: "labels", labels with an "order", or "targets".

        It is known before anything is masked. None where the strategy, or its target, does not
        declare it.
        """
        return None

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """All clocks inside, those of its stages included."""
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
        """Mask a batch. The result depends on nothing but the arguments, sample by sample.

        Args:
            tokens: what to mask; it is not changed.
            vocab: the vocabulary of its ids.
            seed: from 0 to 2**64 - 1.
            epoch: counted from 0; one for all samples, or one each.
            step: counted from 0; one for all samples, or one each.
            progress: for schedules, from 0 (start of training) to 1 (its end).
            feedback: for adaptive strategies, the losses that the model has told.

        Raises:
            MaskplugError: when tokens, vocabulary and strategy do not fit together, or a part
                returned something else than it must.
            StrategyError: when a part raised; the message says how to reproduce it.

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
        """Mask eight ordinary tokens, unseen by observers: what fails always should fail early.

        Returns:
            What became of them, from which an adapter learns what kinds of output to expect.

        Raises:
            MaskplugError: what masking any batch would raise.
        """
        ids = vocab.ordinary[:8]
        annotations = {name: np.zeros(len(ids), np.int64) for name in self.required_annotations}
        starts = np.ones(len(ids), np.bool_)
        annotations |= {"word_starts": starts, "sentence_starts": starts}  # type: ignore[dict-item]
        tokens = TokenBatch.from_flat(ids, [0, len(ids)], [0], annotations)
        return self._masked(tokens, vocab, MaskingContext.at(seed, 0, 0, tokens.keys))

    def _masked(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> Masked:
        """Mask a batch; what a part of a plugin raises is explained."""
        try:
            masked = self.mask(tokens, vocab, context)
            check_type(masked, Masked, "mask")
        except ResultError as error:
            if str(error).startswith("strategy "):  # a strategy inside this one has named itself
                raise
            raise ResultError(f"strategy {self.label!r}: {error}") from error
        except (MaskplugError, *PASSED_ON):
            raise
        except BaseException as error:  # a part must not end the process by SystemExit
            raise self._explained(error, tokens, vocab, context) from error
        return masked

    def _check_annotations(self, tokens: TokenBatch) -> None:
        missing = [name for name in self.required_annotations if name not in tokens.annotations]
        if missing:
            have = ", ".join(map(repr, tokens.annotations)) or "none"
            raise TokenError(
                f"strategy {self.label!r} reads the layer {missing[0]!r}, one value for each "
                f"token, and the batch does not have it (its layers: {have}); 'maskplug list "
                f"{self.label.split('@')[0]}' says what it holds"
            )

    def _explained(
        self, error: BaseException, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext
    ) -> StrategyError:
        what = f"strategy {self.label!r} raised {described(error)}"
        if not len(tokens):
            return StrategyError(f"{what}\n  the batch has no samples")
        guilty = self._guilty(tokens, vocab, context)
        ids = " ".join(map(str, tokens.row(guilty).ids.tolist()))
        try:
            time = f"t = {context.rng(self.primary_clock).t[guilty]}"
        except Exception as stuck:
            time = f"no t, for the clock {self.primary_clock!r} raised {described(stuck)}"
        sample = f"  sample key {tokens.keys[guilty]}, {time}"
        try:
            options = shlex.quote(self.options_json)
        except PluginError as error:
            return StrategyError(f"{what}\n{sample}\n  no command reproduces it: {error}")
        command = (
            f"maskplug show --strategy {self.label} --options {options} "
            f"--seed {context.seed} --epoch {context.epoch[guilty]} --step {context.step[guilty]} "
            f"--progress {context.progress[guilty]} --key {tokens.keys[guilty]} --ids '{ids}'"
        )
        return StrategyError(f"{what}\n{sample}\n  reproduce it: {command}")

    def _guilty(self, tokens: TokenBatch, vocab: Vocabulary, context: MaskingContext) -> int:
        """The first sample that raises on its own, or the first one."""
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
        """Whether masks depend on the step, so that it must travel with the samples."""
        return any(clock.needs_step for clock in self.clocks) or self.feedback_plan is not None

    @cached_property
    def needs_progress(self) -> bool:
        """Whether any option is a schedule, so that progress must travel with the samples."""
        return any(isinstance(part, Schedule) for part in self._parts)

    @cached_property
    def is_static(self) -> bool:
        """Whether a sample's mask never changes."""
        moves = self.needs_progress or self.feedback_plan is not None
        return not moves and all(clock.is_static for clock in self.clocks)

    @cached_property
    def feedback_plan(self) -> LossTrackingConfig | None:  # type: ignore[override]
        """How the losses are summed up that masks follow; None where they follow none.

        Raises:
            OptionError: when two parts want it in two ways.
        """
        plans = {part.feedback_plan for part in self._leaves} - {None}
        if len(plans) > 1:
            raise OptionError(
                f"strategy {self.label!r} has parts that follow losses in different ways: "
                f"{', '.join(sorted(map(str, plans)))}; give them the same options"
            )
        return plans.pop() if plans else None

    @cached_property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        """The layers of a batch that its parts read."""
        return tuple(
            dict.fromkeys(name for part in self._leaves for name in part.required_annotations)
        )

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        return tuple(parts_in(self))[1:]

    @property
    def _leaves(self) -> list[Part]:
        """The parts that are no strategies."""
        return [part for part in self._parts if not isinstance(part, Strategy)]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Name, version and every option, as plain JSON values: all that makes the strategy."""
        options = self.options
        if options is None:
            own = {item.name for item in fields(Strategy)}
            names = [item.name for item in fields(self) if item.name not in own]
            options = {name: specs.canonical(getattr(self, name)) for name in names}
        return {"strategy": self.label, "options": dict(options)}

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stand for the spec."""
        return specs.fingerprint(self.spec)

    @property
    def options_json(self) -> str:
        """The options as the command line takes them."""
        return specs.to_json(self.spec["options"])

    def __repr__(self) -> str:
        try:
            spec = self.spec
        except PluginError:  # a part of the user's own, which has no name
            own = {item.name for item in fields(Strategy)}
            parts = [getattr(self, f.name) for f in fields(self) if f.name not in own]
            return f"<maskplug strategy of {', '.join(map(repr, parts))}>"
        given = ", ".join(f"{k}={v!r}" for k, v in spec["options"].items())
        return f"<maskplug strategy {self.label}({given}) {self.fingerprint}>"


def strategy(name: str | Mapping[str, Any] | Strategy, /, **options: Any) -> Strategy:
    """A strategy by name, or from a spec.

    Args:
        name: ``"span"``, ``"span@1"``, ``"distribution:span@1"``; or a ``Strategy.spec``.
        options: the strategy's options; ``maskplug list`` and its own page name them.

    Raises:
        UnknownNameError: when there is no such strategy; near names are suggested.
        OptionError: for an unknown or wrong option.

    Example:
        >>> strategy("span", rate=0.2).spec["options"]["rate"]
        0.2
    """
    if isinstance(name, Strategy):
        if options:
            raise OptionError(f"{name!r} is made already; options {sorted(options)} come too late")
        return name
    if isinstance(name, Mapping):
        if set(name) != {"strategy", "options"}:
            keys = shortened(list(name))
            raise OptionError(f"a spec has the keys 'strategy' and 'options', not {keys}")
        if not isinstance(name["options"], Mapping):
            value = shortened(name["options"])
            raise OptionError(f"the options of a spec are a mapping, not {value}")
        entry = registry().find("strategy", name["strategy"])
        options = {**name["options"], **options}
    else:
        entry = registry().find("strategy", name)
    made: Strategy = specs.build(entry, options)
    return made


def part(kind: str, name: str, **options: Any) -> Any:
    """A part by kind and name.

    Example:
        >>> part("schedule", "linear", start=0.3, end=0.15)
        Linear(start=0.3, end=0.15)
    """
    return specs.resolve(kind, {"name": name, **options})
