"""Numbers of queries and keys from the options of ``maskplug attention``."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.attention.pattern import Pattern
from maskplug.cli.show import SAMPLE
from maskplug.cli.tokenizers import read
from maskplug.errors import OptionError, TokenError
from maskplug.spec import options_from_json
from maskplug.viz.pattern import picture
from maskplug.vocabulary.spelling import plain

#: An example of --annotations, for messages.
LIKE = '{"documents": [0, 0, 1, 1]}'
#: The default number of queries.
LENGTH = 16


def pieces(text: str | None, tokenizer: str | None) -> list[str] | None:
    """Return the tokens of a text; of a sample sentence if there is only a tokenizer."""
    if text is None and tokenizer is None:
        return None
    text = SAMPLE if text is None else text
    reader = read(tokenizer, text)
    return [plain(reader.piece(token), reader.vocab.word_mark) for token in reader.encode(text)]


def annotations_of(text: str | None) -> dict[str, Any]:
    """Return annotations from a JSON object of lists, or of numbers for the whole sample.

    Raises:
        OptionError: if it is not a JSON object, or an annotation has the name of an argument.
        TokenError: if an annotation is not a list of integers.
    """
    annotations = {} if text is None else options_from_json(text, "--annotations", LIKE)
    taken = {
        name
        for function in (picture, Pattern.intervals)
        for name in inspect.signature(function).parameters
    }
    for name, values in annotations.items():
        if name in taken:
            raise OptionError(f"--annotations: {name!r} is not an annotation")
        try:
            annotations[name] = np.asarray(values)
        except ValueError:
            raise TokenError(f"--annotations: {name!r} has rows of different lengths") from None
        if annotations[name].dtype.kind not in "iub":
            raise TokenError(
                f"--annotations: {name!r} is {values!r}; it must be a list of integers"
            )
        if annotations[name].ndim > 1 and len(annotations[name]) != 1:
            raise TokenError(
                f"--annotations: {name!r} has rows for {len(annotations[name])} samples, but "
                "one is shown; put the rows of one sample in another pair of brackets"
            )
    return annotations


@dataclass(frozen=True)
class Requested:
    """The options that determine queries and keys.

    Attributes:
        attention_kind: "encoder", "decoder" or "cross".
        length, keys: number of queries and keys, or None.
        text: tokens of the queries, in self-attention of the keys.
        source: tokens of the keys, in cross attention.
    """

    attention_kind: str
    length: int | None
    keys: int | None
    text: list[str] | None
    source: list[str] | None

    def arguments(self, annotations: dict[str, Any]) -> dict[str, Any]:
        """Return lengths, offset and texts, as arguments of ``picture``.

        Raises:
            OptionError: if two options contradict each other.
        """
        if self.attention_kind == "cross":
            of_queries = {name: a for name, a in annotations.items() if "quer" in name}
            rest = {name: a for name, a in annotations.items() if name not in of_queries}
            queries = _length("--length", self.length, "--text", self.text, of_queries, LENGTH)
            keys = _length("--keys", self.keys, "--source", self.source, rest, queries)
            texts = {"queries": self.text, "key_texts": self.source}
            return {"q_len": queries, "kv_len": keys, **texts}
        if self.source is not None:
            raise OptionError("--source is for cross attention: add --attention-kind cross")
        name, most = ("--length", self.length) if self.keys is None else ("--keys", self.keys)
        keys = _length(name, most, "--text", self.text, annotations, LENGTH)
        queries = keys if self.length is None else self.length
        if queries > keys:
            raise OptionError(
                f"--length is {queries} and --keys {keys}; in self-attention every query is one of "
                "the keys (not with --attention-kind cross)"
            )
        offset = keys - queries
        texts = {"queries": self.text and self.text[offset:], "key_texts": self.text}
        return {"q_len": queries, "kv_len": keys, "offset": offset, **texts}


def _length(
    option: str,
    number: int | None,
    other: str,
    tokens: list[str] | None,
    annotations: dict[str, Any],
    default: int,
) -> int:
    """Return a length from an option, a text, the longest annotation, or the default."""
    if number is not None and tokens is not None and number != len(tokens):
        raise OptionError(f"{option} is {number}, and {other} has {len(tokens)} tokens")
    if number is not None:
        return number
    if tokens is not None:
        return len(tokens)
    rows = [a.shape[-1] for a in annotations.values() if a.ndim in (1, 2) and a.shape[-1] > 1]
    return max(rows, default=default)
