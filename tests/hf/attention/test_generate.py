"""Generation with a cache equals recomputation without one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from maskplug.errors import TokenError
from maskplug_hf.attention import use_attention
from support import attention_models as tiny
from support.attention_models import GREEDY, ROWS, WIDE, prompts, sources, texts

MODELS = ["llama", "qwen3"]
PATTERNS = ["window:left=2", "sink:n=1 | window:left=2", "sink:n=2 & causal", "document"]


def seq2seq(name: str) -> Any:
    wide = {"init_std": 0.3} if name == "bart" else {"initializer_factor": 3.0}
    return tiny.model(name, **wide)


@pytest.mark.parametrize("text", PATTERNS)
@pytest.mark.parametrize("name", MODELS)
def test_cached_equals_recomputed_and_batch_equals_rows(name: str, text: str) -> None:
    model = tiny.model(name, **WIDE)
    plain = texts(model.generate(**prompts(), **GREEDY))
    use_attention(model, text)
    cached = texts(model.generate(**prompts(), **GREEDY))
    assert texts(model.generate(**prompts(), **GREEDY, use_cache=False)) == cached
    single = [model.generate(**prompts([row]), **GREEDY) for row in ROWS]
    assert [texts(out, len(row))[0] for out, row in zip(single, ROWS, strict=True)] == cached
    assert text == "document" or cached != plain


@pytest.mark.parametrize("name", MODELS)
def test_logits_with_a_cache_equal_those_of_the_whole_row(name: str) -> None:
    model, inputs = tiny.model(name, **WIDE), prompts()
    use_attention(model, "sink:n=1 | window:left=2")
    positions = inputs["attention_mask"].cumsum(1) - 1
    whole = model(**inputs, position_ids=positions.clamp(min=0)).logits
    start = {key: value[:, :5] for key, value in inputs.items()}
    out = model.generate(**start, **{**GREEDY, "max_new_tokens": 1}, return_dict_in_generate=True)
    assert out.past_key_values.get_seq_length() == 5
    rest = model(
        input_ids=inputs["input_ids"][:, 5:],
        attention_mask=inputs["attention_mask"],
        past_key_values=out.past_key_values,
        position_ids=positions[:, 5:],
    )
    assert tiny.distance(rest.logits, whole[:, 5:]) < 1e-5


@pytest.mark.filterwarnings("ignore:the 'decoder' pattern hides no key that Mistral")
def test_sliding_window_cache_equals_recomputed() -> None:
    model = tiny.model("mistral", sliding_window=4, **WIDE)
    plain = texts(model.generate(**prompts(), **GREEDY))
    use_attention(model, "window:left=2")
    cached = texts(model.generate(**prompts(), **GREEDY))
    assert texts(model.generate(**prompts(), **GREEDY, use_cache=False)) == cached != plain
    use_attention(model, "window:left=9")  # wider than the model's own
    assert texts(model.generate(**prompts(), **GREEDY)) == plain


@pytest.mark.parametrize("keep_own", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_static_cache_equals_dynamic_cache(name: str, keep_own: bool) -> None:
    model = tiny.model(name, **WIDE)
    use_attention(model, "(sink:n=1 | window:left=2) & causal", keep_own=keep_own)
    cached = texts(model.generate(**prompts(), **GREEDY))
    static = model.generate(**prompts(), **GREEDY, cache_implementation="static")
    assert texts(static) == cached


def test_bidirectional_prompt_with_a_cache() -> None:
    model = tiny.model("llama", **WIDE)
    masks = []
    handle = use_attention(model, "document", keep_own=False)
    handle.listeners.append(lambda module, mask: masks.append((module.layer_idx, mask)))
    with handle.given(document_ids=torch.tensor([[1] * 7])):
        model.generate(**prompts(ROWS[:1]), **GREEDY)
    shapes = [mask.shape[2:] for layer_idx, mask in masks if layer_idx == 0]
    assert shapes == [(7, 7), *((1, kv_len) for kv_len in range(8, 15))]
    assert all(mask.all() for _, mask in masks)


def test_documents_with_a_cache_come_from_positions_or_are_required() -> None:
    model = tiny.model("llama")
    use_attention(model, "document")
    cache = model(**prompts(), position_ids=torch.arange(7)[None]).past_key_values
    for kv_len, position in ((8, 7), (9, 0)):
        step = {
            "input_ids": torch.tensor([[3], [3]]),
            "attention_mask": torch.ones(2, kv_len, dtype=torch.long),
            "position_ids": torch.full((2, 1), position),
        }
        if position:
            model(**step, past_key_values=cache)
            continue
        with pytest.raises(TokenError, match="'documents' \\(or 'document_ids'\\)"):
            model(**step, past_key_values=cache)


@pytest.mark.filterwarnings("ignore:the 'cross' pattern hides every key")
@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("cross", ["window:left=1,right=1", "sink:n=2", "causal", "document"])
@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_encoder_decoder_with_a_cache(name: str, cross: str, beams: int) -> None:
    model, inputs = seq2seq(name), sources()
    options = {**GREEDY, "num_beams": beams}
    plain = model.generate(**inputs, **options).tolist()
    handle = use_attention(model, decoder="sink:n=1 | window:left=2", cross=cross)
    documents = {"document_ids": inputs["attention_mask"], "decoder_document_ids": [[1], [1]]}
    with handle.given(**documents):
        cached = model.generate(**inputs, **options).tolist()
        assert model.generate(**inputs, **options, use_cache=False).tolist() == cached
        static = model.generate(**inputs, **options, cache_implementation="static").tolist()
    assert static == cached
    assert cached != plain or cross == "document"


def test_sample_keys_are_shared_by_beams() -> None:
    model, inputs = tiny.model("bart"), tiny.batch("bart")
    handle = use_attention(model, encoder="full")
    with handle.given(sample_keys=[3, 4, 5]), pytest.raises(TokenError, match="3 'sample_keys'"):
        model(**inputs)
    with handle.given(sample_keys=["a", "b"]):
        model.generate(inputs["input_ids"], num_beams=2, max_new_tokens=3)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_sources_read_of_the_target(name: str, beams: int) -> None:
    model, inputs = seq2seq(name), sources()
    options = {**GREEDY, "num_beams": beams}
    plain = model.generate(**inputs, **options).tolist()
    handle = use_attention(model, cross="monotonic")
    counts: list[int] = []

    def count(module: Any, mask: torch.Tensor) -> None:
        if (module.attention_kind, module.layer_idx) == ("cross", 0):
            counts.extend(mask[0, 0].sum(-1).tolist())

    handle.listeners.append(count)
    complete = [[1, 1, 2, 4, 4, 5, 6, 7, 7, 7], [1, 2, 2, 3, 3, 3, 3, 3, 3, 3]]
    for read in (complete, [[2, 3], [1, 2]]):  # for later tokens, the last value is repeated
        counts.clear()
        with handle.given(decoder_sources_read=read):
            cached = model.generate(**inputs, **options).tolist()
            visible = list(counts)
            assert model.generate(**inputs, **options, use_cache=False).tolist() == cached != plain
        assert visible == [*read[0], *read[0][-1:] * 8][:8]


@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_missing_or_invalid_target_column_raises(name: str) -> None:
    model, inputs = tiny.model(name), tiny.batch(name)
    use_attention(model, cross="monotonic")
    with pytest.raises(TokenError, match="batch lacks: 'decoder_sources_read' \\(for"):
        model(**inputs, sources_read=torch.ones(2, 6).long())
    with pytest.raises(TokenError, match="must be from 0 to 6"):
        model(**inputs, decoder_sources_read=torch.full((2, 6), 8))
