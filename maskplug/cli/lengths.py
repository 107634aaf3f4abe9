"""How many queries and keys there are, from what the command line says of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.attention.pattern import Pattern
from maskplug.attention.pictures.snapshot import picture
from maskplug.cli.show import SAMPLE
from maskplug.cli.tokenizers import read
from maskplug.errors import OptionError, TokenError
from maskplug.spec import options_from_json
from maskplug.vocabulary.spelling import plain

#: What --layers looks like, for messages.
LIKE = '{"documents": [0, 0, 1, 1]}'
#: Without anything that says how many.
LENGTH = 16


def pieces(text: str | None, tokenizer: str | None) -> list[str] | None:
    """The tokens of a text; of a sentence of ours where there is only a tokenizer."""
    if text is None and tokenizer is None:
        return None
    text = SAMPLE if text is None else text
    reader = read(tokenizer, text)
    return [plain(reader.piece(token), reader.vocab.word_mark) for token in reader.encode(text)]


def layers_of(text: str | None) -> dict[str, Any]:
    """Layers from a JSON object: a list each, or a number for the whole sample.

    Raises:
        OptionError: when it is no JSON object, or a layer has the name of another argument.
        TokenError: when a layer is no list of numbers.
    """
    annotations = {} if text is None else options_from_json(text, "--annotations", LIKE)
    taken = {
        name
        for function in (picture, Pattern.intervals)
        for name in inspect.signature(function).parameters
    }
    for name, values in annotations.items():
        if name in taken:
            raise OptionError(f"--layers: no layer is called {name!r}")
        try:
            annotations[name] = np.asarray(values)
        except ValueError:
            raise TokenError(f"--layers: the rows of {name!r} are not of one length") from None
        if annotations[name].dtype.kind not in "iub":
            raise TokenError(f"--layers: {name!r} is {values!r}; it is a list of whole numbers")
        if annotations[name].ndim > 1 and len(annotations[name]) != 1:
            raise TokenError(
                f"--layers: {name!r} has the rows of {len(annotations[name])} samples; here one is "
                "shown: put what belongs to it into another pair of brackets"
            )
    return annotations


@dataclass(frozen=True)
class Asked:
    """What the command line says of queries and keys.

    Attributes:
        place: "encoder", "decoder" or "cross".
        length, keys: how many queries and keys, or None.
        text: the tokens of the queries, in self-attention of the keys.
        source: the tokens of the keys, in cross attention.
    """

    attention_kind: str
    length: int | None
    keys: int | None
    text: list[str] | None
    source: list[str] | None

    def arguments(self, annotations: dict[str, Any]) -> dict[str, Any]:
        """Lengths, offset and texts, as ``Pattern.picture`` takes them.

        Raises:
            OptionError: when two of the command line's options contradict each other.
        """
        if self.attention_kind == "cross":
            of_queries = {name: a for name, a in annotations.items() if "quer" in name}
            rest = {name: a for name, a in annotations.items() if name not in of_queries}
            queries = _agreed("--length", self.length, "--text", self.text, of_queries, LENGTH)
            keys = _agreed("--keys", self.keys, "--source", self.source, rest, queries)
            texts = {"queries": self.text, "key_texts": self.source}
            return {"q_len": queries, "kv_len": keys, **texts}
        if self.source is not None:
            raise OptionError("--source is the keys' text in cross attention: --place cross")
        name, most = ("--length", self.length) if self.keys is None else ("--keys", self.keys)
        keys = _agreed(name, most, "--text", self.text, annotations, LENGTH)
        queries = keys if self.length is None else self.length
        if queries > keys:
            raise OptionError(
                f"--length is {queries} and --keys {keys}; in self-attention every query is one of "
                "the keys (--place cross: of another text)"
            )
        offset = keys - queries
        texts = {"queries": self.text and self.text[offset:], "key_texts": self.text}
        return {"q_len": queries, "kv_len": keys, "offset": offset, **texts}


def _agreed(
    option: str,
    number: int | None,
    other: str,
    tokens: list[str] | None,
    annotations: dict[str, Any],
    default: int,
) -> int:
    """How many there are, by an option, a text, the longest layer, or else the default."""
    if number is not None and tokens is not None and number != len(tokens):
        raise OptionError(f"{option} is {number}, and {other} has {len(tokens)} tokens")
    if number is not None:
        return number
    if tokens is not None:
        return len(tokens)
    rows = [a.shape[-1] for a in annotations.values() if a.ndim in (1, 2) and a.shape[-1] > 1]
    return max(rows, default=default)
