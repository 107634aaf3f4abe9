"""What the collator knows of a model, and the objectives that a model cannot be trained with."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from maskplug.errors import MaskplugWarning, OptionError, TokenError, VocabularyError
from maskplug.ragged import Ragged
from maskplug.strategy import Strategy
from maskplug.targets import IGNORE
from maskplug.tokens import Masked
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary
from maskplug_torch.features import Features

#: The annotation of XLNet's objective; the model receives ``perm_mask`` and ``target_mapping``.
ORDER = "order"

_IN_PLACE = "'dynamic', 'whole_word', 'span'"
_WITH_TARGETS = "'t5', 'bart', 'mass', 'gap_sentences'"
_RESIZE = "call model.resize_token_embeddings(len(tokenizer)) first"


@dataclass(frozen=True)
class DecoderShift:
    """How a model turns labels into the inputs of its decoder.

    Attributes:
        pad: the id that replaces -100.
        start: the id before the first label; None: the last label that is not padding (mBART).

    Example:
        >>> labels = np.array([[5, 6, 3], [7, 3, -100]])
        >>> DecoderShift(pad=1, start=2)(labels).tolist()
        [[2, 5, 6], [2, 7, 3]]
        >>> DecoderShift(pad=1, start=None)(labels).tolist()
        [[3, 5, 6], [3, 7, 3]]
    """

    pad: int
    start: int | None

    def __call__(self, labels: IntArray) -> IntArray:
        """Return the decoder's inputs: int64 of the shape of ``labels``, (samples, width)."""
        ids = np.where(labels == IGNORE, self.pad, labels)
        shifted = np.empty_like(ids)
        shifted[:, 1:] = ids[:, :-1]
        if self.start is not None:
            shifted[:, 0] = self.start
        elif ids.shape[1]:  # a row without labels starts with padding: its last id, at -1
            shifted[:, 0] = ids[np.arange(len(ids)), (ids != self.pad).sum(1) - 1]
        return shifted


@dataclass(frozen=True)
class ModelInfo:
    """Properties of a model, without its weights, so that workers can receive them.

    Attributes:
        name: the name of its class.
        arguments: the names of the arguments of ``forward``; None: unknown.
        has_config: whether it has a config, which tells whether there is a decoder.
        has_decoder: whether it is an encoder-decoder model.
        decoder_shift: how it makes the decoder's inputs of labels; a text: why it cannot; None:
            unknown.
        embeddings: the number of input embeddings; None: unknown.
        predicts_tokens: whether it has a language-modeling head.
        predicts_next: whether its loss compares each output with the label of the next token.
        predicts_masked: whether its loss is that of a masked language model.
        first_position: the smallest position id of a token.
    """

    name: str
    arguments: frozenset[str] | None = None
    has_config: bool = True
    has_decoder: bool = False
    decoder_shift: DecoderShift | str | None = None
    embeddings: int | None = None
    predicts_tokens: bool = True
    predicts_next: bool = False
    predicts_masked: bool = False
    first_position: int = 0

    @property
    def needs_label_per_token(self) -> bool:
        """Whether a sequence of labels must have one label per token."""
        return self.has_config and not self.has_decoder

    def accepts(self, name: str) -> bool:
        """Whether the model has an argument of this name, as far as known."""
        # Many models of transformers ignore unknown arguments: only named ones count.
        return self.arguments is None or name in self.arguments

    def decoder_inputs(self, labels: IntArray) -> IntArray | None:
        """Return the decoder's inputs for labels; None where the model makes them itself."""
        shift = self.decoder_shift
        if isinstance(shift, str):
            raise OptionError(
                f"{self.name} cannot make decoder_input_ids of labels ({shift}): set "
                "model.config.decoder_start_token_id and model.config.pad_token_id before passing "
                "the model to the collator"
            )
        return None if shift is None else shift(labels)


#: A collator's model until one is passed.
UNKNOWN = ModelInfo("the model", has_config=False)


def refuse_early(masked: Masked, model: ModelInfo, strategy: str) -> None:
    """Refuse an objective, from a dry run, that does not fit the model whatever the samples are."""
    # With a decoder, or without a head that predicts tokens, samples may bring their own labels.
    if not model.predicts_tokens or model.has_decoder:
        return
    refuse(masked, model, strategy)
    if model.predicts_masked and predicts_every_input(masked):
        raise OptionError(
            f"strategy {strategy!r} predicts each token from those before it, but {model.name} "
            "attends to all tokens and would copy its inputs: choose a causal model (Llama, "
            f"GPT-2), or another strategy ({_IN_PLACE})"
        )


def refuse(masked: Masked, model: ModelInfo, strategy: str) -> None:
    """Refuse an objective whose predictions the model cannot make."""
    if masked.targets is not None and not model.has_decoder:
        choices = "'fim'" if model.predicts_next else _IN_PLACE
        raise OptionError(
            f"strategy {strategy!r} makes targets to generate, but {model.name} has no decoder to "
            f"generate them: choose a strategy for such models ({choices}), or a model with a "
            "decoder (T5, BART)"
        )
    if masked.targets is None and model.has_decoder:
        raise OptionError(
            f"strategy {strategy!r} predicts its inputs in place, but {model.name} generates with "
            f"a decoder: choose a strategy with targets ({_WITH_TARGETS}, or "
            "compose(…, target='original')), or add labels to the features"
        )
    if ORDER in masked.annotations and not model.accepts("perm_mask"):
        raise OptionError(
            f"strategy {strategy!r} predicts in a random order, but {model.name} has no argument "
            "'perm_mask' to enforce it: choose a model that has one (XLNet), or another strategy "
            f"({_IN_PLACE})"
        )


def predicts_every_input(masked: Masked) -> bool:
    """Whether every input is predicted unchanged, as by causal language models."""
    labels = masked.labels
    return (
        labels is not None
        and len(labels.values) >= 8  # fewer may be kept unchanged by chance
        and bool((labels.values == masked.inputs.values).all())
    )


def fit_vocabulary(vocab: Vocabulary, pad_id: int, model: ModelInfo) -> Vocabulary:
    """Return a vocabulary restricted to the model's embeddings, with a warning if it is larger.

    Ids without an embedding become special, and are no longer mask, sentinels or named tokens.
    """
    size = model.embeddings
    if size is None or vocab.size <= size:
        return vocab
    if pad_id >= size:
        raise OptionError(
            f"batches are padded with the id {pad_id}, but {model.name} has embeddings only for "
            f"the ids below {size}: {_RESIZE}"
        )
    warnings.warn(
        f"the tokenizer has {vocab.size} ids, but {model.name} has embeddings for {size}: ids from "
        f"{size} on are never drawn as random tokens, and samples with such ids are refused; "
        f"{_RESIZE}",
        MaskplugWarning,
        stacklevel=4,
    )
    mask = vocab.mask_id
    return replace(
        vocab,
        special_ids=np.union1d(vocab.special_ids, np.arange(size, vocab.size)),
        mask_id=mask if mask is not None and mask < size else None,
        sentinel_ids=vocab.sentinel_ids[vocab.sentinel_ids < size],
        named={text: i for text, i in vocab.named.items() if i < size},
    )


def try_fitted(strategy: Strategy, vocab: Vocabulary, seed: int, model: ModelInfo) -> Masked:
    """Make a dry run of a strategy with a vocabulary from :func:`fit_vocabulary`."""
    try:
        return strategy.dry_run(vocab, seed)
    except VocabularyError as error:
        raise OptionError(
            f"strategy {strategy.label!r} writes tokens at the end of the vocabulary, but "
            f"{model.name} has embeddings only for the ids below {model.embeddings}: {_RESIZE}"
        ) from error


def check_embedded(features: Features, masked: Masked, vocab: Vocabulary, model: ModelInfo) -> None:
    """Refuse ids without an embedding, with which a model on a GPU fails with an obscure error."""
    size = model.embeddings
    if size is None or vocab.size <= size:
        return
    for rows in (Ragged(features.ids, features.offsets), masked.inputs, masked.targets):
        if rows is None or (rows.values < size).all():
            continue
        index = int(np.flatnonzero(rows.values >= size)[0])
        sample = int(np.searchsorted(rows.offsets, index, side="right")) - 1
        raise TokenError(
            f"token id {rows.values[index]} (sample {sample}, position "
            f"{index - rows.offsets[sample]}) has no embedding: those of {model.name} end at "
            f"{size - 1}; {_RESIZE}"
        )
