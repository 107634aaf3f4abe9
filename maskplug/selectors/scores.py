"""Files of scores, one for each id of a vocabulary."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np

from maskplug.errors import OptionError, VocabularyError, shortened
from maskplug.preprocessing.resource import Resource
from maskplug.types import FloatArray, readonly


@lru_cache(maxsize=8)
def read_scores(file: Resource) -> FloatArray:
    """Read the scores of a file: float64, one for each id, finite and not negative.

    The file has one number per line, or is a one-dimensional ``.npy`` file.

    Raises:
        OptionError: for an invalid score; the message names the line.
    """
    if file.path.endswith(".npy"):
        values, position = _from_npy(file), "entry"
    else:
        values, position = _from_text(file), "line"
    wrong = ~(np.isfinite(values) & (values >= 0.0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise OptionError(
            f"{file.path}, {position} {first + 1}: {values[first]} is no score; scores are finite "
            "numbers that are not negative"
        )
    return readonly(values, np.float64)


def _from_text(file: Resource) -> FloatArray:
    lines = file.lines()
    values = np.empty(len(lines))
    for number, line in enumerate(lines):
        try:
            values[number] = float(line)
        except ValueError:
            raise OptionError(
                f"{file.path}, line {number + 1}: {shortened(line)} is no number; a file of "
                "scores has one number a line, one line for each id of the vocabulary"
            ) from None
    return values


def _from_npy(file: Resource) -> FloatArray:
    try:
        array = np.load(io.BytesIO(file.content()), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise OptionError(f"{file.path} is no .npy file of numbers: {error}") from None
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise OptionError(
            f"{file.path} holds {array.dtype} of shape {array.shape}; scores are one row of numbers"
        )
    return np.asarray(array, np.float64)


def check_count(file: Resource, size: int) -> None:
    """Check that a file has one score for each id of a vocabulary of this size.

    Raises:
        VocabularyError: names the first surplus or missing line.
    """
    count = len(read_scores(file))
    if count != size:
        what = "is one too many" if count > size else "is missing"
        raise VocabularyError(
            f"{file.path} has {count} scores for a vocabulary of {size} ids: line "
            f"{min(count, size) + 1} {what}"
        )


def raised(values: FloatArray, power: float) -> FloatArray:
    """Return the values to a power, using only multiplication, division and square root.

    These are correctly rounded on every platform, unlike ``pow``. The power is rounded to a
    multiple of 2**-16. With a negative power, 0 is treated as 1, as in XLM, which counts unseen
    tokens as seen once.

    Example:
        >>> raised(np.array([0.0, 4.0, 100.0]), -0.5).tolist()
        [1.0, 0.5, 0.1]
    """
    whole, part = divmod(round(abs(power) * 65536), 65536)
    base = np.where(values == 0.0, 1.0, values) if power < 0 else values
    out = np.ones(len(values))
    root = base
    while part:
        root = np.sqrt(root)
        part *= 2
        if part >= 65536:
            out = out * root
            part -= 65536
    while whole:
        if whole % 2:
            out = out * base
        base = base * base
        whole //= 2
    return 1.0 / out if power < 0 else out
