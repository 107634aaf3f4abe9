"""What was masked, in colour; brackets say the same where there is no colour."""

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
    """A line that explains the marks."""
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
    """The inputs of every sample, one line each; below each, what is to be generated, if anything.

    Args:
        tokens: the original.
        masked: what a strategy made of it.
        vocab: says which id is the mask, and where words begin.
        piece: gives the text of an id, as the tokenizer spells it.

    Example:
        >>> import maskplug
        >>> vocab = maskplug.Vocabulary(size=4, mask_id=0)
        >>> tokens = maskplug.TokenBatch.from_lists([[1, 2, 3]], keys=["a"])
        >>> masked = maskplug.strategy("dynamic", rate=0.4, mask=1.0, random=0.0)(tokens, vocab)
        >>> print(render(tokens, masked, vocab, "_abc".__getitem__)[0])
        [a] b c
    """
    given = TokenBatch(masked.inputs.values, masked.inputs.offsets, tokens.keys)
    inputs = _lines(given, _cells(tokens, masked, vocab, piece), vocab)
    if masked.targets is None:
        return inputs
    wanted = TokenBatch(masked.targets.values, masked.targets.offsets, tokens.keys)
    words = [_word(int(i), vocab, piece) for i in wanted.ids]
    outputs = _lines(wanted, words, vocab, head=("⇒ ", STYLES["target"]))
    return [line for pair in zip(inputs, outputs, strict=True) for line in pair]


def _word(token: int, vocab: Vocabulary, piece: Callable[[int], str]) -> tuple[str, str]:
    """A token's text and style where nothing is known of it but its id."""
    word = plain(piece(token), vocab.word_mark)
    return (_marked(word), STYLES["written"]) if vocab.special[token] else (word, "")


def _marked(word: str) -> str:
    """A written token in angle brackets, unless it has brackets of its own."""
    return word if word[:1] + word[-1:] in ("<>", "[]") else f"‹{word}›"


def _cells(
    tokens: TokenBatch, masked: Masked, vocab: Vocabulary, piece: Callable[[int], str]
) -> list[tuple[str, str]]:
    """Text and style of every input."""
    chosen = masked.selection.mask
    sources = masked.inputs.sources
    came_from = range(len(tokens.ids)) if sources is None else sources.tolist()
    cells = []
    for token, source in zip(masked.inputs.values.tolist(), came_from, strict=True):
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

    blanks = _blanks(rows, vocab)
    lines = []
    for start, end in zip(rows.offsets, rows.offsets[1:], strict=False):
        line = Text.assemble(head)
        for i in range(start, end):
            line.append(" " if blanks[i] and i > start else "")
            line.append(*cells[i])
        lines.append(line)
    return lines


def _blanks(rows: TokenBatch, vocab: Vocabulary) -> BoolArray:
    """True where a blank stands before the token: at words, and around special tokens."""
    special = vocab.special[rows.ids]
    if not vocab.has_words:
        return np.ones(len(rows.ids), np.bool_)
    after_special = np.concatenate(([False], special[:-1]))
    return np.asarray(vocab.word_starts(rows) | special | after_special)
