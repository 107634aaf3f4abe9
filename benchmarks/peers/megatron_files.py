"""Megatron-core's datasets over an indexed file of random documents, and our vocabulary of it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import maskplug

WORDS, SENTINELS = 30_000, 100
PAD, UNK, CLS, SEP, MASK = range(5)
FIRST = 5 + SENTINELS  # the first ordinary id

#: Of Megatron-LM's ``pretrain_bert.py`` and ``pretrain_t5.py``, but for the probability (0.1 there)
#: of a row that is cut short.
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


def pieces() -> list[str]:
    """A WordPiece vocabulary of BERT's size, with sentinels; one piece of three goes on a word."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    special += [f"<extra_id_{i}>" for i in range(SENTINELS)]
    return special + [f"w{i}" if i % 3 else f"##{i}" for i in range(WORDS - len(special))]


def vocabulary() -> maskplug.Vocabulary:
    """The pieces as our side sees them."""
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
    """What Megatron's datasets ask of a tokenizer."""

    inv_vocab: dict[int, str]
    cls: int = CLS
    sep: int = SEP
    mask: int = MASK
    pad: int = PAD
    bos: int = CLS
    eos: int = SEP

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The sentinels."""
        return list(range(5, FIRST))

    @property
    def unique_identifiers(self) -> dict[str, str]:
        """What its index files are named by."""
        return {"class": type(self).__name__}


@contextmanager
def one_process(folder: str) -> Iterator[None]:
    """The process group that Megatron asks for its rank before it writes an index."""
    from torch import distributed

    where = f"file://{folder}/group"
    distributed.init_process_group("gloo", init_method=where, rank=0, world_size=1)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def write(prefix: str, documents: int, length: int) -> None:
    """Write documents of one sentence each, of random ordinary ids."""
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    builder = IndexedDatasetBuilder(f"{prefix}.bin", dtype=np.uint16)
    draw = np.random.default_rng(1)
    for _ in range(documents):
        builder.add_document(draw.integers(FIRST, WORDS, length), [length])
    builder.finalize(f"{prefix}.idx")


def datasets(documents: int, length: int, width: int, decoder_width: int) -> tuple[Any, Any]:
    """Megatron's datasets for BERT and T5 over one memory-mapped file, each document one row.

    Raises:
        ImportError: without megatron-core.
    """
    with warnings.catch_warnings():  # of Apex and Transformer Engine, which it does without
        warnings.simplefilter("ignore", UserWarning)
        from megatron.core.datasets import bert_dataset, t5_dataset
        from megatron.core.datasets.indexed_dataset import IndexedDataset
        from megatron.core.datasets.utils import Split

    # The files stay readable through their memory maps when the folder is gone.
    with tempfile.TemporaryDirectory() as folder, one_process(folder):
        prefix = f"{folder}/documents"
        write(prefix, documents, length)
        tokenizer = WordPieces(dict(enumerate(pieces())))
        given = dict(COMMON, sequence_length=width, tokenizer=tokenizer, path_to_cache=folder)
        bert = bert_dataset.BERTMaskedWordPieceDatasetConfig(**given, **BERT)
        t5 = t5_dataset.T5MaskedWordPieceDatasetConfig(
            **given, **T5, sequence_length_decoder=decoder_width
        )
        one = (IndexedDataset(prefix), prefix, np.arange(documents), documents, Split.train)
        return (
            bert_dataset.BERTMaskedWordPieceDataset(*one, bert),
            t5_dataset.T5MaskedWordPieceDataset(*one, t5),
        )
