"""A model with patterns equals the stock model with the same masks, for every family."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

families = pytest.mark.parametrize("name", tiny.FAMILIES)


def expected_masks(name: str, inputs: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The patterns of a family, combined with causality and padding; padding sees itself."""
    valid = inputs["attention_mask"].numpy()
    masks = {}
    for kind, text in tiny.patterns(name).items():
        q_len = kv_len = valid.shape[1]
        padding = {"valid": valid}
        if name in tiny.SEQ2SEQ and kind != "encoder":
            q_len = inputs["decoder_input_ids"].shape[1]
            if kind == "decoder":
                kv_len, padding = q_len, {}
        visible = maskplug.pattern(text).dense(q_len, kv_len, attention_kind=kind, **padding)
        causal = np.tri(q_len, dtype=bool) if kind == "decoder" else True
        real = padding.get("valid", np.ones((1, kv_len))) != 0
        mask = torch.from_numpy(visible & causal & real[:, None, None])
        mask |= ~mask.any(-1, keepdim=True) & torch.eye(q_len, kv_len, dtype=torch.bool)
        masks[kind] = mask.expand(len(valid), -1, -1, -1)
    return masks


@pytest.mark.filterwarnings("ignore:pattern .* hides every key")
@pytest.mark.parametrize(("side", "backend"), [("left", "sdpa"), ("right", "eager")])
@families
def test_pattern_equals_stock_model_with_its_mask(name: str, side: str, backend: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name, side)
    expected = tiny.stock(name, model, inputs, expected_masks(name, inputs))
    plain = model(**inputs).logits
    with use_attention(model, backend=backend, **tiny.patterns(name)):
        logits = model(**inputs).logits
    real = tiny.real(name, inputs)
    assert tiny.distance(logits, expected, real) < 1e-5
    assert tiny.distance(logits, plain, real) > 1e-4


@families
def test_full_pattern_changes_nothing(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    plain = model(**inputs).logits
    with use_attention(model, **dict.fromkeys(tiny.patterns(name), "full")):
        logits = model(**inputs).logits
    assert tiny.distance(logits, plain, tiny.real(name, inputs)) < 1e-5


@families
def test_pattern_applies_without_padding_and_without_a_mask(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
    expected = tiny.stock(name, model, inputs, expected_masks(name, inputs))
    use_attention(model, **tiny.patterns(name))
    assert tiny.distance(model(**inputs).logits, expected) < 1e-5
    del inputs["attention_mask"]
    inputs.pop("position_ids", None)
    without_mask = model(**inputs).logits
    if name in tiny.DECODERS:  # the positions above were those of a padded batch
        inputs["position_ids"] = torch.arange(9)[None]
        expected = model(**inputs).logits
    assert tiny.distance(without_mask, expected) < 1e-5


@pytest.mark.parametrize("name", tiny.DECODERS)
def test_keep_own_false_lets_the_pattern_decide_in_a_causal_model(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name, "left")
    index = torch.arange(9)
    near = ((index[:, None] - index).abs() <= 2)[None, None]
    valid = inputs["attention_mask"].bool()
    visible = near & valid[:, None, None] | torch.eye(9, dtype=torch.bool)
    expected = tiny.stock(name, model, inputs, {"decoder": visible})
    use_attention(model, "window:left=2,right=2", keep_own=False)
    assert tiny.distance(model(**inputs).logits, expected, valid) < 1e-5


@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_kinds_without_a_pattern_keep_their_own_mask(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    visible = expected_masks(name, inputs)
    visible["encoder"] = inputs["attention_mask"].bool()[:, None, None].expand(-1, -1, 9, -1)
    visible["decoder"] = torch.ones(6, 6).tril().bool().expand(2, 1, 6, 6)
    expected = tiny.stock(name, model, inputs, visible)
    for keep_own in (True, False):
        use_attention(model, cross=tiny.PATTERNS["cross"], keep_own=keep_own)
        assert tiny.distance(model(**inputs).logits, expected) < 1e-5
