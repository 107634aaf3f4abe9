"""Compare ``ngram`` and ``t5`` with Megatron-core's masked datasets for BERT and T5.

Both sides read the same documents from the same memory-mapped file, mask them and stack them into
int64 tensors of the same names and widths. The strategies are the nearest to Megatron's:

====  =================================================  ==================================
.     Megatron                                           maskplug
====  =================================================  ==================================
BERT  n-grams of 1 to 3 words, n in proportion to 1/n;   ``ngram``: the same distribution;
      at most 15 % of the tokens; 80/10/10 by token      exactly 15 % of the words; 80/10/10
                                                         by token
T5    spans of 1 to 10 words, geometric; at most 15 % of ``t5``: spans of the same mean
      the tokens; spans may touch                        length that never touch; exactly
                                                         15 % of the words
====  =================================================  ==================================

Megatron also returns two flags per row (truncated, swapped), which maskplug does not have.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

import maskplug
from benchmarks.timing import Call, Comparison
from maskplug.collate import pad, visible
from maskplug.targets import IGNORE

PEER = "Megatron-core"
#: The mean length of Megatron's spans for T5: geometric with parameter 0.2, cut at 10.
MEAN_LENGTH = 4.46

WORDS, SENTINELS = 30_000, 100
PAD, UNK, CLS, SEP, MASK = range(5)
FIRST = 5 + SENTINELS  # the first ordinary id

#: As in Megatron-LM's ``pretrain_bert.py`` and ``pretrain_t5.py``, except for the probability of a
#: shortened row, which is 0.1 there.
COMMON = {
    "random_seed": 1,
    "masking_probability": 0.15,
    "short_sequence_probability": 0.0,
    "masking_do_full_word": True,
    "masking_do_permutation": False,
    "masking_use_longer_ngrams": False,
}
BERT = {
    "masking_max_ngram": 3,
    "masking_use_geometric_distribution": False,
    "classification_head": False,  # no pairs of sentences
}
T5 = {"masking_max_ngram": 10, "masking_use_geometric_distribution": True}

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


def comparisons(small: bool) -> Iterator[Comparison]:
    """Yield the comparisons for BERT and for T5."""
    documents, rows, length, decoder_width = (8, 4, 61, 32) if small else (512, 32, 509, 128)
    width = length + 3  # Megatron's BERT reserves three tokens for [CLS] and two [SEP]
    bert, t5 = datasets(documents, length, width, decoder_width)
    ngrams = maskplug.strategy("ngram", rate=0.15, max_n=3)
    spans = maskplug.strategy("t5", rate=0.15, mean_length=MEAN_LENGTH, unit="word")
    sides = {
        "BERT: n-grams of words": (
            ours(bert, rows, bert_row, ngrams, lambda masked: bert_arrays(masked, width)),
            theirs(bert, rows),
        ),
        "T5: spans of words": (
            ours(t5, rows, np.asarray, spans, lambda m: t5_arrays(m, width, decoder_width)),
            theirs(t5, rows),
        ),
    }
    for name, calls in sides.items():
        what = f"{name}, {rows} × {length}, indexed file"
        yield Comparison(what, PEER, rows * length, *calls, goal=20)


def theirs(dataset: Any, rows: int) -> Call:
    """Return a call that makes and stacks the next rows, as a data-loading worker does."""
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
    """Return a call that loads, masks and stacks the next documents of Megatron's file.

    ``row`` makes a row of a document, and ``arrays`` the inputs of the model.
    """
    import torch

    vocab, turns = vocabulary(), count()
    file, order = dataset.dataset, dataset.sample_index[:, 0].astype(np.uint64)

    def call() -> object:
        epoch, begin = divmod(next(turns) * rows, len(order))
        documents = order[begin : begin + rows]
        tokens = maskplug.TokenBatch.from_lists([row(file[i]) for i in documents], documents)
        masked = strategy(tokens, vocab, seed=1, epoch=epoch)
        return {name: torch.from_numpy(array) for name, array in arrays(masked).items()}

    return call


def bert_row(document: Array) -> Array:
    """Return a document between [CLS] and [SEP]."""
    return np.concatenate(([CLS], document, [SEP]))


def bert_arrays(masked: maskplug.Masked, width: int) -> Arrays:
    """Return the inputs of BERT under Megatron's names."""
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
    """Return the inputs of T5 under Megatron's names; the decoder's begin with [CLS]."""
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


def pieces() -> list[str]:
    """Return WordPiece symbols; one third of the ordinary ones continue a word."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    special += [f"<extra_id_{i}>" for i in range(SENTINELS)]
    return special + [f"w{i}" if i % 3 else f"##{i}" for i in range(WORDS - len(special))]


def vocabulary() -> maskplug.Vocabulary:
    """Return the vocabulary for our side."""
    return maskplug.Vocabulary(
        size=WORDS,
        pad_id=PAD,
        mask_id=MASK,
        eos_id=SEP,
        special_ids=[UNK, CLS],
        sentinel_ids=range(5, FIRST),
        word_start=[not piece.startswith("##") for piece in pieces()],
    )


@dataclass(frozen=True)
class WordPieces:
    """The tokenizer interface of Megatron's datasets."""

    inv_vocab: dict[int, str]
    cls: int = CLS
    sep: int = SEP
    mask: int = MASK
    pad: int = PAD
    bos: int = CLS
    eos: int = SEP

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of the sentinels."""
        return list(range(5, FIRST))

    @property
    def unique_identifiers(self) -> dict[str, str]:
        """The part of the names of the index files."""
        return {"class": type(self).__name__}


def write(prefix: str, documents: int, length: int) -> None:
    """Write documents of one sentence of random ordinary ids."""
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    builder = IndexedDatasetBuilder(f"{prefix}.bin", dtype=np.uint16)
    draw = np.random.default_rng(1)
    for _ in range(documents):
        builder.add_document(draw.integers(FIRST, WORDS, length), [length])
    builder.finalize(f"{prefix}.idx")


def datasets(documents: int, length: int, width: int, decoder_width: int) -> tuple[Any, Any]:
    """Return Megatron's datasets for BERT and T5; a row is a document of one memory-mapped file."""
    from torch import distributed

    with warnings.catch_warnings():  # on missing Apex and Transformer Engine
        warnings.simplefilter("ignore", UserWarning)
        from megatron.core.datasets import bert_dataset, t5_dataset
        from megatron.core.datasets.indexed_dataset import IndexedDataset
        from megatron.core.datasets.utils import Split

    # The files stay readable through their memory maps after the folder is deleted.
    with tempfile.TemporaryDirectory() as folder:
        # Megatron needs the rank in a process group to write an index.
        group = f"file://{folder}/group"
        distributed.init_process_group("gloo", init_method=group, rank=0, world_size=1)
        prefix = f"{folder}/documents"
        write(prefix, documents, length)
        tokenizer = WordPieces(dict(enumerate(pieces())))
        common = dict(COMMON, sequence_length=width, tokenizer=tokenizer, path_to_cache=folder)
        bert = bert_dataset.BERTMaskedWordPieceDatasetConfig(**common, **BERT)
        t5 = t5_dataset.T5MaskedWordPieceDatasetConfig(
            **common, **T5, sequence_length_decoder=decoder_width
        )
        split = (IndexedDataset(prefix), prefix, np.arange(documents), documents, Split.train)
        try:
            return (
                bert_dataset.BERTMaskedWordPieceDataset(*split, bert),
                t5_dataset.T5MaskedWordPieceDataset(*split, t5),
            )
        finally:
            distributed.destroy_process_group()
