"""Properties of all random patterns."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug

HEADS = ["random:rate=0.5,per_head=true", "bigbird:block=2,random=2"]
#: Every pattern that draws, with the clock "step".
PATTERNS = [
    "unilm:mode=mixture",
    "permutation:order=drawn,stream=content",
    "random:rate=0.5",
    "random:rate=0.5,per_head=true,per_layer=true",
    "bigbird:block=2,random=2,clock=step",
]
SEGMENTS = [0] * 12 + [1] * 12
LENGTH = 24

each = pytest.mark.parametrize("text", PATTERNS)


def many(text: str, **more: Any) -> Any:
    """The masks of 40 samples at t = 3: bool of shape (40, 1, 24, 24)."""
    arguments = {"t": 3, "seed": 5, "keys": range(40), "segments": SEGMENTS, **more}
    return maskplug.pattern(text).dense(LENGTH, **arguments)


@each
def test_masks_are_reproducible(text: str) -> None:
    assert (many(text) == many(text)).all()


@each
@pytest.mark.parametrize("other", [{"seed": 6}, {"t": 4}, {"keys": range(40, 80)}], ids=str)
def test_seed_t_and_key_change_the_mask(text: str, other: dict[str, Any]) -> None:
    same = (many(text) == many(text, **other)).all((1, 2, 3))
    assert same.mean() < 0.6  # of four modes, two samples often share one


@each
def test_samples_have_different_masks(text: str) -> None:
    assert len({mask.tobytes() for mask in many(text)}) > 3


@each
def test_clock_sets_the_time(text: str) -> None:
    def at(clock: str, **context: int) -> Any:
        name, options = text.split(":")
        rest = [option for option in options.split(",") if not option.startswith("clock")]
        return many(f"{name}:{','.join([*rest, f'clock={clock}'])}", **context)

    by_step = at("step", t=2)
    assert (at("every(2, step)", t=5) == by_step).all()
    assert (at("epoch", t=9, epoch=2) == by_step).all()
    assert (at("never", t=9, epoch=4) == at("step", t=0)).all()
    assert (at("never", t=9) != by_step).any()


@each
def test_padding_and_batch_do_not_change_masks(text: str) -> None:
    for length in (1, 2, 7, 16):
        padded = many(text, valid=[[0] * 5 + [1] * length + [0] * (19 - length)] * 40)
        own = slice(5, 5 + length)
        segments = [*SEGMENTS[own]]
        pattern = maskplug.pattern(text)
        for sample in (0, 17, 39):
            alone = pattern.dense(length, t=3, seed=5, keys=[sample], segments=segments)
            assert (padded[sample, :, own, own] == alone[0]).all()


@pytest.mark.parametrize("text", HEADS)
def test_heads_are_independent_of_their_number(text: str) -> None:
    few, more = many(text, heads=2), many(text, heads=5)
    assert (few.shape[1], more.shape[1]) == (2, 5)
    assert (few == more[:, :2]).all()
    assert (few[:, :1] == many(text, heads=1)).all()
    for head in range(4):
        assert (more[:, head] != more[:, head + 1]).any((1, 2)).mean() > 0.9


def test_heads_share_a_mask_without_per_head() -> None:
    for text in ("random:rate=0.5", "bigbird:block=2,random=2,per_head=false"):
        assert many(text, heads=4).shape[1] == 1
        assert (many(text, heads=4) == many(text)).all()


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("unilm:mode=mixture", False),
        ("permutation:order=drawn,stream=content", False),
        ("random:rate=0.5", False),
        ("random:rate=0.5,per_layer=true", True),
        ("bigbird:block=2,random=2", True),
    ],
)
def test_network_layers(text: str, apart: bool) -> None:
    first, second = many(text, layer_idx=0), many(text, layer_idx=1)
    assert (first != second).any((1, 2, 3)).mean() == pytest.approx(float(apart), abs=0.1)


@each
def test_decoder_masks_differ_from_encoder_masks(text: str) -> None:
    assert (many(text) != many(text, attention_kind="decoder")).any((1, 2, 3)).mean() > 0.4


def test_cross_attention_hides_the_same_keys_as_the_encoder() -> None:
    assert (many("random", kv_len=24, attention_kind="cross") == many("random")).all()


@each
def test_a_cache_gives_the_last_rows(text: str) -> None:
    later = maskplug.pattern(text).dense(
        7,
        LENGTH,
        t=3,
        seed=5,
        keys=range(40),
        segments=SEGMENTS,
        offset=10,
        attention_kind="decoder",
    )
    assert (later == many(text, attention_kind="decoder")[:, :, 10:17]).all()


@each
def test_redrawn_masks_are_dynamic(text: str) -> None:
    assert maskplug.pattern(text).is_dynamic
    name, options = text.split(":")
    still = options.replace(",clock=step", "") + ",clock=never"
    assert not maskplug.pattern(f"{name}:{still}").is_dynamic


@pytest.mark.parametrize(
    "text", ["unilm:mode=seq2seq", "unilm:mode=left_to_right", "permutation", "bigbird", "section"]
)
def test_masks_without_redraws_are_static(text: str) -> None:
    assert not maskplug.pattern(text).is_dynamic


@each
def test_a_sample_of_padding_does_not_affect_others(text: str) -> None:
    with_it = many(text, valid=[[0] * LENGTH] * 20 + [[1] * LENGTH] * 20)
    assert (with_it[20:] == many(text)[20:]).all()
