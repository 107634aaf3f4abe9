"""A strategy: a selector, a replacement, a target and a clock under a name. And nothing more."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from maskplug import spec as specs
from maskplug.arrays import FloatArray, IntArray, spread
from maskplug.errors import MaskplugError, OptionError, PluginError, StrategyError
from maskplug.parts import Clock, Part, Replacement, Schedule, Selector, Target
from maskplug.plugins import plugins, registry
from maskplug.rng import Rng
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Context:
    """What an observer is told beside the result: who masked what, with which draws."""

    strategy: Strategy
    tokens: TokenBatch
    vocab: Vocabulary
    rng: Rng


def _times(name: str, value: int | IntArray, samples: int) -> IntArray:
    times = np.asarray(value)
    if times.size and times.dtype.kind not in "iu":
        raise OptionError(f"{name} is {value!r}; it must be a whole number, or one for each sample")
    if times.shape not in ((), (samples,)):
        raise OptionError(f"{name} has shape {times.shape} for {samples} samples")
    return spread(times, np.int64, samples)


def _schedules(value: Any) -> bool:
    """Whether a part, or a part inside it, has a schedule among its options."""
    if isinstance(value, tuple):
        return any(map(_schedules, value))
    if not isinstance(value, Part):
        return False
    return isinstance(value, Schedule) or any(
        _schedules(getattr(value, field.name))
        for field in fields(value)  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class Strategy:
    """A masking strategy. Make one with :func:`strategy` or :func:`compose`.

    Attributes:
        selector, replacement, target, clock: its four parts.
        label: the pinned name, ``dynamic@1`` or ``distribution:name@1``.
        options: all options of the name in canonical form, defaults included.
    """

    selector: Selector
    replacement: Replacement
    target: Target
    clock: Clock
    label: str = "compose@1"
    options: Mapping[str, Any] | None = None

    def __call__(
        self,
        tokens: TokenBatch,
        vocab: Vocabulary,
        *,
        seed: int = 0,
        epoch: int | IntArray = 0,
        step: int | IntArray = 0,
        progress: float | FloatArray = 0.0,
    ) -> Masked:
        """Mask a batch. The result depends on nothing but the arguments, sample by sample.

        Args:
            tokens: what to mask; it is not changed.
            vocab: the vocabulary of its ids.
            seed: from 0 to 2**64 - 1.
            epoch: counted from 0; one for all samples, or one each.
            step: counted from 0; one for all samples, or one each.
            progress: for schedules, from 0 (start of training) to 1 (its end).

        Raises:
            MaskplugError: when tokens, vocabulary and strategy do not fit together.
            StrategyError: when a part raised; the message says how to reproduce it.

        Example:
            >>> import maskplug
            >>> vocab = maskplug.Vocabulary(size=100, mask_id=4, special_ids=[2, 3])
            >>> tokens = maskplug.TokenBatch.from_lists([[2, 17, 88, 51, 3]], keys=["doc-1"])
            >>> masked = maskplug.strategy("dynamic", rate=0.4)(tokens, vocab, seed=7, epoch=1)
            >>> masked.inputs.to_lists(), masked.labels.to_lists()
            ([[2, 17, 88, 34, 3]], [[-100, -100, -100, 51, -100]])
        """
        epochs = _times("epoch", epoch, len(tokens))
        steps = _times("step", step, len(tokens))
        rng = Rng.at(seed, self._time(epochs, steps), tokens.keys, progress)
        try:
            masked = self._mask(tokens, vocab, rng)
        except MaskplugError:
            raise
        except Exception as error:
            raise self._explained(error, tokens, vocab, rng, epochs, steps) from error
        plugins().after_mask(masked, Context(self, tokens, vocab, rng))
        return masked

    def _time(self, epochs: IntArray, steps: IntArray) -> IntArray:
        try:
            return self.clock(epochs, steps)
        except MaskplugError:
            raise
        except Exception as error:
            raise StrategyError(
                f"the clock {self.clock!r} of strategy {self.label!r} raised "
                f"{type(error).__name__}: {error}"
            ) from error

    def _mask(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Masked:
        selection = self.selector.select(tokens, vocab, rng)
        inputs = self.replacement.replace(tokens, selection, vocab, rng)
        return self.target.build(tokens, selection, inputs, vocab)

    def _explained(
        self,
        error: Exception,
        tokens: TokenBatch,
        vocab: Vocabulary,
        rng: Rng,
        epochs: IntArray,
        steps: IntArray,
    ) -> StrategyError:
        what = f"strategy {self.label!r} raised {type(error).__name__}: {error}"
        if not len(tokens):
            return StrategyError(f"{what}\n  the batch has no samples")
        guilty = self._guilty(tokens, vocab, rng)
        ids = " ".join(map(str, tokens.row(guilty).ids.tolist()))
        sample = f"  sample key {tokens.keys[guilty]}, t = {rng.t[guilty]}"
        try:
            options = shlex.quote(self.options_json)
        except PluginError as error:
            return StrategyError(f"{what}\n{sample}\n  no command reproduces it: {error}")
        command = (
            f"maskplug show --strategy {self.label} --options {options} "
            f"--seed {rng.seed} --epoch {epochs[guilty]} --step {steps[guilty]} "
            f"--progress {rng.progress[guilty]} --key {tokens.keys[guilty]} --ids '{ids}'"
        )
        return StrategyError(f"{what}\n{sample}\n  reproduce it: {command}")

    def _guilty(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> int:
        """The first sample that raises on its own, or the first one."""
        for i in range(len(tokens)):
            try:
                self._mask(tokens.row(i), vocab, rng.row(i))
            except Exception:
                return i
        return 0

    @property
    def needs_step(self) -> bool:
        """Whether masks depend on the step, so that it must travel with the samples."""
        return self.clock.needs_step

    @property
    def needs_progress(self) -> bool:
        """Whether any option is a schedule, so that progress must travel with the samples."""
        return _schedules((self.selector, self.replacement, self.target))

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Name, version and every option, as plain JSON values: all that makes the strategy."""
        options = self.options
        if options is None:
            names = ("selector", "replacement", "target", "clock")
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
            parts = (self.selector, self.replacement, self.target, self.clock)
            return f"<maskplug strategy of {', '.join(map(repr, parts))}>"
        given = ", ".join(f"{k}={v!r}" for k, v in spec["options"].items())
        return f"<maskplug strategy {self.label}({given}) {self.fingerprint}>"


def strategy(name: str | Mapping[str, Any] | Strategy, **options: Any) -> Strategy:
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
            raise OptionError(f"a spec has the keys 'strategy' and 'options', not {list(name)}")
        if not isinstance(name["options"], Mapping):
            raise OptionError(f"the options of a spec are a mapping, not {name['options']!r}")
        return strategy(name["strategy"], **{**name["options"], **options})
    entry = registry().find("strategy", name)
    made, canonical = specs.build(entry, options)
    if not isinstance(made, Strategy):
        raise OptionError(f"{entry.provider}: strategy {entry.label!r} returned {made!r}")
    return replace(made, label=entry.pinned, options=canonical)


def part(kind: str, name: str, **options: Any) -> Any:
    """A part by kind and name.

    Example:
        >>> part("schedule", "linear", start=0.3, end=0.15)
        Linear(start=0.3, end=0.15)
    """
    return specs.resolve(kind, {"name": name, **options})


def compose(
    selector: Selector | str,
    replacement: Replacement | str = "mix",
    target: Target | str = "labels",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Any selector, replacement, target and clock, by name or as parts.

    Example:
        >>> compose(part("selector", "exact", rate=0.5), clock="never").label
        'compose@1'
    """
    return Strategy(
        specs.resolve("selector", selector),
        specs.resolve("replacement", replacement),
        specs.resolve("target", target),
        specs.resolve("clock", clock),
    )
