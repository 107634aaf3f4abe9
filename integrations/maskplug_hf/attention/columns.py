"""The columns of a batch that become the layers of a site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from maskplug.attention import AttentionKind, Pattern
from maskplug.errors import OptionError, TokenError
from maskplug.types import IntArray
from maskplug_hf.attention.facts import MaskFacts
from maskplug_hf.attention.forward import Forward

#: What else a layer may be called in a batch.
ALIASES = {"documents": "document_ids"}
#: Layers that come from the attention mask.
DERIVED = ("valid", "valid_queries")
#: What layers of cross attention begin with that have one value a query, and others that do too.
QUERY = "query_"
OF_QUERIES = ("sources_read",)
PREFIXES = ("", "decoder_", "encoder_")


def names(patterns: Iterable[Pattern]) -> frozenset[str]:
    """Every column that is taken out of a batch for these patterns."""
    read = {name for pattern in patterns for name in pattern.all_required_annotations}
    layers = {"documents", *(name.removeprefix(QUERY) for name in read)}
    layers = {*layers, *(ALIASES[name] for name in layers if name in ALIASES)} - {*DERIVED}
    return frozenset({"sample_keys", *(prefix + name for prefix in PREFIXES for name in layers)})


def prefix(place: AttentionKind, seq2seq: bool, queries: bool = False) -> str:
    """What the columns of a place begin with.

    The main text has plain names: the encoder's in models with two stacks, else the only one's.

    Args:
        place: the site's.
        seq2seq: whether the model has two stacks.
        queries: of the queries of cross attention, not of its keys.
    """
    if seq2seq:
        return "decoder_" if place == "decoder" or queries else ""
    return "encoder_" if place == "cross" and not queries else ""


def layers(
    forward: Forward, facts: MaskFacts, place: AttentionKind, pattern: Pattern
) -> dict[str, Any]:
    """What a site knows of its tokens.

    In cross attention, the target's columns give the layers that have one value a query.

    Raises:
        TokenError: when the pattern reads what the batch does not hold.
    """
    seq2seq = forward.attention.seq2seq
    own = prefix(place, seq2seq)
    # Only the text that a decoder writes grows.
    found = _columns(forward, own, facts.keys if place == "decoder" else None)
    if place == "cross":
        tokens = forward.offset(place, facts) + facts.queries
        queries = _columns(forward, prefix(place, seq2seq, queries=True), tokens)
        found = {name: value for name, value in found.items() if name not in OF_QUERIES}
        found |= {name: value for name, value in queries.items() if name in OF_QUERIES}
        found |= {f"{QUERY}{name}": value for name, value in queries.items()}
    elif not own and "documents" not in found and forward.positions is not None:
        documents = _documents(forward.positions, facts)
        found |= {} if documents is None else {"documents": documents}
    if (keys := forward.sample_keys) is not None and keys.ndim == 2:
        found["document_keys"] = _document_keys(keys, facts, pattern)
    found = {name: _for_batch(value, facts.batch) for name, value in found.items()}
    found["valid"] = facts.real(place)
    if place == "cross" and forward.decoder is not None:
        found["valid_queries"] = forward.decoder[1]
    if missing := [name for name in pattern.all_required_annotations if name not in found]:
        raise TokenError(_missing(pattern, place, seq2seq, missing))
    return found


def _document_keys(keys: Any, facts: MaskFacts, pattern: Pattern) -> Any:
    """The keys of packed samples, one a token.

    Raises:
        OptionError: when the pattern would draw for whole rows.
    """
    if pattern.clocks and not pattern.separates:
        raise OptionError(
            f"pattern {pattern} draws for each sample, and 'sample_keys' of shape {keys.shape} are "
            f"those of packed rows: say '({pattern}) & document'"
        )
    return _so_far(keys, facts.keys)


def _columns(forward: Forward, start: str, tokens: int | None) -> dict[str, Any]:
    """The columns that begin so, by their layers' names.

    Args:
        forward: that has them.
        start: a prefix.
        tokens: how many there are in a text that grows; None for one that does not.
    """
    layer_of = {alias: layer for layer, alias in ALIASES.items()}
    every = dict(forward.lasting)
    if tokens is not None:
        every = {name: _so_far(value, tokens) for name, value in every.items()}
    every |= forward.columns
    names = [name.removeprefix(start) for name in every if name.startswith(start)]
    return {layer_of.get(name, name): every[start + name] for name in names}


def _so_far(value: Any, tokens: int) -> Any:
    """A column of the tokens up to the last query.

    Its last value holds for all tokens that were generated since; those that it says of tokens to
    come are left out.
    """
    if getattr(value, "ndim", 0) != 2 or not value.shape[1]:
        return value
    more = max(tokens - value.shape[1], 0)
    return np.pad(value, ((0, 0), (0, more)), mode="edge")[:, :tokens]


def _for_batch(value: Any, batch: int) -> Any:
    """Beams of one sample have the same layers."""
    rows = 1 if getattr(value, "ndim", 1) == 0 else len(value)
    if rows < 2 or batch % rows or batch == rows:
        return value
    if isinstance(value, list):
        return [row for row in value for _ in range(batch // rows)]
    return np.repeat(value, batch // rows, 0)


def _documents(positions: IntArray, facts: MaskFacts) -> IntArray | None:
    """Documents from positions that start anew with each; None where they do not tell."""
    if positions.shape[1] == facts.keys:
        return np.cumsum(np.diff(positions, axis=1, prepend=positions[:, :1] - 1) != 1, axis=1)
    # With a cache, only one document can be told: its queries' positions count all that came.
    here = slice(facts.offset, facts.offset + facts.queries)
    real = facts.real("decoder")
    counted = np.cumsum(real, axis=1)[:, here] - 1
    if positions.shape[1] == facts.queries and ((positions == counted) | ~real[:, here]).all():
        return np.zeros((1, facts.keys), np.int64)
    return None


def _missing(pattern: Pattern, place: AttentionKind, seq2seq: bool, missing: list[str]) -> str:
    def said(layer: str) -> str:
        queries = place == "cross" and (layer in OF_QUERIES or layer.startswith(QUERY))
        start, name = prefix(place, seq2seq, queries), layer.removeprefix(QUERY)
        alias = ALIASES.get(name)
        return f"'{start}{name}'" + (f" (or '{start}{alias}')" if alias else "")

    return (
        f"pattern {pattern} reads what the batch does not hold: {', '.join(map(said, missing))} "
        f"(for the place {place!r}). Let the collator add it beside 'input_ids'; a Trainer drops a "
        "data set's columns that its model does not name, unless remove_unused_columns=False"
    )
