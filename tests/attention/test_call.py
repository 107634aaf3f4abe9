"""Sites: counting in a sample's own tokens, and what does not fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall
from maskplug.attention.site import WatchedCall
from maskplug.context import MaskingContext
from maskplug.schedule import Linear


def site(queries: int = 4, keys: int = 4, batch: int = 1, **more: Any) -> AttentionCall:
    progress = more.pop("progress", 0.0)
    context = MaskingContext.at(0, 0, 0, np.zeros(batch, np.uint64), progress)
    return AttentionCall(queries, keys, context, **more)


def test_queries_count_from_the_first_real_token() -> None:
    made = site(batch=3, annotations={"valid": [[0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0]]})
    assert made.q[:, 0].tolist() == [[-2, -1, 0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert made.starts.tolist() == [2, 0, 0]
    assert made.lengths.tolist() == [2, 3, 0]
    assert site(2, 4, offset=2).q.tolist() == [[[2, 3]]]


def test_in_cross_attention_queries_have_their_own_padding() -> None:
    annotations = {"valid": [[0, 1, 1]], "valid_queries": [[0, 0, 1, 1]]}
    made = site(4, 3, attention_kind="cross", annotations=annotations)
    assert made.q.tolist() == [[[-2, -1, 0, 1]]]
    assert made.starts.tolist() == [1]


def test_in_cross_attention_a_cache_holds_the_tokens_before() -> None:
    annotations = {"valid_queries": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 0]]}
    made = site(2, 3, batch=2, attention_kind="cross", offset=3, annotations=annotations)
    assert made.q[:, 0].tolist() == [[1, 2], [3, 4]]
    assert made.valid_queries.tolist() == [[True, True], [True, False]]
    assert made.query_starts.tolist() == [-1, -3]
    assert made.query_lengths.tolist() == [3, 4]
    assert site(1, 3, attention_kind="cross", offset=7).q.tolist() == [[[7]]]


def test_a_hole_in_the_padding_does_not_end_a_sample() -> None:
    made = site(4, 4, annotations={"valid": [[0, 1, 0, 1]]})
    assert (made.starts[0], made.lengths[0]) == (1, 3)


def test_values_follow_progress() -> None:
    grows = Linear(1.0, 4.0)
    assert site().value(7).tolist() == [[[7]]]
    assert site(progress=0.5).value(grows).tolist() == [[[3]]]  # 2.5, to the nearest
    assert site(batch=2, progress=1.0).value(grows).shape == (1, 1, 1)
    assert site(batch=2, progress=np.array([0.0, 1.0])).value(grows)[:, 0, 0].tolist() == [1, 4]
    assert site(batch=2).share(0.25).tolist() == [0.25, 0.25]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"q_len": -1}, "q_len is -1; it must be a whole number from 0 to 16,777,216"),
        ({"kv_len": -2}, "kv_len is -2"),
        ({"heads": 0}, "heads is 0; it must be a whole number from 1 to 4,096"),
        ({"offset": -1}, "offset is -1"),
        (
            {"attention_kind": "decodr"},
            "attention_kind is 'decodr'; choices: encoder, decoder, cross",
        ),
        ({"kv_len": 3}, "4 queries from key 0 on need 4 keys, and there are 3; in cross"),
        ({"offset": 1}, "4 queries from key 1 on need 5 keys, and there are 4"),
    ],
)
def test_numbers_that_contradict_each_other(more: dict[str, Any], message: str) -> None:
    with pytest.raises(maskplug.OptionError, match=message):
        site(**more)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ([1, 2, 3], r"the layer 'x' has the shape \(1, 3\); pattern 'p' reads one value a token"),
        (np.zeros((3, 4), int), r"has the shape \(3, 4\).*: \(2, 4\)"),
        (np.zeros((1, 2, 4), int), r"has the shape \(1, 2, 4\)"),
        ([0.5, 1.0, 2.0, 3.0], "the layer 'x' is float64; it must be whole numbers"),
        (["a", "b", "c", "d"], "the layer 'x' is <U1; it must be whole numbers"),
    ],
)
def test_layers_that_do_not_fit(layer: Any, message: str) -> None:
    with pytest.raises(maskplug.MaskplugError, match=message):
        site(batch=2, annotations={"x": layer}).per_token("x", "p")


def test_a_watched_site_notes_who_asks_for_the_layer() -> None:
    context = MaskingContext.at(0, 0, 0, np.zeros(1, np.uint64))
    turns = maskplug.pattern("alternating([full, causal])")
    for pattern, asks in (("causal & window:left=2", False), ("random", False), (turns, True)):
        watched = WatchedCall(4, 4, context, layer_idx=1)
        maskplug.pattern(pattern).rows(watched)
        assert bool(watched.asked) == asks
    assert (turns.rows(watched).dense() == maskplug.pattern("causal").dense(4)).all()


def test_a_missing_layer_is_named_with_those_that_are_there() -> None:
    with pytest.raises(maskplug.MaskplugError, match=r"'y', which was not given \(layers: 'x'\)"):
        site(annotations={"x": [0]}).per_token("y", "p")


def test_values_of_samples() -> None:
    made = site(batch=2, annotations={"one": 3, "each": [3, 4], "many": [3, 4, 5]})
    assert made.per_sample("one", "p").tolist() == [3]
    assert made.per_sample("each", "p").tolist() == [3, 4]
    with pytest.raises(maskplug.MaskplugError, match=r"one value a sample here: \(2,\)"):
        made.per_sample("many", "p")
