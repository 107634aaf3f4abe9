"""Expected masks straight from the core: no framework, no padding, one sample at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import maskplug

#: The inputs of the model for one sample, without padding: input ids and labels.
Row = tuple[tuple[int, ...], tuple[int, ...]]


def reference_masks(
    rows: Mapping[int | str, Sequence[int]],
    vocab: maskplug.Vocabulary,
    strategy: maskplug.Strategy,
    *,
    seed: int,
    epoch: int = 0,
    step: int = 0,
    progress: float = 0.0,
    feedback: maskplug.rng.Feedback | None = None,
) -> dict[int | str, Row]:
    """The masked row of every sample, by key."""
    masks: dict[int | str, Row] = {}
    for key, row in rows.items():
        tokens = maskplug.TokenBatch.from_lists([row], keys=[key])
        time = {"epoch": epoch, "step": step, "progress": progress, "feedback": feedback}
        masked = strategy(tokens, vocab, seed=seed, **time)
        assert masked.labels is not None
        masks[key] = (tuple(masked.inputs.values.tolist()), tuple(masked.labels.values.tolist()))
    return masks
