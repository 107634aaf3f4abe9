"""Attention calls: positions among a sample's own tokens, annotations, and error messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall
from maskplug.schedule import Linear
from support.scenes import attention_call as call

pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")


def test_queries_count_from_the_first_real_token() -> None:
    padded = call(batch=3, annotations={"valid": [[0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0]]})
    assert padded.q[:, 0].tolist() == [[-2, -1, 0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert padded.starts.tolist() == [2, 0, 0]
    assert padded.lengths.tolist() == [2, 3, 0]
    assert call(2, 4, offset=2).q.tolist() == [[[2, 3]]]


def test_cross_attention_queries_have_their_own_padding() -> None:
    annotations = {"valid": [[0, 1, 1]], "valid_queries": [[0, 0, 1, 1]]}
    padded = call(4, 3, attention_kind="cross", annotations=annotations)
    assert padded.q.tolist() == [[[-2, -1, 0, 1]]]
    assert padded.starts.tolist() == [1]


def test_cross_attention_with_a_cache() -> None:
    annotations = {"valid_queries": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 0]]}
    padded = call(2, 3, batch=2, attention_kind="cross", offset=3, annotations=annotations)
    assert padded.q[:, 0].tolist() == [[1, 2], [3, 4]]
    assert padded.valid_queries.tolist() == [[True, True], [True, False]]
    assert padded.query_starts.tolist() == [-1, -3]
    assert padded.query_lengths.tolist() == [3, 4]
    assert call(1, 3, attention_kind="cross", offset=7).q.tolist() == [[[7]]]


def test_padding_inside_a_sample_does_not_end_it() -> None:
    padded = call(4, 4, annotations={"valid": [[0, 1, 0, 1]]})
    assert (padded.starts[0], padded.lengths[0]) == (1, 3)


def test_values_follow_progress() -> None:
    grows = Linear(1.0, 4.0)
    assert call().value(7).tolist() == [[[7]]]
    assert call(progress=0.5).value(grows).tolist() == [[[3]]]  # 2.5, to the nearest
    assert call(batch=2, progress=1.0).value(grows).shape == (1, 1, 1)
    assert call(batch=2, progress=np.array([0.0, 1.0])).value(grows)[:, 0, 0].tolist() == [1, 4]
    assert call(batch=2).share(0.25).tolist() == [0.25, 0.25]


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
        ({"kv_len": 3}, "4 queries from key 0 on need 4 keys, but kv_len is 3; in cross"),
        ({"offset": 1}, "4 queries from key 1 on need 5 keys, but kv_len is 4"),
    ],
)
def test_contradictory_numbers_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(maskplug.OptionError, match=message):
        call(**more)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 3], r"annotation 'x' has shape \(1, 3\); pattern 'p' needs one value per token"),
        (np.zeros((3, 4), int), r"has shape \(3, 4\).*: \(2, 4\)"),
        (np.zeros((1, 2, 4), int), r"has shape \(1, 2, 4\)"),
        ([0.5, 1.0, 2.0, 3.0], "annotation 'x' is float64; it must hold integers"),
        (["a", "b", "c", "d"], "annotation 'x' is <U1; it must hold integers"),
    ],
)
def test_wrong_annotations_are_refused(values: Any, message: str) -> None:
    with pytest.raises(maskplug.MaskplugError, match=message):
        call(batch=2, annotations={"x": values}).per_token("x", "p")


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("causal & window:left=2", False),
        ("random", False),
        ("random:per_layer=true", True),
        ("bigbird", True),
        ("alternating([full, causal])", True),
        ("causal & (document | ~alternating([full, causal]))", True),
    ],
)
def test_patterns_declare_whether_they_use_the_layer(text: str, uses: bool) -> None:
    pattern = maskplug.pattern(text)
    assert pattern.uses_layer_idx is uses
    more = {"documents": [0, 0, 1, 1, 1, 1], "seed": 3, "fallback": "self"}
    masks = [pattern.dense(6, layer_idx=layer_idx, **more).tolist() for layer_idx in range(9)]
    assert uses or all(mask == masks[0] for mask in masks)


def test_a_missing_annotation_is_named_with_the_available_ones() -> None:
    with pytest.raises(maskplug.MaskplugError, match=r"'y', which is missing \(available: 'x'\)"):
        call(annotations={"x": [0]}).per_token("y", "p")


def test_annotations_with_one_value_per_sample() -> None:
    padded = call(batch=2, annotations={"one": 3, "each": [3, 4], "many": [3, 4, 5]})
    assert padded.per_sample("one", "p").tolist() == [3]
    assert padded.per_sample("each", "p").tolist() == [3, 4]
    with pytest.raises(maskplug.MaskplugError, match=r"one value per sample: \(2,\)"):
        padded.per_sample("many", "p")


def cross_call(links: Any, batch: int = 2) -> AttentionCall:
    return call(4, 5, batch, attention_kind="cross", annotations={"links": links})


RAGGED = [[(0, 0), (1, 2)], [(4, 3)]]


@pytest.mark.parametrize(
    "links",
    [
        RAGGED,
        tuple(map(tuple, RAGGED)),
        [np.array(row, np.uint8) for row in RAGGED],
        [[(0, 0), (1, 2)], [(4, 3), (-1, -1)]],
        np.array([[(0, 0), (1, 2)], [(-1, -1), (4, 3)]], np.int32),
    ],
)
def test_lists_and_arrays_hold_the_same_pairs(links: Any) -> None:
    result = cross_call(links).pairs("links", "aligned")
    assert [side.tolist() for side in result] == [[0, 0, 1], [0, 1, 4], [0, 2, 3]]
    assert {side.dtype for side in result} == {np.dtype(np.int64)}


def test_one_entry_is_used_for_all_samples() -> None:
    result = cross_call([[(1, 2)]], batch=3).pairs("links", "aligned")
    assert [side.tolist() for side in result] == [[0, 1, 2], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize(
    "links", [[[], []], [[]], np.zeros((2, 0, 2), int), np.full((1, 3, 2), -1)]
)
def test_no_pairs(links: Any) -> None:
    assert [side.tolist() for side in cross_call(links).pairs("links", "aligned")] == [[], [], []]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([[(0, 0)]] * 3, "'links' has 3 entries for 2 samples; pattern 'aligned' needs"),
        (7, "'links' has 0 entries for 2 samples"),
        ([(0, 0), (1, 1)], r"annotation 'links' of sample 0 is \(0, 0\)"),
        ([[(0, 0)], [(0, 0, 1)]], r"annotation 'links' of sample 1 is \[\(0, 0, 1\)\]"),
        ([[(0, 0)], [(0, 0), (1,)]], "'links' of sample 1"),
        ([[(0, 0)], [(0.5, 0)]], "'links' of sample 1"),
        ([["0-0"], []], "'links' of sample 0"),
    ],
)
def test_wrong_pairs_are_refused(links: Any, message: str) -> None:
    with pytest.raises(maskplug.errors.TokenError, match=message):
        cross_call(links).pairs("links", "aligned")


@pytest.mark.parametrize(
    ("values", "samples"),
    [
        (RAGGED, 2),
        ([[], []], 2),
        ([[(0, 0)], [], []], 3),
        ([[(0, 0)]], 1),
        (np.ones((2, 3)), 2),
        ([1, 0, 1], 1),
        (3, 1),
    ],
)
def test_number_of_samples_of_an_annotation(values: Any, samples: int) -> None:
    mask = maskplug.pattern("random").intervals(3, any_annotation=values)
    assert mask.shape[0] == samples
