"""Concatenate translation pairs for translation language modelling."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import gather
from maskplug.rng import hash_words
from maskplug.tokens import TokenBatch
from maskplug.types import offsets_of


def concatenate(
    first: TokenBatch, second: TokenBatch, languages: tuple[int, int] = (0, 1)
) -> TokenBatch:
    """Concatenate row i of two batches and add the annotation ``languages``.

    Args:
        first, second: two batches with the same number of rows and the same annotations; each row
            includes its own special tokens.
        languages: number of the language of each batch.

    Returns:
        A batch for the strategy ``tlm``. The key of a row is the key of both, if they are equal,
        and otherwise a hash of the two.

    Raises:
        TokenError: if the batches do not match.

    Example:
        >>> english = TokenBatch.from_lists([[2, 10, 11, 2]], keys=["pair-1"])
        >>> french = TokenBatch.from_lists([[2, 20, 21, 22, 2]], keys=["pair-1"])
        >>> both = concatenate(english, french)
        >>> both.ids.tolist(), both.annotations["languages"].tolist()
        ([2, 10, 11, 2, 2, 20, 21, 22, 2], [0, 0, 0, 0, 1, 1, 1, 1, 1])
    """
    if len(first) != len(second):
        raise TokenError(f"the batches have {len(first)} and {len(second)} rows; give pairs")
    if set(first.annotations) != set(second.annotations):
        names = ", ".join(map(repr, sorted(set(first.annotations) ^ set(second.annotations))))
        raise TokenError(
            f"only one of the two batches has the annotations {names}; both need the same ones"
        )
    both = offsets_of(np.concatenate((first.lengths, second.lengths)))
    alternating = np.arange(2 * len(first)).reshape(2, -1).T.ravel()
    index, offsets = gather(both, alternating)

    def joined(a: Any, b: Any) -> Any:
        return np.concatenate((a, b))[index]

    annotations = {
        name: joined(values, second.annotations[name]) for name, values in first.annotations.items()
    }
    annotations["languages"] = np.repeat(languages, (len(first.ids), len(second.ids)))[index]
    keys = np.where(first.keys == second.keys, first.keys, hash_words(first.keys, second.keys))
    return TokenBatch(joined(first.ids, second.ids), offsets[::2], keys, annotations)
