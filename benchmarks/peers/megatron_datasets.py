"""Our ``ngram`` and ``t5`` against Megatron-core's masked datasets for BERT and T5.

Both sides take the same documents in the same order from the same memory-mapped file, mask them and
stack them into int64 tensors of the same names and widths. Ours are the strategies that are nearest
to Megatron's:

====  =================================================  ==================================
.     Megatron                                           ours
====  =================================================  ==================================
BERT  n-grams of 1 to 3 words, n in proportion to 1/n;   ``ngram``: the same law; exactly
      at most 15 % of the tokens; 80/10/10 by token      15 % of the words; 80/10/10 by
                                                         token
T5    spans of 1 to 10 words, geometric; at most 15 % of ``t5``: spans as long on average,
      the tokens; spans may touch                        which never touch; exactly 15 % of
                                                         the words
====  =================================================  ==================================

Megatron's rows also say that nothing was cut or swapped (a zero each); ours do not have that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np

import maskplug
from benchmarks.comparison import Call, Comparison
from benchmarks.peers.megatron_files import CLS, PAD, SEP, datasets, vocabulary
from maskplug.collate import pad, visible
from maskplug.targets import IGNORE

PEER = "Megatron-core"
#: Of Megatron's spans for T5: the mean of a geometric law of parameter 0.2 that is cut at 10.
MEAN_LENGTH = 4.46

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


def theirs(dataset: Any, rows: int) -> Call:
    """A call that has the next rows made and stacked, as a loader's worker does."""
    from torch.utils.data import default_collate

    turns = count()

    def call() -> object:
        begin = next(turns) * rows % len(dataset)
        return default_collate([dataset[i] for i in range(begin, begin + rows)])

    return call


def ours(
    dataset: Any,
    rows: int,
    row: Callable[[Array], Array],
    strategy: maskplug.Strategy,
    arrays: Callable[[maskplug.Masked], Arrays],
) -> Call:
    """A call that loads, masks and stacks the documents of Megatron's next rows.

    Args:
        dataset: Megatron's; taken of it are the file and the order of the documents.
        rows: how many.
        row: what the strategy is given of a document.
        strategy: masks them.
        arrays: what the model is given.
    """
    import torch

    vocab, turns = vocabulary(), count()
    file, order = dataset.dataset, dataset.sample_index[:, 0].astype(np.uint64)

    def call() -> object:
        epoch, begin = divmod(next(turns) * rows, len(order))
        documents = order[begin : begin + rows]
        tokens = maskplug.TokenBatch.from_lists([row(file[i]) for i in documents], documents)
        made = arrays(strategy(tokens, vocab, seed=1, epoch=epoch))
        return {name: torch.from_numpy(array) for name, array in made.items()}

    return call


def bert_row(document: Array) -> Array:
    """``[CLS] … [SEP]``."""
    return np.concatenate(([CLS], document, [SEP]))


def bert_arrays(masked: maskplug.Masked, width: int) -> Arrays:
    """What BERT is given, by Megatron's names."""
    assert masked.labels is not None
    labels = pad(masked.labels, IGNORE, width)
    return {
        "text": pad(masked.inputs, PAD, width),
        "types": np.zeros(labels.shape, np.int64),
        "labels": labels,
        "padding_mask": visible(masked.inputs.lengths, width),
        "loss_mask": (labels != IGNORE).astype(np.int64),
    }


def t5_arrays(masked: maskplug.Masked, width: int, decoder_width: int) -> Arrays:
    """What T5 is given, by Megatron's names; the decoder reads the targets behind ``[CLS]``."""
    assert masked.targets is not None
    labels = pad(masked.targets, PAD, decoder_width)
    seen = visible(masked.targets.lengths, decoder_width)
    read = np.full_like(labels, CLS)
    np.multiply(labels[:, :-1], seen[:, 1:], out=read[:, 1:])  # without the end; PAD is 0
    return {
        "text_enc": pad(masked.inputs, PAD, width),
        "text_dec": read,
        "labels": labels,
        "loss_mask": seen.copy(),
        "enc_mask": visible(masked.inputs.lengths, width),
        "dec_mask": seen,
    }


def comparisons(small: bool) -> Iterator[Comparison]:
    """BERT and T5.

    Raises:
        ImportError: without megatron-core.
    """
    documents, rows, length, decoder_width = (8, 4, 61, 32) if small else (512, 32, 509, 128)
    width = length + 3  # Megatron's BERT keeps three places for [CLS] and two [SEP]
    bert, t5 = datasets(documents, length, width, decoder_width)
    ngrams = maskplug.strategy("ngram", rate=0.15, max_n=3)
    spans = maskplug.strategy("t5", rate=0.15, mean_length=MEAN_LENGTH, unit="word")
    yield Comparison(
        f"BERT: n-grams of words, {rows} × {length}, indexed file",
        PEER,
        rows * length,
        ours(bert, rows, bert_row, ngrams, lambda masked: bert_arrays(masked, width)),
        theirs(bert, rows),
        goal=20,
    )
    yield Comparison(
        f"T5: spans of words, {rows} × {length}, indexed file",
        PEER,
        rows * length,
        ours(t5, rows, np.asarray, spans, lambda made: t5_arrays(made, width, decoder_width)),
        theirs(t5, rows),
        goal=20,
    )
