"""What an encoder's tokens tell patterns that read more of them than which are padding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from fairseq.models.transformer import TransformerEncoder

from maskplug import TokenBatch, Vocabulary
from maskplug.errors import OptionError, did_you_mean
from maskplug.types import BoolArray
from maskplug.vocabulary.spelling import MARK
from maskplug_fairseq.attention_masks import Begins, Masks
from maskplug_fairseq.vocabulary import vocabulary

SENTENCES, SECTIONS = "sentence_starts", "section_starts"


class Reader:
    """Finds where the sentences and sections of sources begin.

    A sentence begins behind a full stop or the like, and so does what follows an end of sequence,
    which belongs to the sentence before it. A section begins at its token, and a sentence with it.

    Args:
        dictionary: of the sources, a ``fairseq.data.Dictionary``.
        layers: which ones are read.
        section_token: the symbol with which each section begins, or None.

    Raises:
        OptionError: when the dictionary does not tell where a layer has its ones.
    """

    def __init__(
        self, dictionary: Any, layers: tuple[str, ...], section_token: str | None = None
    ) -> None:
        self.sections = _section_id(dictionary, section_token)
        if SECTIONS in layers and self.sections is None:
            raise OptionError(
                f"the layer {SECTIONS!r} is unknown: name the token with which each section begins "
                "(--section-token)"
            )
        self.sentences = _sentence_ends(dictionary) if SENTENCES in layers else None

    def __call__(self, tokens: torch.Tensor) -> Begins:
        """The layers of a batch of sources: bool of shape (batch, tokens)."""
        ids = tokens.detach().cpu().numpy()
        layers: dict[str, BoolArray] = {}
        if self.sections is not None:
            layers[SECTIONS] = ids == self.sections
        if self.sentences is not None:
            offsets = np.arange(len(ids) + 1) * ids.shape[1]
            rows = TokenBatch(ids.ravel(), offsets, np.zeros(len(ids), np.uint64))
            starts = self.sentences.sentence_starts(rows).reshape(ids.shape)
            layers[SENTENCES] = starts | layers.get(SECTIONS, False)
        return layers


class ReadingEncoder(TransformerEncoder):  # type: ignore[misc]
    """Made of fairseq's encoder by :meth:`put_on`; it reads its tokens before its layers attend."""

    masks: Masks
    reader: Reader

    @classmethod
    def put_on(cls, encoder: Any, masks: Masks, reader: Reader) -> None:
        """Make an encoder read its tokens; like attention, it stays the same object."""
        encoder.__class__ = cls
        encoder.masks, encoder.reader = masks, reader

    def forward(self, src_tokens: torch.Tensor, *args: Any, **more: Any) -> Any:
        """As fairseq's."""
        self.masks.begins = self.reader(src_tokens)
        return super().forward(src_tokens, *args, **more)


def _section_id(dictionary: Any, token: str | None) -> int | None:
    if token is None:
        return None
    if token not in dictionary:
        marks = filter(MARK.fullmatch, dictionary.symbols[dictionary.nspecial :])
        raise OptionError(
            f"--section-token is {token!r}, which is none of the source dictionary's "
            f"{len(dictionary)} symbols{did_you_mean(token, marks)}"
        )
    return int(dictionary.index(token))


def _sentence_ends(dictionary: Any) -> Vocabulary:
    """The dictionary's vocabulary, in which an end of sequence ends a sentence, too."""
    vocab = vocabulary(dictionary)
    if vocab.sentence_end is None or not vocab.sentence_end.any():
        raise OptionError(
            f"the layer {SENTENCES!r} is unknown: none of the dictionary's {len(dictionary)} "
            "symbols is a full stop or the like (. ! ? …), so nobody can tell where sentences "
            "begin. GPT-2's BPE, for one, writes numbers instead of text"
        )
    ends = vocab.sentence_end | (np.arange(vocab.size) == dictionary.eos())
    return replace(vocab, sentence_end=ends)
