"""Masked batches as text with colors; brackets mark the same without color."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from maskplug.tokens import Masked, TokenBatch
from maskplug.types import BoolArray
from maskplug.vocabulary import Vocabulary
from maskplug.vocabulary.spelling import plain

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    "mask": "bold white on red",
    "random": "black on yellow",
    "kept": "black on green",
    "written": "bold black on cyan",
    "target": "bold green",
}


def legend() -> Text:
    """Return a line that explains the marks."""
    from rich.text import Text

    return Text.assemble(
        ("[word]", STYLES["mask"]),
        " masked  ",
        ("[word→other]", STYLES["random"]),
        " replaced at random  ",
        ("[word=]", STYLES["kept"]),
        " kept, but predicted  ",
        ("‹token›", STYLES["written"]),
        " written  ",
        ("⇒", STYLES["target"]),
        " what is generated",
    )


def render(
    tokens: TokenBatch, masked: Masked, vocab: Vocabulary, piece: Callable[[int], str]
) -> list[Text]:
    """Return one line per sample with its inputs, each followed by its targets if there are any.

    Args:
        tokens: the original batch.
        masked: the masked batch.
        vocab: the vocabulary of both.
        piece: returns the tokenizer's text of an id.

    Example:
        >>> import maskplug
        >>> vocab = maskplug.Vocabulary(size=4, mask_id=0)
        >>> tokens = maskplug.TokenBatch.from_lists([[1, 2, 3]], keys=["a"])
        >>> masked = maskplug.strategy("dynamic", rate=0.4, mask=1.0, random=0.0)(tokens, vocab)
        >>> print(render(tokens, masked, vocab, "_abc".__getitem__)[0])
        [a] b c
    """
    rows = TokenBatch(masked.inputs.values, masked.inputs.offsets, tokens.keys)
    inputs = _lines(rows, _cells(tokens, masked, vocab, piece), vocab)
    if masked.targets is None:
        return inputs
    targets = TokenBatch(masked.targets.values, masked.targets.offsets, tokens.keys)
    words = [_word(int(i), vocab, piece) for i in targets.ids]
    outputs = _lines(targets, words, vocab, head=("⇒ ", STYLES["target"]))
    return [line for pair in zip(inputs, outputs, strict=True) for line in pair]


def _word(token: int, vocab: Vocabulary, piece: Callable[[int], str]) -> tuple[str, str]:
    """Return the text and style of a target token."""
    word = plain(piece(token), vocab.word_mark)
    return (_marked(word), STYLES["written"]) if vocab.special[token] else (word, "")


def _marked(word: str) -> str:
    """Return a written token in angle brackets, unless it has brackets already."""
    return word if word[:1] + word[-1:] in ("<>", "[]") else f"‹{word}›"


def _cells(
    tokens: TokenBatch, masked: Masked, vocab: Vocabulary, piece: Callable[[int], str]
) -> list[tuple[str, str]]:
    """Return the text and style of every input token."""
    chosen = masked.selection.mask
    sources = masked.inputs.sources
    positions = range(len(tokens.ids)) if sources is None else sources.tolist()
    cells = []
    for token, source in zip(masked.inputs.values.tolist(), positions, strict=True):
        if source < 0:
            cells.append((_marked(plain(piece(token), vocab.word_mark)), STYLES["written"]))
            continue
        original = int(tokens.ids[source])
        word = plain(piece(original), vocab.word_mark)
        if not chosen[source] and token == original:
            cells.append((word, ""))
        elif token == vocab.mask_id:
            cells.append((f"[{word}]", STYLES["mask"]))
        elif token == original:
            cells.append((f"[{word}=]", STYLES["kept"]))
        else:
            cells.append((f"[{word}→{plain(piece(token), vocab.word_mark)}]", STYLES["random"]))
    return cells


def _lines(
    rows: TokenBatch,
    cells: list[tuple[str, str]],
    vocab: Vocabulary,
    head: tuple[str, str] = ("", ""),
) -> list[Text]:
    from rich.text import Text

    spaces = _spaces(rows, vocab)
    lines = []
    for start, end in zip(rows.offsets, rows.offsets[1:], strict=False):
        line = Text.assemble(head)
        for i in range(start, end):
            line.append(" " if spaces[i] and i > start else "")
            line.append(*cells[i])
        lines.append(line)
    return lines


def _spaces(rows: TokenBatch, vocab: Vocabulary) -> BoolArray:
    """Return True for tokens after a space: at word starts and around special tokens."""
    special = vocab.special[rows.ids]
    if not vocab.has_words:
        return np.ones(len(rows.ids), np.bool_)
    after_special = np.concatenate(([False], special[:-1]))
    return np.asarray(vocab.word_starts(rows) | special | after_special)
