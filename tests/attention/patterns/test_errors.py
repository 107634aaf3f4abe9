"""Wrong options, missing or wrong annotations, and the wrong kind of attention."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug
from maskplug.attention import Dilated, Window
from maskplug.errors import OptionError, TokenError
from maskplug.schedule import Linear

CROSS: dict[str, Any] = {"attention_kind": "cross"}


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("aligned:radius=-1", {}, "'radius' is -1"),
        ("aligned:fallback=first", {}, "'full', 'nearest'"),
        (
            "alternating",
            {"patterns": []},
            "'patterns' is empty; it must have from 1 to 256 entries",
        ),
        ("alternating", {"patterns": 3}, "option 'patterns' is 3"),
        ("bigbird", {"block": 0}, "option 'block' is 0; it must be a whole number from 1"),
        ("bigbird", {"window": 0}, "option 'window' is 0; it must be a whole number from 1"),
        ("bigbird", {"window": 4}, "option 'window' is 4; .* odd"),
        ("bigbird", {"global_blocks": -1}, "option 'global_blocks' is -1"),
        ("bigbird", {"random": -2}, "option 'random' is -2"),
        ("bigbird", {"window": Linear(5, 0)}, "option 'window' is Linear.* whole number from 1"),
        ("block_diffusion", {"block": 0}, r"option 'block' is 0; .* from 1 to 2,147,483,647"),
        ("block_diffusion", {}, "needs the option 'block'"),
        ("chunked", {"size": 0}, "'size' is 0; it must be a whole number from 1 to 2,147,483,647"),
        ("chunked", {"size": 4, "shift": -1}, "'shift' is -1; it must be a whole number from 0"),
        ("chunked", {"size": 2.5}, "'size' is 2.5; it must be a schedule .* or a whole number"),
        ("chunked", {}, "pattern 'chunked@1' needs the option 'size'"),
        ("dilated", {"left": -1}, "option 'left' is -1; it must be a whole number from 0"),
        ("dilated", {"left": 1, "right": -2}, "option 'right' is -2"),
        ("dilated:left=1,dilation=0", {}, "'dilation' is 0; .* from 1 to 2,147,483,647"),
        ("fixed:stride=0", {}, "option 'stride' is 0"),
        ("fixed:stride=4,summary=0", {}, "option 'summary' is 0; .* from 1 to 2,147,483,647"),
        ("fixed:stride=4,summary=5", {}, "option 'summary' is 5, but a block has 4 tokens"),
        ("fixed(stride=4, summary=linear(0, 3))", {}, "'summary' is Linear.* from 1 to"),
        ("fixed(stride=4, summary=linear(1, 5))", {}, "'summary' is Linear.*, but a block has 4"),
        ("fixed(stride=linear(4, 2), summary=3)", {}, "'summary' is 3, but a block has Linear"),
        ("global_tokens", {"positions": ()}, "option 'positions' is empty; .*null"),
        ("global_tokens", {"positions": 3}, "option 'positions' is 3; it must be a list or null"),
        ("global_tokens", {"positions": ("a",)}, "'positions' is 'a'; it must be a whole number"),
        ("monotonic:lookback=0", {}, "'lookback' is 0"),
        ("permutation:clock=epoch", {}, "order 'layer' is not random"),
        ("permutation:order=random", {}, "option 'order' is 'random'; it must be one of"),
        ("prefix", {"length": -1}, "'length' is -1; .* whole number from 0 to 2,147,483,647"),
        ("prefix", {"length": Linear(-2, 3)}, "'length' is Linear.* whole number from 0 to"),
        ("random", {"rate": 1.5}, "option 'rate' is"),
        ("random(rate=linear(0.5, 1.5))", {}, "stays between them"),
        (
            "strided:stride=0",
            {},
            "'stride' is 0; it must be a whole number from 1 to 2,147,483,647",
        ),
        ("strided", {}, "needs the option 'stride'"),
        ("strided(stride=linear(0, 3))", {}, "'stride' is Linear.* a schedule that stays there"),
        ("unilm", {"mode": "both"}, "option 'mode' is 'both'; it must be one of"),
        ("unilm", {"shares": [1, 1]}, r"option 'shares' is \[1.0, 1.0\]; it must be four"),
        ("unilm", {"shares": [0, 0, 0, 0]}, "not all zero"),
        ("unilm", {"shares": [1, 1, 1, -1]}, "not negative"),
        ("unilm", {"shares": [1, 1, 1, float("nan")]}, "finite"),
        ("unilm", {"clock": "epoch"}, "mode 'seq2seq' is not random; only 'mixture' has a clock"),
        ("wait_k", {}, "needs the option 'k'"),
        ("wait_k:k=0", {}, "'k' is 0; it must be a whole number from 1"),
        ("wait_k:k=4,most=3", {}, "'most' is 3, but k is 4"),
        ("wait_k(k=linear(1, 9), most=8)", {}, "'most' must be 9 or more"),
        ("wait_k:k=4,clock=epoch", {}, r"'clock' is Epoch\(\), but without 'most' nothing is"),
        ("wait_k:k=4,catchup=1", {}, "'catchup' is 1.0; it must be a number, .* to below 1"),
        ("wait_k", {"k": 4, "catchup": -float("inf")}, "'catchup' is -inf"),
        ("wait_k(k=4, most=linear(9, 3))", {}, "'most' is Linear.* a minimum of at least 4"),
        ("wait_k(k=linear(1, 9), most=linear(2, 8))", {}, "a maximum of at least 9"),
        ("wait_k(k=4, catchup=linear(0, 1))", {}, "'catchup' is Linear.* or a schedule with"),
        ("window", {"left": -1}, "option 'left' is -1; it must be a whole number from 0"),
        ("window", {"left": 1, "right": Linear(-1, 4)}, "option 'right' is Linear"),
    ],
)
def test_wrong_options(text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        maskplug.pattern(text, **options)


@pytest.mark.parametrize(
    ("convert", "arguments", "message"),
    [
        (Dilated.attention_gym, (-1, 2), "option 'window_size' is -1"),
        (Dilated.attention_gym, (4, 0), "option 'dilation' is 0"),
        (Window.attention_gym, (-1,), "option 'window_size' is -1"),
        (Window.huggingface, (0,), "'sliding_window' is 0; .* from 1 to 2,147,483,647"),
        (Window.huggingface, (-1, False), "option 'sliding_window' is -1"),
        (Window.longformer, (0,), "option 'attention_window' is 0"),
        (Window.longformer, (7,), "'attention_window' is 7; it must be even"),
    ],
)
def test_wrong_sizes_of_other_libraries(convert: Any, arguments: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        convert(*arguments)


@pytest.mark.parametrize(
    ("text", "lengths", "arguments", "message"),
    [
        ("aligned", (2, 4), CROSS, "'aligned' needs the annotation 'links'"),
        ("alternating([causal, document])", (3,), {"layer_idx": 1}, "annotation 'documents'"),
        ("block_diffusion:block=2", (7,), {}, "sample 0 has 7 tokens, an odd number; .* same len"),
        (
            "block_diffusion:block=2",
            (8,),
            {"valid": [[1] * 8, [0] * 3 + [1] * 5]},
            "sample 1 has 5",
        ),
        ("global_tokens:positions=null", (9,), {}, "needs the annotation 'global_tokens', which"),
        (
            "global_tokens:positions=null",
            (9,),
            {"global_tokens": [1, 0, 0, 0]},
            r"has shape \(1, 4\); .*\(1, 9\)",
        ),
        ("monotonic", (2, 4), CROSS, "'monotonic' needs the annotation 'sources_read'"),
        (
            "monotonic",
            (2, 4),
            {**CROSS, "sources_read": [[1, 2, 3]]},
            r"shape \(1, 3\).*\(1, 2\)",
        ),
        (
            "monotonic",
            (2, 4),
            {**CROSS, "sources_read": [[1, 2], [1, 4]], "valid": [[1] * 4, [0, 1, 1, 1]]},
            "sample 1: .* is 4 at target token 1; it must be from 0 to 3",
        ),
        (
            "monotonic",
            (2, 4),
            {**CROSS, "sources_read": [[-1, 2], [1, 1]]},
            "sample 0: .*'sources_read' is -1 at target token 0",
        ),
        ("permutation", (3,), {}, "pattern 'permutation' needs the annotation 'order'"),
        ("prefix", (8,), {}, r"'prefix' needs the annotation 'prefix_lengths', which"),
        (
            "prefix",
            (8,),
            {"prefix_lengths": [1, 2]},
            r"has shape \(2,\); .*\(1,\), or \(samples, 1",
        ),
        ("prefix", (8,), {"prefix_lengths": [[2], [-4]]}, "sample 1 is -4; it must be 0 or more"),
        ("prefix", (8,), {"prefix_lengths": [[2.0]]}, "is float64; it must hold integers"),
        ("section", (2,), {"sentence_starts": [1, 0]}, "'section' needs .* 'section_starts'"),
        ("sentence", (2,), {}, "pattern 'sentence' needs the annotation 'sentence_starts'"),
        ("sentence:heads=true", (2,), {"sentence_starts": [1, 0]}, "'section_starts', which is"),
        ("sentence", (3,), {"sentence_starts": [1, 0]}, "'sentence_starts' has shape"),
        ("unilm", (3,), {}, "pattern 'unilm' needs the annotation 'segments'"),
        (
            "unilm",
            (2,),
            {"segments": [[0, 1], [0, 2]], "keys": [1, 2]},
            "'segments' is 2 at key 1 of sample 1; it must be 0",
        ),
    ],
)
def test_missing_and_wrong_annotations(
    text: str, lengths: tuple[int, ...], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(TokenError, match=message):
        maskplug.pattern(text).dense(*lengths, **arguments)


@pytest.mark.parametrize("link", [(3, 0), (-1, 0), (0, 2), (0, -1), (3, 2)])
def test_links_outside_their_sentence(link: tuple[int, int]) -> None:
    padding = {"valid": [[1] * 5, [0, 1, 1, 1, 0]], "valid_queries": [[1] * 4, [0, 1, 1, 0]]}
    message = (
        rf"sample 1: the link {link[0]}-{link[1]} .* is outside the sentence, which has 3 source "
        "tokens and 2 target tokens"
    )
    with pytest.raises(TokenError, match=message):
        maskplug.pattern("aligned").dense(
            4, 5, links=[[(4, 3)], [(0, 0), link]], **CROSS, **padding
        )


@pytest.mark.parametrize("text", ["aligned", "monotonic", "wait_k:k=2"])
@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_self_attention_is_refused(text: str, kind: Any) -> None:
    name = text.split(":")[0]
    message = f"'{name}' is for cross attention .* not for .*attention_kind='{kind}'"
    with pytest.raises(OptionError, match=message):
        maskplug.pattern(text).dense(2, attention_kind=kind, links=[[]], sources_read=[1, 2])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bigbird", "queries are not in the blocks of the keys"),
        ("block_diffusion:block=2", "there are no two halves of one text"),
        ("permutation", "queries are not in the order of the keys"),
        ("section", "queries are not in the sections of the keys"),
        ("sentence", "queries are not in the sentences of the keys"),
        ("unilm", "source and target are not one sequence"),
    ],
)
def test_cross_attention_is_refused(text: str, reason: str) -> None:
    name = text.split(":")[0]
    message = f"pattern '{name}' is for self-attention only: in cross attention {reason}"
    with pytest.raises(OptionError, match=message):
        maskplug.pattern(text).dense(2, 3, **CROSS)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("global_tokens", ()),
        ("global_tokens:positions=null | global_tokens", ("global_tokens",)),
        ("prefix:length=3", ()),
        ("prefix", ("prefix_lengths",)),
        ("sentence", ("sentence_starts",)),
        ("sentence(heads=true) & section", ("sentence_starts", "section_starts")),
        ("permutation", ("order",)),
        ("permutation:order=drawn", ()),
        ("unilm", ("segments",)),
        ("unilm:mode=mixture", ("segments",)),
        ("unilm:mode=right_to_left & causal", ()),
        ("alternating([causal, document])", ("documents",)),
        ("causal & (document | ~padding)", ("documents", "valid")),
    ],
)
def test_required_annotations_depend_on_options(text: str, names: tuple[str, ...]) -> None:
    assert maskplug.pattern(text).all_required_annotations == names
