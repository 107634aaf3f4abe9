"""A window that slides along with the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole

#: What the number of a window to both sides means; see :meth:`Window.huggingface`.
Bound = Literal["inclusive", "exclusive", "total"]


@dataclass(frozen=True)
class Window(Pattern):
    """A query sees itself, ``left`` keys before it and ``right`` keys behind it.

    Libraries count windows in different ways; ``Window.attention_gym``, ``Window.huggingface`` and
    ``Window.longformer`` take theirs.

    Args:
        left: how many keys before the query, from 0; null for all of them. A schedule lets the
            window grow: ``window(left=linear(64, 512))``.
        right: how many keys behind the query, likewise.

    Source: Beltagy et al., "Longformer", 2020; Jiang et al., "Mistral 7B", 2023.

    Example:
        >>> Window(left=1).dense(3)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    """

    left: Schedule | int | None
    right: Schedule | int | None = 0

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_whole("left", self.left, least=0)
        check_whole("right", self.right, least=0)

    @classmethod
    def attention_gym(cls, window_size: int) -> Window:
        """The window of attention-gym's ``generate_sliding_window``.

        Args:
            window_size: the farthest key is so many places back, ``0 <= q - k <= window_size``: one
                key more than that is visible, the query's own among them.

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
        """The window of a ``config.sliding_window`` in transformers, whose meaning varies.

        Args:
            sliding_window: as it stands in the config of the built model, which may have derived it
                from another number.
            causal: whether the model is causal (Mistral, Gemma, ModernBERT decoder, GPT-OSS): the
                number is that of visible keys, the query's own among them,
                ``q - sliding_window < k <= q``.
            bound: what it means in a model that looks to both sides. "inclusive":
                ``|q - k| <= sliding_window`` (ModernBERT, whose config derives it as
                ``local_attention // 2``; UltraBERT, EmbeddingGemma 2, the encoder of T5Gemma, and
                decoders with ``config.is_causal=False``). "exclusive": ``|q - k| < sliding_window``
                (Gemma 3 with ``use_bidirectional_attention``, as in EmbeddingGemma, whose config
                makes ``sliding_window // 2 + 1`` of what it is given). "total": so many keys
                together, the query's own among them (the encoder of T5Gemma 2).

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
        """The window of a Longformer or LED in transformers.

        Args:
            attention_window: both sides together, without the query's own key; even. The original
                code of Longformer gives one side by this name: that is ``Window(w, w)``.

        Example:
            >>> Window.longformer(512)
            Window(left=256, right=256)
        """
        check_whole("attention_window", attention_window, least=2)
        if attention_window % 2:
            raise OptionError(
                f"option 'attention_window' is {attention_window!r}; it counts both sides together "
                "and must be even"
            )
        return cls(left=attention_window // 2, right=attention_window // 2)

    def rows(self, site: AttentionCall) -> Intervals:
        q = site.q
        first = -site.kv_len if self.left is None else q - site.value(self.left)
        last = site.kv_len if self.right is None else q + site.value(self.right)
        return site.intervals((first, last + 1))
