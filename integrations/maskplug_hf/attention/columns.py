"""The columns of a batch: taken from a model's inputs, and turned into per-token annotations."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import torch

from maskplug.attention import AttentionKind, Pattern
from maskplug.errors import OptionError, TokenError
from maskplug.types import IntArray
from maskplug_hf.attention.mask_metadata import ForwardPass, MaskMetadata, metadata_of

MASKS = ("attention_mask", "decoder_attention_mask", "encoder_attention_mask")
#: Other column names of annotations.
ALIASES = {"documents": "document_ids"}
#: Annotations that come from the attention mask.
FROM_MASK = ("valid", "valid_queries")
#: Annotations of cross-attention with one value per query: by prefix, and by name.
QUERY = "query_"
QUERY_NAMES = ("sources_read",)


@cache
def argument_names(module_class: Any) -> tuple[str, ...]:
    """Return the names of the arguments of a module's ``forward``, in order."""
    return tuple(inspect.signature(module_class.forward).parameters)[1:]


def bind_inputs(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return positional and keyword arguments by name."""
    return {**dict(zip(argument_names(module.__class__), args, strict=False)), **kwargs}


def check_masks(inputs: Mapping[str, Any]) -> None:
    """Raise an OptionError for a mask with four dimensions, which would replace the pattern."""
    for name in MASKS:
        value = inputs.get(name)
        for mask in value.values() if isinstance(value, dict) else (value,):
            if mask is None or getattr(mask, "ndim", 2) == 2 or metadata_of(mask) is not None:
                continue
            raise OptionError(
                f"{name!r} is a {type(mask).__name__} with {mask.ndim} dimensions; transformers "
                "would use it in place of the pattern. Pass a mask of shape (batch, tokens) with 1 "
                "for each real token and add the rest to the pattern, or call remove() first"
            )


def with_cross_mask(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the inputs with a mask for cross-attention: without one, BERT requests no mask."""
    name, inputs = "encoder_attention_mask", bind_inputs(module, args, kwargs)
    accepted, states = argument_names(module.__class__), inputs.get("encoder_hidden_states")
    if name not in accepted or states is None or inputs.get(name) is not None:
        return args, kwargs
    ones = torch.ones(states.shape[:2], dtype=torch.long, device=states.device)
    return (), {**inputs, name: ones}


def as_numpy(value: Any) -> Any:
    """Return a tensor, array or list as a numpy array; ragged lists are returned unchanged."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    try:
        return np.asarray(value)
    except ValueError:
        return value


def arrays(inputs: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the inputs with these names as numpy arrays."""
    present = {name: inputs[name] for name in sorted(names) if inputs.get(name) is not None}
    return {name: as_numpy(value) for name, value in present.items()}


def column_names(patterns: Iterable[Pattern]) -> frozenset[str]:
    """Return the names of all columns that are removed from a batch for these patterns."""
    required = {name for pattern in patterns for name in pattern.all_required_annotations}
    names = {"documents", *(name.removeprefix(QUERY) for name in required)}
    names = {*names, *(ALIASES[name] for name in names if name in ALIASES)} - {*FROM_MASK}
    prefixes = ("", "decoder_", "encoder_")
    return frozenset({"sample_keys", *(prefix + name for prefix in prefixes for name in names)})


def call_annotations(
    forward: ForwardPass, metadata: MaskMetadata, kind: AttentionKind, pattern: Pattern
) -> dict[str, Any]:
    """Return the annotations of an attention call by name.

    In cross-attention, the columns of the target hold the annotations with one value per query.

    Raises:
        TokenError: when the batch lacks a column that the pattern reads.
    """
    prefix = _prefix(forward, kind)
    # Only the decoder's text grows.
    values = _columns(forward, prefix, metadata.kv_len if kind == "decoder" else None)
    if kind == "cross":
        tokens = query_offset(forward, metadata, kind) + metadata.q_len
        queries = _columns(forward, _prefix(forward, kind, queries=True), tokens)
        values = {name: value for name, value in values.items() if name not in QUERY_NAMES}
        values |= {name: value for name, value in queries.items() if name in QUERY_NAMES}
        values |= {f"{QUERY}{name}": value for name, value in queries.items()}
    elif not prefix and "documents" not in values and forward.position_ids is not None:
        documents = _documents(forward.position_ids, metadata)
        values |= {} if documents is None else {"documents": documents}
    if (keys := forward.sample_keys) is not None and keys.ndim == 2:
        if pattern.clocks and not pattern.separates:
            raise OptionError(
                f"pattern {pattern} draws per sample, but 'sample_keys' has the shape {keys.shape} "
                f"of packed rows: use '({pattern}) & document'"
            )
        values["document_keys"] = _fit_length(keys, metadata.kv_len)
    values = {name: _repeat_beams(value, metadata.batch_size) for name, value in values.items()}
    values["valid"] = metadata.real(kind)
    if kind == "cross" and forward.decoder_queries is not None:
        values["valid_queries"] = forward.decoder_queries[1]
    if missing := [name for name in pattern.all_required_annotations if name not in values]:
        raise TokenError(_missing(forward, kind, pattern, missing))
    return values


def query_offset(forward: ForwardPass, metadata: MaskMetadata, kind: AttentionKind) -> int:
    """Return the number of tokens before the first query; the decoder's in cross-attention."""
    if kind == "cross" and forward.decoder_queries is not None:
        return forward.decoder_queries[0]
    return metadata.q_offset


def _prefix(forward: ForwardPass, kind: AttentionKind, queries: bool = False) -> str:
    """Return the column prefix of the keys, or (in cross-attention) of the queries."""
    # Columns without a prefix describe the encoder's text, or the only text of other models.
    if forward.settings.seq2seq:
        return "decoder_" if kind == "decoder" or queries else ""
    return "encoder_" if kind == "cross" and not queries else ""


def _columns(forward: ForwardPass, prefix: str, tokens: int | None) -> dict[str, Any]:
    """Return the columns with a prefix, by annotation name; the given ones fitted to a length."""
    fixed = forward.given_columns.items()
    columns = {n: value if tokens is None else _fit_length(value, tokens) for n, value in fixed}
    columns |= forward.columns
    annotation_of = {alias: name for name, alias in ALIASES.items()}
    names = [name.removeprefix(prefix) for name in columns if name.startswith(prefix)]
    return {annotation_of.get(name, name): columns[prefix + name] for name in names}


def _fit_length(value: Any, tokens: int) -> Any:
    """Cut a column to the tokens up to the last query, or repeat its last value up to there."""
    if getattr(value, "ndim", 0) != 2 or not value.shape[1]:
        return value
    missing = max(tokens - value.shape[1], 0)
    return np.pad(value, ((0, 0), (0, missing)), mode="edge")[:, :tokens]


def _repeat_beams(value: Any, batch_size: int) -> Any:
    """Repeat the rows of a column for the beams of each sample."""
    rows = 1 if getattr(value, "ndim", 1) == 0 else len(value)
    if rows < 2 or batch_size % rows or batch_size == rows:
        return value
    if isinstance(value, list):
        return [row for row in value for _ in range(batch_size // rows)]
    return np.repeat(value, batch_size // rows, 0)


def _documents(position_ids: IntArray, metadata: MaskMetadata) -> IntArray | None:
    """Return documents from position ids that restart in each; None where they are ambiguous."""
    if position_ids.shape[1] == metadata.kv_len:
        steps = np.diff(position_ids, axis=1, prepend=position_ids[:, :1] - 1)
        return np.cumsum(steps != 1, axis=1)
    # With a cache, only a single document is certain: its positions count all tokens so far.
    queries = slice(metadata.q_offset, metadata.q_end)
    real = metadata.real("decoder")
    expected = np.cumsum(real, axis=1)[:, queries] - 1
    if position_ids.shape[1] != metadata.q_len:
        return None
    single = ((position_ids == expected) | ~real[:, queries]).all()
    return np.zeros((1, metadata.kv_len), np.int64) if single else None


def _missing(
    forward: ForwardPass, kind: AttentionKind, pattern: Pattern, missing: list[str]
) -> str:
    columns = []
    for annotation in missing:
        per_query = annotation in QUERY_NAMES or annotation.startswith(QUERY)
        prefix = _prefix(forward, kind, queries=kind == "cross" and per_query)
        name = annotation.removeprefix(QUERY)
        alias = f" (or '{prefix}{ALIASES[name]}')" if name in ALIASES else ""
        columns.append(f"'{prefix}{name}'{alias}")
    return (
        f"pattern {pattern} needs columns that the batch lacks: {', '.join(columns)} (for {kind!r} "
        "attention). Let the collator add them next to 'input_ids'; Trainer drops dataset columns "
        "that the model does not name, unless remove_unused_columns=False"
    )
