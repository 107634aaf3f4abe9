"""Originals from what a model reads and what it is to generate: one function an objective.

They use nothing but ids of one row: what they rebuild, a model has been told. They also put the
answer of a trained model into the gaps that it was asked to fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.types import BoolArray, IntArray
from maskplug.vocabulary import Vocabulary

#: One row of ids: a list or an integer array.
Row = Sequence[int] | np.ndarray[Any, Any]


def _array(row: Row) -> IntArray:
    return np.asarray(row, np.int64).reshape(-1)


def _without_eos(targets: Row, vocab: Vocabulary) -> IntArray:
    ids = _array(targets)
    ended = vocab.eos_id is not None and len(ids) > 0 and ids[-1] == vocab.eos_id
    return ids[:-1] if ended else ids


def _filled(inputs: IntArray, gaps: BoolArray, told: IntArray, piece: IntArray) -> IntArray:
    """The row in which the n-th gap (from 1) has become the tokens whose piece is n."""
    # What stands behind n gaps goes behind what fills the n-th.
    places = np.concatenate([2 * np.cumsum(gaps)[~gaps], 2 * piece - 1])
    return np.concatenate([inputs[~gaps], told])[np.argsort(places, kind="stable")]


def from_sentinels(inputs: Row, targets: Row, vocab: Vocabulary) -> IntArray:
    """The original of a row of ``t5``, ``t5_iid`` or a like objective: int64.

    Args:
        inputs: a row in which each span is a sentinel.
        targets: each sentinel and its span; a final sentinel and an end-of-sequence token may
            follow.
        vocab: names the sentinels and the end-of-sequence token.

    Raises:
        TokenError: when the sentinels of the inputs are not those of the targets, in order.

    Example:
        >>> vocab = Vocabulary(size=20, eos_id=1, sentinel_ids=[19, 18])
        >>> from_sentinels([5, 19, 8, 18, 1], [19, 6, 7, 18, 9, 1], vocab).tolist()
        [5, 6, 7, 8, 9, 1]
    """
    read, told = _array(inputs), _without_eos(targets, vocab)
    gaps, heads = np.isin(read, vocab.sentinel_ids), np.isin(told, vocab.sentinel_ids)
    asked, answered = read[gaps], told[heads]
    piece: IntArray = np.cumsum(heads, dtype=np.int64)
    extra = len(answered) - len(asked)
    same = extra in (0, 1) and np.array_equal(asked, answered[: len(asked)])
    if not same or (piece == 0).any():
        raise TokenError(
            f"the inputs have the sentinels {asked.tolist()} and the targets {answered.tolist()}: "
            "the targets begin with the first, and hold the same ones in the same order, and at "
            "most one more at their end"
        )
    if extra and not heads[-1]:
        raise TokenError(f"tokens follow the final sentinel {answered[-1]}, which ends the row")
    return _filled(read, gaps, told[~heads], piece[~heads])


def from_suffix(inputs: Row, targets: Row, vocab: Vocabulary) -> IntArray:
    """The original of a row of ``prefix_lm``: int64.

    The targets go behind the last token of the inputs that is not special, in front of the special
    tokens that end the row (or behind a leading ``bos_id``, where all of it is special). Special
    tokens that stood within the suffix stand behind it.

    Example:
        >>> vocab = Vocabulary(size=20, bos_id=0, eos_id=1)
        >>> from_suffix([0, 5, 6, 1], [7, 8, 1], vocab).tolist()
        [0, 5, 6, 7, 8, 1]
    """
    read = _array(inputs)
    ordinary = np.flatnonzero(~vocab.special[read])
    bos = int(len(read) > 0 and vocab.bos_id is not None and read[0] == vocab.bos_id)
    at = int(ordinary[-1]) + 1 if len(ordinary) else bos
    return np.concatenate([read[:at], _without_eos(targets, vocab), read[at:]])


def from_fragment(inputs: Row, targets: Row, position_ids: Row) -> IntArray:
    """The original of a row of ``mass``: int64.

    Args:
        inputs: a row in which a fragment is hidden.
        targets: the fragment.
        position_ids: where its tokens stood; ``target_layers["position_ids"]``.

    Raises:
        TokenError: when a position is outside the row, or there is not one for each target.

    Example:
        >>> from_fragment([5, 4, 4, 8], [6, 7], [1, 2]).tolist()
        [5, 6, 7, 8]
    """
    row, told, places = _array(inputs).copy(), _array(targets), _array(position_ids)
    if len(told) != len(places):
        raise TokenError(f"{len(told)} targets came with {len(places)} position_ids: one each")
    outside = (places < 0) | (places >= len(row))
    if outside.any():
        raise TokenError(f"position {places[outside][0]} is outside a row of {len(row)} tokens")
    row[places] = told
    return row


def from_marks(inputs: Row, pieces: Iterable[Row], mark: int) -> IntArray:
    """A row whose marks, all of them the same id, become pieces in order: int64.

    Gap sentences are such a row where every chosen sentence became one mask.

    Raises:
        TokenError: when there are more or fewer pieces than marks.

    Example:
        >>> from_marks([5, 4, 8, 4], [[6, 7], [9]], mark=4).tolist()
        [5, 6, 7, 8, 9]
    """
    read = _array(inputs)
    gaps = read == mark
    told = [_array(piece) for piece in pieces]
    if len(told) != gaps.sum():
        raise TokenError(f"{len(told)} pieces came for a row with {gaps.sum()} marks (id {mark})")
    piece = np.repeat(np.arange(len(told)) + 1, [len(one) for one in told])
    return _filled(read, gaps, np.concatenate([*told, _array([])]), piece)


def from_fim(inputs: Row, prefix: int, middle: int, suffix: int, vocab: Vocabulary) -> IntArray:
    """The original of a row of ``fim``, in either order of its parts: int64.

    A row without the three marks is given back as it is.

    Args:
        inputs: the row.
        prefix, middle, suffix: the ids that stand before the parts.
        vocab: says which tokens are special: those that end the row are not part of the middle.

    Raises:
        TokenError: when the row has some of the marks, or has them in another order.

    Example:
        >>> vocab = Vocabulary(size=20, eos_id=1, special_ids=[17, 18, 19])
        >>> from_fim([17, 5, 19, 8, 18, 6, 7, 1], 17, 18, 19, vocab).tolist()
        [5, 6, 7, 8, 1]
    """
    read = _array(inputs)
    at = np.flatnonzero(np.isin(read, [prefix, middle, suffix]))
    if not len(at):
        return read
    if read[at].tolist() != [prefix, suffix, middle]:
        raise TokenError(
            f"the row has the marks {read[at].tolist()}; a rearranged row has one each of prefix, "
            f"suffix and middle, {[prefix, suffix, middle]}"
        )
    lead, before, after, told = (part[k > 0 :] for k, part in enumerate(np.split(read, at)))
    ordinary = np.flatnonzero(~vocab.special[told])
    end = int(ordinary[-1]) + 1 if len(ordinary) else 0
    return np.concatenate([lead, before, told[:end], after, told[end:]])


def without_mode(inputs: Row, modes: Iterable[int]) -> tuple[int | None, IntArray]:
    """The mode token that ``prefixed`` or ``ul2`` wrote in front, and the row without it.

    Args:
        inputs: the row.
        modes: the ids of all mode tokens.

    Returns:
        The id of the mode, or None where the row has none as its first or second token; and the
        rest of the row, int64.

    Example:
        >>> mode, rest = without_mode([0, 19, 5, 6], modes=[18, 19])
        >>> mode, rest.tolist()
        (19, [0, 5, 6])
    """
    read = _array(inputs)
    found = np.flatnonzero(np.isin(read[:2], list(modes)))
    if not len(found):
        return None, read
    return int(read[found[0]]), np.delete(read, found[0])
