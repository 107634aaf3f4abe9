"""Train SentencePiece for all columns, and build tokenizers with the ids of fairseq."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sentencepiece

from recipes.shared.errors import RecipeError
from recipes.shared.workspace import Workspace, write

#: The first symbols of fairseq's dictionaries, in the order of their ids.
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def train(work: Workspace, texts: Iterable[str], size: int) -> None:
    """Train a unigram model with a piece ``<mask>``, and write the dictionary in its order.

    Raises:
        RecipeError: if ``size`` is too large or too small for the texts.
    """
    work.root.mkdir(parents=True, exist_ok=True)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_prefix=str(work.pieces.with_suffix("")),
            vocab_size=size,
            character_coverage=1.0,
            normalization_rule_name="identity",  # the same for every tokenizer
            user_defined_symbols=["<mask>"],
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise RecipeError(f"SentencePiece with {size} pieces: {error}") from None
    ordinary = symbols(work)[len(SPECIAL) :]
    # The counts only determine the order; ids do not depend on frequencies in the corpus.
    rows = (f"{piece} {len(ordinary) - i}\n" for i, piece in enumerate(ordinary))
    write(work.dictionary, "".join(rows))


def processor(work: Workspace) -> Any:
    """Return the trained model."""
    return sentencepiece.SentencePieceProcessor(model_file=str(work.pieces))


def symbols(work: Workspace) -> list[str]:
    """Return all pieces in the order of their ids in both frameworks."""
    model = processor(work)
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    return [*SPECIAL, *(piece for piece in pieces if piece not in SPECIAL)]


def save_tokenizer(work: Workspace, family: str) -> None:
    """Save the tokenizer of a model family."""
    work.tokenizer.mkdir(exist_ok=True)
    tokenizer = _marian(work) if family == "marian" else _bart(work)
    tokenizer.save_pretrained(str(work.tokenizer))


def load_tokenizer(work: Workspace, family: str) -> Any:
    """Return the saved tokenizer."""
    from transformers import MarianTokenizer, XLMRobertaTokenizer

    kind = MarianTokenizer if family == "marian" else XLMRobertaTokenizer
    return kind.from_pretrained(str(work.tokenizer))


def _marian(work: Workspace) -> Any:
    from transformers import MarianTokenizer

    vocab: Path = work.root / "vocab.json"
    write(vocab, json.dumps({symbol: i for i, symbol in enumerate(symbols(work))}))
    return MarianTokenizer(
        source_spm=str(work.pieces),
        target_spm=str(work.pieces),
        vocab=str(vocab),
        bos_token="<s>",  # special, so that it is never drawn as a random word
        mask_token="<mask>",
    )


def _bart(work: Workspace) -> Any:
    """Return a tokenizer with rows between ``<s>`` and ``</s>``, as in XLM-R and mBART."""
    from transformers import XLMRobertaTokenizer

    model = processor(work)
    scores = {s: model.get_score(model.piece_to_id(s)) for s in symbols(work)[len(SPECIAL) :]}
    return XLMRobertaTokenizer(vocab=[(s, scores.get(s, 0.0)) for s in symbols(work)])
