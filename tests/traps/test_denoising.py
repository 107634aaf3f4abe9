"""Defects of reference code for denoising and text pairs that are avoided."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import TokenBatch
from support.batches import MASK, SPECIAL, VOCAB, batch, equal_rows, fits
from support.cases import RICH

#: All options at once, so that all noises are drawn.
BART = {"insert": 0.2, "rotate": 0.5, "random": 0.2, "permute": 0.8}
TEXT = [2, *[token for n in range(8) for token in (10 + n, 30 + n, 45, 7)], 3]


def noised(seed: int = 3, epoch: int = 2, keys: Any = range(20), **options: Any) -> list[list[int]]:
    tokens = batch([TEXT] * 20, keys=keys)
    strategy = maskplug.strategy("bart", **{**BART, **options})
    return strategy(tokens, RICH, seed=seed, epoch=epoch).inputs.to_lists()


@pytest.mark.parametrize("noise", ["infilling", "masking", "deletion"])
def test_trap_02_bart_noise_depends_on_seed_time_and_key_only(noise: str) -> None:
    torch = pytest.importorskip("torch")
    first = noised(noise=noise)
    for state in (1, 2):
        random.seed(state)
        np.random.seed(state)  # noqa: NPY002
        torch.manual_seed(state)
        assert noised(noise=noise) == first
    for other in (noised(4, noise=noise), noised(epoch=3, noise=noise)):
        assert all(a != b for a, b in zip(first, other, strict=True))
    moved = noised(keys=range(5, 25), noise=noise)
    assert moved[:15] == first[5:]
    assert moved[15:] != first[15:]


@pytest.mark.parametrize("permute", [0.0, 1.0])
def test_trap_02_the_stored_text_is_not_changed(permute: float) -> None:
    ids = np.array(TEXT * 4, np.int64)
    tokens = TokenBatch.from_flat(ids, np.arange(5) * len(TEXT), range(4))
    for noise in ("infilling", "masking", "deletion"):
        options = {**BART, "permute": permute, "noise": noise}
        masked = maskplug.strategy("bart", **options)(tokens, RICH, seed=1)
        assert masked.inputs.to_lists() != [TEXT] * 4
        assert ids.tolist() == TEXT * 4
        assert tokens.ids.tolist() == TEXT * 4


@pytest.mark.parametrize("length", [20, 200, 500])
@pytest.mark.parametrize("rate", [0.3, 0.35])
def test_trap_03_infilling_masks_the_requested_share(length: int, rate: float) -> None:
    options = {"rate": rate, "permute": 0.0, "unit": "token"}
    masked = maskplug.strategy("bart", **options)(equal_rows(400, length), VOCAB, seed=1)
    hidden = masked.selection.mask.reshape(400, length).sum(axis=1)
    exact = rate * length
    assert set(hidden.tolist()) <= {int(np.floor(exact + 1e-9)), int(np.ceil(exact - 1e-9))}
    assert (masked.inputs.sources >= 0).sum() == 400 * length - hidden.sum()


def test_trap_13_random_gap_sentences_are_redrawn() -> None:
    def chosen(seed: int, epoch: int, keys: Any = range(40)) -> list[list[int]]:
        strategy = maskplug.strategy("gap_sentences", choose="random")
        masked = strategy(batch([TEXT] * 40, keys=keys), RICH, seed=seed, epoch=epoch)
        return masked.inputs.to_lists()

    base = chosen(1, 0)
    assert len({tuple(row) for row in base}) > 10  # one text, forty keys
    assert chosen(1, 0) == base
    for other in (chosen(1, 1), chosen(2, 0), chosen(1, 0, range(40, 80))):
        assert sum(a != b for a, b in zip(base, other, strict=True)) > 20


def test_trap_14_a_fully_masked_target_is_trained() -> None:
    masked = maskplug.strategy("cmlm")(equal_rows(20_000, 10), VOCAB, seed=1)
    counts = masked.selection.mask.reshape(-1, 10).sum(axis=1)
    seen = np.bincount(counts, minlength=11)
    assert seen[0] == 0
    assert fits(seen[1:], np.ones(10))
    all_hidden = masked.inputs.values.reshape(-1, 10)[counts == 10]
    assert (all_hidden == MASK).all()


def test_trap_14_the_end_of_the_sentence_is_not_masked() -> None:
    masked = maskplug.strategy("cmlm")(batch([TEXT] * 500), RICH)
    ends = masked.inputs.values.reshape(500, -1)[:, [0, -1]]
    assert (ends == [2, 3]).all()


def test_trap_18_switchout_writes_other_tokens_and_no_special_ones() -> None:
    tokens = equal_rows(20_000, 10)
    masked = maskplug.strategy("switchout", tau=0.0)(tokens, VOCAB, seed=1)
    hit = masked.selection.mask
    assert hit.sum() > 100_000  # the reference writes a special token in 0.1 % of these
    assert not np.isin(masked.inputs.values[hit], SPECIAL).any()
    assert (masked.inputs.values[hit] != tokens.ids[hit]).all()


def test_trap_18_bos_does_not_change_the_probability_of_no_change() -> None:
    plain = maskplug.strategy("switchout")(batch([[10, 11, 12, 13]] * 4_000), RICH)
    dressed = maskplug.strategy("switchout")(batch([[2, 10, 11, 12, 13, 3]] * 4_000), RICH)
    assert plain.selection.counts.tolist() == dressed.selection.counts.tolist()
    assert (plain.selection.counts == 0).any()
