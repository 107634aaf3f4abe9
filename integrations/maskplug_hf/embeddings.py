"""Tokenizers that are larger than the model's table of embeddings."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from maskplug.errors import MaskplugWarning, OptionError, TokenError, VocabularyError
from maskplug.ragged import Ragged
from maskplug.strategy import Strategy
from maskplug.tokens import Masked
from maskplug.vocabulary import Vocabulary
from maskplug_hf.model import ModelFacts
from maskplug_hf.outputs import Outputs

REMEDY = "call model.resize_token_embeddings(len(tokenizer)) first"


def lacks_embeddings(vocab: Vocabulary, model: ModelFacts) -> bool:
    """Whether the vocabulary has ids for which the model has no embedding."""
    return model.embeddings is not None and vocab.size > model.embeddings


def embedded(vocab: Vocabulary, pad_id: int, model: ModelFacts) -> Vocabulary:
    """A vocabulary without what the model has no embedding for.

    Ids beyond the embeddings become special, so that they are never chosen and never drawn at
    random; no strategy finds a mask, a sentinel or a named token among them. There is a warning.

    Args:
        vocab: with ids beyond the embeddings.
        pad_id: what batches are padded with.
        model: one whose number of embeddings is known.

    Raises:
        OptionError: when padding is beyond the embeddings.
    """
    size = model.embeddings
    assert size is not None  # it is too small
    if pad_id >= size:
        raise _unembedded(f"batches are padded with the id {pad_id}", model)
    warnings.warn(
        f"the tokenizer has {vocab.size} ids, and {model.name} has embeddings for {size}: ids from "
        f"{size} on are never drawn as random tokens, and samples that hold them are refused; "
        f"{REMEDY}",
        MaskplugWarning,
        stacklevel=5,
    )
    mask = vocab.mask_id
    return replace(
        vocab,
        special_ids=np.union1d(vocab.special_ids, np.arange(size, vocab.size)),
        mask_id=mask if mask is not None and mask < size else None,
        sentinel_ids=vocab.sentinel_ids[vocab.sentinel_ids < size],
        named={text: i for text, i in vocab.named.items() if i < size},
    )


def try_embedded(strategy: Strategy, vocab: Vocabulary, seed: int, model: ModelFacts) -> Masked:
    """Try a strategy out on a vocabulary of :func:`embedded`.

    Raises:
        OptionError: when the strategy writes tokens that the vocabulary lost.
    """
    try:
        return strategy.dry_run(vocab, seed)
    except VocabularyError as error:
        what = f"strategy {strategy.label!r} writes tokens of the tokenizer's end"
        raise _unembedded(what, model) from error


def _unembedded(what: str, model: ModelFacts) -> OptionError:
    return OptionError(
        f"{what}, and {model.name} has embeddings for the ids below {model.embeddings} only: "
        f"{REMEDY}"
    )


def check_embedded(out: Outputs, vocab: Vocabulary, model: ModelFacts) -> None:
    """Refuse ids for which the model has no embedding: it fails, on a GPU without saying why.

    Raises:
        TokenError: naming the first of them, in the samples or in what a strategy wrote.
    """
    size = model.embeddings
    if size is None or vocab.size <= size:
        return
    given, masked = out.shown.given, out.masked
    for rows in (Ragged(given.ids, given.offsets), masked.inputs, masked.targets):
        if rows is None or (rows.values < size).all():
            continue
        where = int(np.flatnonzero(rows.values >= size)[0])
        sample = int(np.searchsorted(rows.offsets, where, side="right")) - 1
        raise TokenError(
            f"token id {rows.values[where]} (sample {sample}, position "
            f"{where - rows.offsets[sample]}) has no embedding: those of {model.name} end at "
            f"{size - 1}; {REMEDY}"
        )
