"""A sliding window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.errors import OptionError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole

#: Conventions for the size of a two-sided window; see :meth:`Window.huggingface`.
Bound = Literal["inclusive", "exclusive", "total"]


@dataclass(frozen=True)
class Window(Pattern):
    """A query attends to itself, ``left`` keys before it and ``right`` keys after it.

    Libraries define window sizes differently; ``Window.attention_gym``, ``Window.huggingface`` and
    ``Window.longformer`` convert theirs.

    Args:
        left: number of keys before the query, from 0; null for all; or a schedule for a growing
            window, ``window(left=linear(64, 512))``.
        right: number of keys after the query, likewise.

    Source: Beltagy et al., "Longformer", 2020; Jiang et al., "Mistral 7B", 2023.

    Example:
        >>> Window(left=1).dense(3)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    """

    left: Schedule | int | None
    right: Schedule | int | None = 0

    def __post_init__(self) -> None:
        check_whole("left", self.left, least=0)
        check_whole("right", self.right, least=0)

    @classmethod
    def attention_gym(cls, window_size: int) -> Window:
        """Return the window of attention-gym's ``generate_sliding_window``.

        Args:
            window_size: distance of the farthest key, ``0 <= q - k <= window_size``;
                ``window_size + 1`` keys are visible, the query's own included.

        Example:
            >>> Window.attention_gym(2)
            Window(left=2, right=0)
        """
        check_whole("window_size", window_size, least=0)
        return cls(left=window_size, right=0)

    @classmethod
    def huggingface(
        cls, sliding_window: int, causal: bool = True, bound: Bound = "inclusive"
    ) -> Window:
        """Return the window of ``config.sliding_window`` in transformers, whose meaning varies.

        Args:
            sliding_window: the value in the config of the built model, which may be derived from
                another number.
            causal: whether the model is causal (Mistral, Gemma, ModernBERT decoder, GPT-OSS): then
                it is the number of visible keys, the query's own included:
                ``q - sliding_window < k <= q``.
            bound: its meaning in a bidirectional model. "inclusive": ``|q - k| <= sliding_window``
                (ModernBERT, whose config derives it as ``local_attention // 2``; UltraBERT,
                EmbeddingGemma 2, the encoder of T5Gemma, decoders with ``config.is_causal=False``).
                "exclusive": ``|q - k| < sliding_window`` (Gemma 3 with
                ``use_bidirectional_attention``, as in EmbeddingGemma, whose config converts its
                value to ``sliding_window // 2 + 1``). "total": the number of keys on both sides
                together, the query's own included (the encoder of T5Gemma 2).

        Example:
            >>> Window.huggingface(3), Window.huggingface(3, causal=False)
            (Window(left=2, right=0), Window(left=3, right=3))
            >>> Window.huggingface(3, causal=False, bound="exclusive")
            Window(left=2, right=2)
        """
        if bound not in get_args(Bound):
            choices = ", ".join(map(repr, get_args(Bound)))
            raise OptionError(f"option 'bound' is {bound!r}; choices: {choices}")
        check_whole(
            "sliding_window", sliding_window, 0 if not causal and bound == "inclusive" else 1
        )
        if causal:
            return cls(left=sliding_window - 1, right=0)
        if bound == "total":
            return cls(left=(sliding_window - 1) // 2, right=sliding_window // 2)
        reach = sliding_window - (bound == "exclusive")
        return cls(left=reach, right=reach)

    @classmethod
    def longformer(cls, attention_window: int) -> Window:
        """Return the window of a Longformer or LED in transformers.

        Args:
            attention_window: both sides together, without the query's own key; even. In
                Longformer's original code, the same name is one side: use ``Window(w, w)``.

        Example:
            >>> Window.longformer(512)
            Window(left=256, right=256)
        """
        check_whole("attention_window", attention_window, least=2)
        if attention_window % 2:
            raise OptionError(
                f"option 'attention_window' is {attention_window!r}; it must be even, because it "
                "counts both sides together"
            )
        return cls(left=attention_window // 2, right=attention_window // 2)

    def rows(self, call: AttentionCall) -> Intervals:
        q = call.q
        first = -call.kv_len if self.left is None else q - call.value(self.left)
        last = call.kv_len if self.right is None else q + call.value(self.right)
        return call.intervals((first, last + 1))
