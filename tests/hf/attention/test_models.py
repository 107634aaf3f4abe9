"""Every family with patterns is the stock model with the same masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import maskplug
from maskplug_hf.attention import use_attention
from support import attention_models as tiny


def masks(name: str, given: dict[str, Any], keep_own: bool = True) -> dict[str, torch.Tensor]:
    """What each place should see: the patterns' own rendering, causality and padding."""
    valid = given["attention_mask"].numpy()
    keys = valid.shape[1]
    found = {}
    for place, written in tiny.patterns(name).items():
        side = {"valid": valid}
        queries = keys
        if name in tiny.SEQ2SEQ and place != "encoder":
            queries = given["decoder_input_ids"].shape[1]
            side = side if place == "cross" else {}
        shape = (queries, keys if place == "cross" else queries)
        seen = maskplug.pattern(written).dense(*shape, place=place, fallback=None, **side)
        own = np.tri(queries, dtype=bool) if place == "decoder" and keep_own else True
        shown = side.get("valid", np.ones((1, shape[1]), bool)) != 0
        joined = torch.from_numpy(seen & own & shown[:, None, None])
        empty = ~joined.any(-1, keepdim=True)  # padding sees itself
        found[place] = joined | (empty & torch.eye(*shape, dtype=torch.bool))
        found[place] = found[place].expand(len(valid), -1, -1, -1)
    return found


@pytest.mark.filterwarnings("ignore:pattern .* hides every key")
@pytest.mark.parametrize("backend", ["sdpa", "eager"])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_pattern_is_the_stock_model_with_its_mask(name: str, side: str, backend: str) -> None:
    one, given = tiny.model(name), tiny.batch(name, side)
    want = tiny.stock(name, one, given, masks(name, given))
    plain = one(**given).logits
    with use_attention(one, backend=backend, **tiny.patterns(name)):
        got = one(**given).logits
    counts = tiny.real(name, given)
    assert (got - want)[counts].abs().max() < 1e-5
    assert (got - plain)[counts].abs().max() > 1e-4


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_full_patterns_change_nothing(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    plain = one(**given).logits
    with use_attention(one, **dict.fromkeys(tiny.patterns(name), "full")):
        got = one(**given).logits
    assert (got - plain)[tiny.real(name, given)].abs().max() < 1e-5


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_without_padding_and_without_a_mask_the_pattern_holds_too(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    given["attention_mask"] = torch.ones_like(given["attention_mask"])
    want = tiny.stock(name, one, given, masks(name, given))
    use_attention(one, **tiny.patterns(name))
    assert (one(**given).logits - want).abs().max() < 1e-5
    del given["attention_mask"]
    given.pop("position_ids", None)
    ahead = one(**given).logits
    if name in tiny.DECODERS:
        given["position_ids"] = torch.arange(9)[None]
    assert (one(**given).logits - ahead).abs().max() < 1e-5
    if name not in tiny.DECODERS:  # whose positions were those of a padded batch above
        assert (ahead - want).abs().max() < 1e-5


@pytest.mark.parametrize("name", tiny.DECODERS)
def test_without_its_own_rule_a_causal_model_sees_what_the_pattern_shows(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name, "left")
    place = torch.arange(9)
    near = ((place[:, None] - place).abs() <= 2)[None, None]
    valid = given["attention_mask"].bool()
    seen = near & valid[:, None, None] | torch.eye(9, dtype=torch.bool)
    want = tiny.stock(name, one, given, {"decoder": seen})
    use_attention(one, "window:left=2,right=2", keep_own=False)
    assert (one(**given).logits - want)[valid].abs().max() < 1e-5


@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_a_place_without_a_pattern_keeps_its_own_rule(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    seen = masks(name, given)
    valid = given["attention_mask"].bool()[:, None, None]
    seen["encoder"] = valid.expand(-1, -1, 9, -1)
    seen["decoder"] = torch.ones(6, 6).tril().bool().expand(2, 1, 6, 6)
    want = tiny.stock(name, one, given, seen)
    for keep_own in (True, False):
        use_attention(one, cross=tiny.PATTERNS["cross"], keep_own=keep_own)
        assert (one(**given).logits - want).abs().max() < 1e-5


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_token_reaches_only_who_may_see_it(name: str) -> None:
    one, given = tiny.model(name).double(), tiny.batch(name)
    use_attention(one, **tiny.patterns(name))
    column = "decoder_input_ids" if name in tiny.SEQ2SEQ else "input_ids"
    before = one(**given).logits
    changed = {**given, column: given[column].clone()}
    changed[column][0, 3] = 4 + (changed[column][0, 3] - 3) % 56
    moved = (one(**changed).logits - before)[0].abs().amax(-1) > 1e-14
    # In two layers: twice one token to the right, or twice two to the right and one to the left.
    reached = range(1, 8) if name in tiny.ENCODERS else range(3, 6)
    assert moved.nonzero()[:, 0].tolist() == list(reached)
