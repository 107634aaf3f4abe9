"""Tests of the target ``permutation``."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Masked, Ragged, Rng, Selection, TokenBatch
from maskplug.selectors import Exact, Spans
from maskplug.targets import Permutation
from support import reference as ref
from support import reference_diffusion as diffusion_ref
from support.batches import VOCAB, batch, equal_rows, ragged, seeds, uniform


def build(tokens: TokenBatch, selection: Selection, rng: Rng) -> Masked:
    inputs = Ragged(tokens.ids, tokens.offsets)
    return Permutation().build(tokens, Masked(inputs, selection), VOCAB, rng)


@given(ragged(), seeds, st.sampled_from([Exact(0.5), Exact(1.0), Spans(0.5, unit="token")]))
def test_matches_reference(rows: list[list[int]], seed: int, selector: Any) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 5, tokens.keys)
    selection = selector.select(tokens, VOCAB, rng)
    masked = build(tokens, selection, rng)
    order = masked.annotations["order"]
    assert order.dtype == np.int64
    mask = selection.mask
    assert masked.labels.values.tolist() == np.where(mask, tokens.ids, -100).tolist()
    assert (order[~mask] == -1).all()
    for i in range(len(tokens)):
        row_slice = slice(tokens.offsets[i], tokens.offsets[i + 1])
        ranks = order[row_slice][mask[row_slice]].tolist()
        expected = diffusion_ref.ranks(ref.Sample(seed, 5, i).words("permutation", len(ranks)))
        assert ranks == expected


def test_every_order_of_three_is_equally_likely() -> None:
    tokens = equal_rows(20_000, 6)
    rng = Rng.at(3, 0, tokens.keys)
    selection = Exact(0.5).select(tokens, VOCAB, rng)
    order = build(tokens, selection, rng).annotations["order"][selection.mask].reshape(-1, 3)
    assert uniform(order, 6)
