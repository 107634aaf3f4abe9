"""What was masked, in colour; brackets say the same where there is no colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from maskplug.arrays import BoolArray
from maskplug.spelling import plain
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {"mask": "bold white on red", "random": "black on yellow", "kept": "black on green"}


def legend() -> Text:
    """A line that explains the marks."""
    from rich.text import Text

    return Text.assemble(
        ("[word]", STYLES["mask"]),
        " masked  ",
        ("[word→other]", STYLES["random"]),
        " replaced at random  ",
        ("[word=]", STYLES["kept"]),
        " kept, but predicted",
    )


def render(
    tokens: TokenBatch, masked: Masked, vocab: Vocabulary, piece: Callable[[int], str]
) -> list[Text]:
    """One line a sample: its tokens, and what became of the chosen ones.

    Args:
        tokens: the original.
        masked: what a strategy with aligned inputs made of it.
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
    from rich.text import Text

    blanks = _blanks(tokens, vocab)
    chosen, inputs = masked.selection.mask, masked.inputs.values
    lines = []
    for start, end in zip(tokens.offsets, tokens.offsets[1:], strict=False):
        line = Text()
        for i in range(start, end):
            word = plain(piece(int(tokens.ids[i])))
            if blanks[i] and i > start:
                line.append(" ")
            if not chosen[i]:
                line.append(word)
            elif inputs[i] == vocab.mask_id:
                line.append(f"[{word}]", STYLES["mask"])
            elif inputs[i] == tokens.ids[i]:
                line.append(f"[{word}=]", STYLES["kept"])
            else:
                line.append(f"[{word}→{plain(piece(int(inputs[i])))}]", STYLES["random"])
        lines.append(line)
    return lines


def _blanks(tokens: TokenBatch, vocab: Vocabulary) -> BoolArray:
    """True where a blank stands before the token: at words, and around special tokens."""
    if not vocab.has_words and "word_starts" not in tokens.layers:
        return np.ones(len(tokens.ids), np.bool_)
    special = ~vocab.maskable(tokens)
    after_special = np.concatenate(([False], special[:-1]))
    return np.asarray(vocab.word_starts(tokens) | special | after_special)
