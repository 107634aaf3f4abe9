"""Tests of ``llada``, ``mdlm`` and ``block_diffusion``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Masked
from maskplug.selectors import BlockNoise, Noise, ScheduledNoise, UniformNoise
from support.batches import BOS, EOS, MASK, ORDINARY, PAD, VOCAB, batch

STRATEGIES: dict[str, dict[str, Any]] = {
    "llada": {},
    "llada-forced": {"always_one": True},
    "mdlm": {},
    "mdlm-cosine": {"schedule": "cosine"},
    "block_diffusion": {"block": 3},
}
every = pytest.mark.parametrize("case", STRATEGIES)
SEP = 59
WORDS = ORDINARY[10:16]
#: Positions of special tokens in the part that is not protected.
PLACES: dict[str, list[int]] = {
    "at the end": [*WORDS, EOS],
    "at the start": [BOS, *WORDS],
    "in the middle": [*WORDS[:3], SEP, *WORDS[3:]],
    "several": [BOS, *WORDS[:2], SEP, SEP, *WORDS[2:], 1, EOS],
    "nothing else": [SEP, EOS],
}
PROMPTS: dict[str, list[int]] = {"no prompt": [], "a prompt": [BOS, *ORDINARY[:5], SEP, EOS]}
SAMPLES = 400


def strategy(case: str, **options: Any) -> maskplug.Strategy:
    return maskplug.strategy(case.split("-")[0], **{**STRATEGIES[case], **options})


def masked_rows(
    case: str, prompt: list[int], answer: list[int], vocab: Any = VOCAB, **options: Any
) -> Masked:
    row = [*prompt, *answer]
    protected = [[True] * len(prompt) + [False] * len(answer)] * SAMPLES
    return strategy(case, **options)(batch([row] * SAMPLES, protected=protected), vocab, seed=1)


def by_place(values: Any) -> Any:
    return np.asarray(values).reshape(SAMPLES, -1)


@pytest.mark.parametrize(
    ("name", "options", "noise"),
    [
        ("llada", {"eps": 0.01, "always_one": True}, UniformNoise(0.01, True)),
        (
            "mdlm",
            {"schedule": "cosine", "eps": 0.1, "antithetic": False},
            ScheduledNoise("cosine", 0.1, False),
        ),
        (
            "block_diffusion",
            {"block": 3, "low": 0.3, "high": 0.8, "antithetic": False},
            BlockNoise(3, 0.3, 0.8, False),
        ),
    ],
)
def test_options_are_those_of_the_noise(name: str, options: dict[str, Any], noise: Noise) -> None:
    composed: Any = maskplug.strategy(name, **options)
    assert composed.selector == composed.target.noise == noise


@every
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("answer", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("mask_special", [False, True])
def test_answer_tokens_are_masked_half_the_time(
    case: str, prompt: list[int], answer: list[int], mask_special: bool
) -> None:
    masked = masked_rows(case, prompt, answer, mask_special=mask_special)
    free = np.array([False] * len(prompt) + [mask_special or t in WORDS for t in answer])
    mask = by_place(masked.selection.mask)
    assert not mask[:, ~free].any()
    assert (mask[:, free].mean(axis=0) > 0.3).all()
    ids = np.tile([*prompt, *answer], (SAMPLES, 1))
    assert (by_place(masked.inputs.values) == np.where(mask, MASK, ids)).all()
    assert (by_place(masked.labels.values) == np.where(mask, ids, -100)).all()
    assert ((by_place(masked.weights) > 0) == mask).all()
    assert (masked.divisors == free.sum()).all()


@every
def test_padding_and_masks_are_never_masked(case: str) -> None:
    answer = [MASK, *WORDS, EOS, PAD, PAD]
    masked = masked_rows(case, [], answer, mask_special=True)
    mask = by_place(masked.selection.mask)
    assert not mask[:, [0, -2, -1]].any()
    assert mask[:, 1:-2].any(axis=0).all()
    assert (masked.divisors == len(WORDS) + 1).all()


@every
def test_padding_that_is_also_eos_is_masked(case: str) -> None:
    """LLaDA pads answers this way: tokenizers without padding use the end of text."""
    vocab = replace(VOCAB, pad_id=EOS)
    masked = masked_rows(case, [BOS, 5], [*WORDS, EOS, EOS, EOS], vocab, mask_special=True)
    assert by_place(masked.selection.mask)[:, 2:].any(axis=0).all()
    assert (masked.divisors == len(WORDS) + 3).all()


@every
def test_protected_special_tokens_stay(case: str) -> None:
    row = [BOS, *WORDS, SEP, EOS]
    protected = [[x in (BOS, SEP) for x in row]] * SAMPLES
    tokens = batch([row] * SAMPLES, protected=protected)
    masked = strategy(case, mask_special=True)(tokens, VOCAB, seed=1)
    mask = by_place(masked.selection.mask)
    assert not mask[:, [0, -2]].any()
    assert mask[:, -1].any()
    assert (masked.divisors == len(WORDS) + 1).all()


def test_blocks_count_maskable_special_tokens() -> None:
    row, protected = [BOS, 5, 6, SEP, 7, EOS, PAD], [True, True, *[False] * 5]
    tokens = batch([row], protected=[protected])
    for mask_special, blocks in ((False, [0, 0, 0, 0, 0]), (True, [0, 0, 1, 1, 1])):
        masked = strategy("block_diffusion", block=2, mask_special=mask_special)(tokens, VOCAB)
        assert masked.annotations["block"].tolist() == [-1, -1, *blocks]


def test_ids_outside_the_vocabulary_raise() -> None:
    with pytest.raises(maskplug.MaskplugError, match=r"token id 60 .* is outside the vocabulary"):
        strategy("llada", mask_special=True)(batch([[5, 60]]), VOCAB)
