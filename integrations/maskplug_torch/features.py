"""Parse the samples of a batch: tokens to mask, keys, labels, times and other columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

import maskplug
from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.tokens import content_keys
from maskplug.types import BoolArray, IntArray, UintArray, lengths_of
from maskplug_torch.columns import (
    Column,
    aligned,
    annotation,
    columns_of,
    flat,
    hidden_tokens,
    labels_of,
    plain_key,
    word_starts,
)
from maskplug_torch.datasets import SAMPLE_ID, Sample

#: Columns that are annotations of the batch for every strategy.
ANNOTATIONS = ("word_starts", "sentence_starts", "protected")
_LABELS = frozenset({"labels", "label", "label_ids"})  #: the names of transformers' collators
#: Annotations that models also take; they stay in the batch.
SHARED = ("attention_mask", "token_type_ids")


@dataclass(frozen=True, eq=False)
class Features:
    """The samples of a batch as arrays.

    Attributes:
        tokens: what is masked, without padding at the ends of rows.
        ids, offsets: the rows of ``input_ids``, with padding.
        inner: which of ``ids`` are in ``tokens``; None: all.
        hidden: which of ``tokens`` have a 0 in the attention mask; None: none.
        labels: the samples' own labels: rows of ids, an array with one entry per sample, or None.
        columns: the other columns.
        mappings: whether samples are mappings, rather than bare rows of ids.
        has_attention_mask: whether they have an attention mask.
        time: ``epoch``, ``step`` and ``progress``, one per sample, where samples carry them.
        training: whether samples carry a time of training.
    """

    tokens: maskplug.TokenBatch
    ids: IntArray
    offsets: IntArray
    inner: BoolArray | None
    hidden: BoolArray | None
    labels: Ragged | np.ndarray[Any, Any] | None
    columns: dict[str, Column]
    mappings: bool
    has_attention_mask: bool
    time: dict[str, Any] | None
    training: bool

    @classmethod
    def parse(cls, samples: Sequence[Any], strategy: maskplug.Strategy) -> Features:
        """Parse a list of samples for a strategy; refuse columns that do not fit or are missing."""
        columns = columns_of(samples)
        first = samples[0]
        keyed = isinstance(first, Sample)
        keys: Any = [sample.key for sample in samples] if keyed else columns.get(SAMPLE_ID)
        keys = None if keys is None else _checked_keys(keys)
        label_names = _LABELS.intersection(columns)
        labels = labels_of(columns, label_names) if label_names else None
        used = {"input_ids", "attention_mask", SAMPLE_ID, *label_names}
        required = _annotation_names(columns.keys() - label_names - {SAMPLE_ID}, strategy)
        ids, offsets = flat("input_ids", columns["input_ids"])
        mask = columns.get("attention_mask")
        hidden = None if mask is None else hidden_tokens(mask, offsets)
        annotations = {name: annotation(name, columns[name], offsets) for name in required}
        used.update(name for name in required if name not in SHARED)
        if "special_tokens_mask" in columns and "special_tokens_mask" not in used:
            used.add("special_tokens_mask")
            special = aligned("special_tokens_mask", columns["special_tokens_mask"], offsets) != 0
            annotations["protected"] = special | (annotations.get("protected", 0) != 0)
        if "word_ids" in columns and "word_ids" not in used:
            if "word_starts" in annotations:
                raise TokenError("the columns 'word_ids' and 'word_starts' both mark word starts")
            used.add("word_ids")
            annotations["word_starts"] = word_starts(columns["word_ids"], offsets)
        if keys is None:
            keys = _visible_content_keys(ids, offsets, hidden)
        tokens = maskplug.TokenBatch.from_flat(ids, offsets, keys, annotations)
        inner = None
        if hidden is not None:
            tokens, inner, hidden = _without_padding(tokens, ids, offsets, hidden)
        return cls(
            tokens,
            ids,
            offsets,
            inner,
            hidden,
            labels,
            {name: values for name, values in columns.items() if name not in used},
            isinstance(first, Mapping),
            mask is not None,
            _time(samples) if keyed else None,
            keyed and first.training,
        )

    @property
    def lengths(self) -> IntArray:
        """The lengths of the rows of ``input_ids``, with padding."""
        return lengths_of(self.offsets)


def _checked_keys(keys: Column) -> Column | None:
    """Return one key per sample, or None where all are None."""
    missing = [i for i, key in enumerate(keys) if key is None]
    if len(missing) == len(keys):
        return None
    if missing:
        raise TokenError(f"feature {missing[0]} has no sample_id, others have one")
    return [plain_key(key) for key in keys]


def _annotation_names(columns: Set[str], strategy: maskplug.Strategy) -> list[str]:
    """Return the names of the annotations of a batch, in a fixed order."""
    names = dict.fromkeys((*ANNOTATIONS, *strategy.required_annotations))
    missing = names.keys() - columns - set(ANNOTATIONS)
    if missing:
        first = next(filter(missing.__contains__, strategy.required_annotations))
        raise TokenError(
            f"strategy {strategy.label!r} requires the column {first!r}, and the features "
            f"have {sorted(columns)}: add it, with one value per token. (Trainer drops columns "
            "that its model does not take; attach(trainer) keeps those that the strategy requires)"
        )
    return list(filter(columns.__contains__, names))


def _time(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "epoch": np.array([sample.epoch for sample in samples]),
        "step": np.array([sample.step for sample in samples]),
        "progress": np.array([sample.progress for sample in samples]),
    }


def _visible_content_keys(ids: IntArray, offsets: IntArray, hidden: BoolArray | None) -> UintArray:
    """Return keys derived from the content, the same however a row was padded before."""
    if hidden is None:
        return content_keys(ids, offsets)
    seen = np.concatenate(([0], np.cumsum(~hidden)))
    return content_keys(ids[~hidden], seen[offsets])


def _without_padding(
    tokens: maskplug.TokenBatch, ids: IntArray, offsets: IntArray, hidden: BoolArray
) -> tuple[maskplug.TokenBatch, BoolArray, BoolArray | None]:
    """Remove hidden tokens at the ends of rows, and protect those inside from masking.

    Return the tokens, which of ``ids`` they are, and which of them are hidden (None: none).
    """
    inner = inner_tokens(hidden, offsets)
    protected = hidden | (tokens.annotations.get("protected", 0) != 0)
    annotations = {**tokens.annotations, "protected": protected}
    inner_offsets = np.concatenate(([0], np.cumsum(inner)))[offsets]
    cut = maskplug.TokenBatch(
        ids[inner], inner_offsets, tokens.keys, {n: row[inner] for n, row in annotations.items()}
    )
    rest = hidden[inner]
    return cut, inner, rest if rest.any() else None


def inner_tokens(hidden: BoolArray, offsets: IntArray) -> BoolArray:
    """Return which tokens are not hidden, or stand between two such tokens of their row."""
    seen = np.concatenate(([0], np.cumsum(~hidden)))
    before, after = seen[offsets[:-1]], seen[offsets[1:]]
    lengths = lengths_of(offsets)
    begun = seen[1:] > np.repeat(before, lengths)
    return np.asarray(begun & (seen[:-1] < np.repeat(after, lengths)))
