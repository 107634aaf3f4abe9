"""Restore the original from a row of inputs and targets: one function per objective.

Each function uses only the ids of one row. It can also insert the output of a trained model into
the gaps of its inputs.
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


def _filled(inputs: IntArray, gaps: BoolArray, written: IntArray, piece: IntArray) -> IntArray:
    """Return the row with the n-th gap (from 1) replaced by the tokens whose piece is n."""
    # Inputs after n gaps are sorted after the piece that fills the n-th gap.
    order = np.concatenate([2 * np.cumsum(gaps)[~gaps], 2 * piece - 1])
    return np.concatenate([inputs[~gaps], written])[np.argsort(order, kind="stable")]


def from_sentinels(inputs: Row, targets: Row, vocab: Vocabulary) -> IntArray:
    """Return the original of a row of ``t5``, ``t5_iid`` or a similar objective: int64.

    Args:
        inputs: a row in which each span is a sentinel.
        targets: each sentinel and its span; a final sentinel and an end-of-sequence token may
            follow.
        vocab: the vocabulary with the sentinels and the end-of-sequence token.

    Raises:
        TokenError: if inputs and targets do not have the same sentinels in the same order.

    Example:
        >>> vocab = Vocabulary(size=20, eos_id=1, sentinel_ids=[19, 18])
        >>> from_sentinels([5, 19, 8, 18, 1], [19, 6, 7, 18, 9, 1], vocab).tolist()
        [5, 6, 7, 8, 9, 1]
    """
    row, written = _array(inputs), _without_eos(targets, vocab)
    gaps, heads = np.isin(row, vocab.sentinel_ids), np.isin(written, vocab.sentinel_ids)
    expected, actual = row[gaps], written[heads]
    piece: IntArray = np.cumsum(heads, dtype=np.int64)
    extra = len(actual) - len(expected)
    same = extra in (0, 1) and np.array_equal(expected, actual[: len(expected)])
    if not same or (piece == 0).any():
        raise TokenError(
            f"the inputs have the sentinels {expected.tolist()} and the targets "
            f"{actual.tolist()}; targets must begin with the first sentinel and have the same ones "
            "in the same order, with at most one more at the end"
        )
    if extra and not heads[-1]:
        raise TokenError(f"tokens follow the final sentinel {actual[-1]}, which must end the row")
    return _filled(row, gaps, written[~heads], piece[~heads])


def from_suffix(inputs: Row, targets: Row, vocab: Vocabulary) -> IntArray:
    """Return the original of a row of ``prefix_lm``: int64.

    The targets are inserted after the last input token that is not special, before the special
    tokens that end the row (or after a leading ``bos_id``, if all tokens are special). Special
    tokens that were within the suffix end up after it.

    Example:
        >>> vocab = Vocabulary(size=20, bos_id=0, eos_id=1)
        >>> from_suffix([0, 5, 6, 1], [7, 8, 1], vocab).tolist()
        [0, 5, 6, 7, 8, 1]
    """
    row = _array(inputs)
    ordinary = np.flatnonzero(~vocab.special[row])
    bos = int(len(row) > 0 and vocab.bos_id is not None and row[0] == vocab.bos_id)
    at = int(ordinary[-1]) + 1 if len(ordinary) else bos
    return np.concatenate([row[:at], _without_eos(targets, vocab), row[at:]])


def from_fragment(inputs: Row, targets: Row, position_ids: Row) -> IntArray:
    """Return the original of a row of ``mass``: int64.

    Args:
        inputs: a row in which a fragment is masked.
        targets: the fragment.
        position_ids: positions of its tokens, ``target_annotations["position_ids"]``.

    Raises:
        TokenError: if a position is outside the row, or there is not one for each target.

    Example:
        >>> from_fragment([5, 4, 4, 8], [6, 7], [1, 2]).tolist()
        [5, 6, 7, 8]
    """
    row, fragment, positions = _array(inputs).copy(), _array(targets), _array(position_ids)
    if len(fragment) != len(positions):
        raise TokenError(
            f"got {len(positions)} position_ids for {len(fragment)} targets; expected one each"
        )
    outside = (positions < 0) | (positions >= len(row))
    if outside.any():
        raise TokenError(f"position {positions[outside][0]} is outside a row of {len(row)} tokens")
    row[positions] = fragment
    return row


def from_marks(inputs: Row, pieces: Iterable[Row], mark: int) -> IntArray:
    """Return a row with its marks, all of the same id, replaced by pieces in order: int64.

    Gap sentences are such rows if every selected sentence became one mask.

    Raises:
        TokenError: if the numbers of pieces and marks differ.

    Example:
        >>> from_marks([5, 4, 8, 4], [[6, 7], [9]], mark=4).tolist()
        [5, 6, 7, 8, 9]
    """
    row = _array(inputs)
    gaps = row == mark
    arrays = [_array(piece) for piece in pieces]
    if len(arrays) != gaps.sum():
        raise TokenError(f"got {len(arrays)} pieces for a row with {gaps.sum()} marks (id {mark})")
    piece = np.repeat(np.arange(len(arrays)) + 1, [len(array) for array in arrays])
    return _filled(row, gaps, np.concatenate([*arrays, _array([])]), piece)


def from_fim(inputs: Row, prefix: int, middle: int, suffix: int, vocab: Vocabulary) -> IntArray:
    """Return the original of a row of ``fim``, in PSM or SPM order: int64.

    A row without the three marks is returned unchanged.

    Args:
        inputs: the row.
        prefix, middle, suffix: ids of the marks before the parts.
        vocab: the vocabulary; special tokens that end the row do not belong to the middle.

    Raises:
        TokenError: if the row has only some of the marks, or has them in another order.

    Example:
        >>> vocab = Vocabulary(size=20, eos_id=1, special_ids=[17, 18, 19])
        >>> from_fim([17, 5, 19, 8, 18, 6, 7, 1], 17, 18, 19, vocab).tolist()
        [5, 6, 7, 8, 1]
    """
    row = _array(inputs)
    at = np.flatnonzero(np.isin(row, [prefix, middle, suffix]))
    if not len(at):
        return row
    if row[at].tolist() != [prefix, suffix, middle]:
        raise TokenError(
            f"the row has the marks {row[at].tolist()}; a rearranged row has one each of prefix, "
            f"suffix and middle, {[prefix, suffix, middle]}"
        )
    lead, before, after, moved = (part[k > 0 :] for k, part in enumerate(np.split(row, at)))
    ordinary = np.flatnonzero(~vocab.special[moved])
    end = int(ordinary[-1]) + 1 if len(ordinary) else 0
    return np.concatenate([lead, before, moved[:end], after, moved[end:]])


def without_mode(inputs: Row, modes: Iterable[int]) -> tuple[int | None, IntArray]:
    """Return the mode token that ``prefixed`` or ``ul2`` inserted, and the row without it.

    Args:
        inputs: the row.
        modes: ids of all mode tokens.

    Returns:
        The id of the mode, or None if neither the first nor the second token is one; and the rest
        of the row, int64.

    Example:
        >>> mode, rest = without_mode([0, 19, 5, 6], modes=[18, 19])
        >>> mode, rest.tolist()
        (19, [0, 5, 6])
    """
    row = _array(inputs)
    at = np.flatnonzero(np.isin(row[:2], list(modes)))
    if not len(at):
        return None, row
    return int(row[at[0]]), np.delete(row, at[0])
