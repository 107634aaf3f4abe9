"""What is said, once each, of patterns that do not do what they seem to."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from maskplug.attention import AttentionKind, Fallback, Pattern
from maskplug.errors import MaskplugWarning, OptionError
from maskplug.types import BoolArray


class Notices:
    """Warnings of one model's patterns.

    Args:
        who: the model's class.
        fallback: what queries see that would see nothing.

    Attributes:
        compared: the places whose pattern has been compared with the model's own rule.
    """

    def __init__(self, who: str, fallback: Fallback | None) -> None:
        self.who = who
        self.fallback = fallback
        self._said: set[str] = set()
        self.compared: set[AttentionKind] = set()

    def untold(self, patterns: Iterable[Pattern]) -> None:
        """Warn of patterns that change with a time that nobody tells."""
        moving = [pattern for pattern in patterns if pattern.is_dynamic]
        if moving:
            self._say(
                "time",
                f"pattern {moving[0]} changes during training, and nobody tells it the time: it "
                "stays as it is at the start. Say follow(trainer) on what use_attention returned, "
                "or set_time(…) before each step, and set_time(progress=1.0) for a trained model",
            )

    def empty(self, place: AttentionKind, lost: BoolArray) -> None:
        """Warn of queries that would see nothing.

        Args:
            place: the site's.
            lost: which ones, no padding among them: bool of shape (batch, heads, queries).

        Raises:
            OptionError: if that was asked for.
        """
        sample, head, query = (int(axis[0]) for axis in lost.nonzero())
        message = (
            f"the pattern of {place!r} leaves no key to {int(lost.sum())} of {lost.size} queries "
            f"(the first: sample {sample}, head {head}, query {query})"
        )
        if self.fallback == "error":
            raise OptionError(message)
        shown = "the first token" if place == "cross" or self.fallback == "first" else "themselves"
        self._say(f"empty {place}", f"{message}; such queries see {shown}")

    def additions(self, place: AttentionKind, own: Any, seen: Any, real: Any) -> None:
        """Warn, at a place's first mask, of a pattern that could only add to the model's own rule.

        A prefix pattern on a causal model, say. Symmetric ones (windows to both sides, documents)
        are made for any model, and a short text fills their window: they are not spoken of.

        Args:
            place: the site's.
            own, seen: what the model and the pattern show, (batch, heads, queries, keys).
            real: the tokens that are no padding, (batch or 1, keys).
        """
        queries, keys = own.shape[-2:]
        if place in self.compared or queries != keys or queries == 1:
            return
        self.compared.add(place)
        both = real[:, None, None] & real[:, None, :, None]
        takes = (own & ~seen & both).any()
        adds = (seen & ~own & both).any()
        if adds and not takes and ((seen != seen.transpose(-1, -2)) & both).any():
            self._say(
                f"adds {place}",
                f"the pattern of {place!r} hides nothing that {self.who} shows by its own rule, "
                "and what it adds stays hidden: say keep_own=False to let the pattern alone decide",
            )

    def _say(self, about: str, message: str) -> None:
        if about not in self._said:
            self._said.add(about)
            warnings.warn(message, MaskplugWarning, stacklevel=2)
