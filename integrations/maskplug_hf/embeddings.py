"""Tokenizers that are larger than the model's table of embeddings."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from maskplug.errors import MaskplugWarning, OptionError, TokenError
from maskplug.ragged import Ragged
from maskplug.vocabulary import Vocabulary
from maskplug_hf.model import ModelFacts

REMEDY = "call model.resize_token_embeddings(len(tokenizer)) first"


def lacks_embeddings(vocab: Vocabulary, model: ModelFacts | None) -> bool:
    """Whether the vocabulary has ids for which the model has no embedding."""
    return model is not None and model.embeddings is not None and vocab.size > model.embeddings


def embedded(vocab: Vocabulary, model: ModelFacts) -> Vocabulary:
    """The vocabulary without what the model has no embedding for; warn where that is anything.

    Ids beyond the embeddings become special, so that they are never chosen and never drawn at
    random; no strategy finds a mask, a sentinel or a named token among them.

    Returns:
        A vocabulary of the same size; ``vocab`` itself where the model has all of its ids.
    """
    size = model.embeddings
    if size is None or vocab.size <= size:
        return vocab
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


def unembedded(what: str, model: ModelFacts) -> OptionError:
    """The error for tokens that would be written, and that the model cannot read."""
    return OptionError(
        f"{what}, and {model.name} has embeddings for {model.embeddings} ids: {REMEDY}"
    )


def check_embedded(rows: Iterable[Ragged | None], model: ModelFacts) -> None:
    """Refuse ids for which the model has no embedding: it fails, on a GPU without saying why.

    Args:
        rows: the samples as they came, and what a strategy made of them.
        model: one whose number of embeddings is known.

    Raises:
        TokenError: naming the first of them.
    """
    for ids in rows:
        wrong = np.flatnonzero(ids.values >= model.embeddings) if ids is not None else ()
        if ids is not None and len(wrong):
            sample = int(np.searchsorted(ids.offsets, wrong[0], side="right")) - 1
            raise TokenError(
                f"token id {ids.values[wrong[0]]} (sample {sample}) has no embedding: "
                f"{model.name} has {model.embeddings}; {REMEDY}"
            )
