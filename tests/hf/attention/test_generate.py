"""Generation with a cache is recomputation without one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from maskplug.errors import MaskplugWarning, TokenError
from maskplug_hf.attention import use_attention
from support import attention_models as tiny

ROWS = [[5, 6, 7, 8, 9, 10, 11], [12, 13, 14]]
LONGER = {"max_new_tokens": 8, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
WIDE = {"initializer_range": 0.3}  # so that what is seen decides which token comes next
MODELS = ["llama", "qwen2", "qwen3"]
WRITTEN = ["window:left=2", "sink:n=1 | window:left=2", "sink:n=2 & causal", "document"]


def prompts(rows: list[list[int]] = ROWS) -> dict[str, Any]:
    """Rows padded on the left."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def texts(generated: Any, width: int = 7) -> list[list[int]]:
    return generated[:, width:].tolist()


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("name", MODELS)
def test_cached_is_recomputed_and_a_batch_is_its_rows(name: str, written: str) -> None:
    one = tiny.model(name, **WIDE)
    plain = texts(one.generate(**prompts(), **LONGER))
    use_attention(one, written)
    cached = texts(one.generate(**prompts(), **LONGER))
    assert texts(one.generate(**prompts(), **LONGER, use_cache=False)) == cached
    alone = [one.generate(**prompts([row]), **LONGER) for row in ROWS]
    assert [texts(out, len(row))[0] for out, row in zip(alone, ROWS, strict=True)] == cached
    assert written == "document" or cached != plain


@pytest.mark.parametrize("name", MODELS)
def test_logits_with_a_cache_are_those_of_the_whole_row(name: str) -> None:
    one, given = tiny.model(name, **WIDE), prompts()
    use_attention(one, "sink:n=1 | window:left=2")
    whole = one(**given, position_ids=(given["attention_mask"].cumsum(1) - 1).clamp(min=0)).logits
    out = one.generate(
        **{key: value[:, :5] for key, value in given.items()},
        **{**LONGER, "max_new_tokens": 1},
        return_dict_in_generate=True,
    )
    cache = out.past_key_values
    assert cache.get_seq_length() == 5
    positions = (given["attention_mask"].cumsum(1) - 1)[:, 5:]
    rest = one(
        input_ids=given["input_ids"][:, 5:],
        attention_mask=given["attention_mask"],
        past_key_values=cache,
        position_ids=positions,
    )
    assert (rest.logits - whole[:, 5:]).abs().max() < 1e-5


@pytest.mark.filterwarnings("ignore:the pattern of 'decoder' hides nothing that Mistral")
def test_a_cache_that_drops_old_keys_is_counted_on() -> None:
    one = tiny.model("mistral", sliding_window=4, **WIDE)
    plain = texts(one.generate(**prompts(), **LONGER))
    use_attention(one, "window:left=2")
    cached = texts(one.generate(**prompts(), **LONGER))
    assert texts(one.generate(**prompts(), **LONGER, use_cache=False)) == cached != plain
    use_attention(one, "window:left=9")  # wider than the model's own
    assert texts(one.generate(**prompts(), **LONGER)) == plain


@pytest.mark.parametrize("keep_own", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_static_cache(name: str, keep_own: bool) -> None:
    one = tiny.model(name, **WIDE)
    use_attention(one, "(sink:n=1 | window:left=2) & causal", keep_own=keep_own)
    cached = texts(one.generate(**prompts(), **LONGER))
    static = one.generate(**prompts(), **LONGER, cache_implementation="static")
    assert texts(static) == cached


def test_a_prompt_that_sees_itself_whole_is_generated_from() -> None:
    one = tiny.model("llama", **WIDE)
    documents = torch.tensor([[1] * 7])
    seen = []
    handle = use_attention(one, "document", keep_own=False)
    handle.listeners.append(lambda spot, mask: seen.append((spot.depth, mask)))
    with handle.given(document_ids=documents):
        one.generate(**prompts(ROWS[:1]), **LONGER)
    shapes = [mask.shape[2:] for depth, mask in seen if depth == 0]
    assert shapes == [(7, 7), *((1, keys) for keys in range(8, 15))]
    assert all(mask.all() for _, mask in seen)


def test_documents_with_a_cache_are_told_by_positions_or_asked_for() -> None:
    one = tiny.model("llama")
    use_attention(one, "document")
    cache = one(**prompts(), position_ids=torch.arange(7)[None]).past_key_values
    mask = torch.ones(2, 8, dtype=torch.long)
    ids = torch.tensor([[3], [3]])
    one(ids, attention_mask=mask, past_key_values=cache, position_ids=torch.tensor([[7], [7]]))
    mask = torch.ones(2, 9, dtype=torch.long)
    with pytest.raises(TokenError, match="'documents' \\(or 'document_ids'\\)"):
        one(ids, attention_mask=mask, past_key_values=cache, position_ids=torch.tensor([[0], [0]]))


@pytest.mark.filterwarnings("ignore:the pattern of 'cross' leaves no key")
@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("cross", ["window:left=1,right=1", "sink:n=2", "causal", "document"])
@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_encoder_and_decoder(name: str, cross: str, beams: int) -> None:
    wide = {"init_std": 0.3} if name == "bart" else {"initializer_factor": 3.0}
    one = tiny.model(name, **wide)
    rows = [row + [0] * (7 - len(row)) for row in ROWS]
    given = {"input_ids": torch.tensor(rows)}
    given["attention_mask"] = (given["input_ids"] != 0).long()
    more = {**LONGER, "num_beams": beams}
    plain = one.generate(**given, **more).tolist()
    handle = use_attention(one, decoder="sink:n=1 | window:left=2", cross=cross)
    columns = {"document_ids": given["attention_mask"], "decoder_document_ids": [[1], [1]]}
    with handle.given(**columns):
        cached = one.generate(**given, **more).tolist()
        assert one.generate(**given, **more, use_cache=False).tolist() == cached
        static = one.generate(**given, **more, cache_implementation="static").tolist()
    assert static == cached
    assert cached != plain or cross == "document"


def test_sample_keys_are_those_of_the_samples_not_of_the_beams() -> None:
    one = tiny.model("bart")
    handle = use_attention(one, encoder="full")
    given = tiny.batch("bart")
    with handle.given(sample_keys=[3, 4, 5]), pytest.raises(TokenError, match="3 'sample_keys'"):
        one(**given)
    with handle.given(sample_keys=["a", "b"]):
        one.generate(given["input_ids"], num_beams=2, max_new_tokens=3)


def test_queries_that_would_see_nothing_are_told_of_once() -> None:
    one = tiny.model("llama")
    use_attention(one, "~window:left=0")
    with pytest.warns(MaskplugWarning, match="leaves no key to 2 of 14 queries .*themselves"):
        one.generate(**prompts(), **LONGER)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_what_has_been_read_is_said_of_the_target(name: str, beams: int) -> None:
    wide = {"init_std": 0.3} if name == "bart" else {"initializer_factor": 3.0}
    one = tiny.model(name, **wide)
    rows = [row + [0] * (7 - len(row)) for row in ROWS]
    given = {"input_ids": torch.tensor(rows)}
    given["attention_mask"] = (given["input_ids"] != 0).long()
    more = {**LONGER, "num_beams": beams}
    plain = one.generate(**given, **more).tolist()
    handle = use_attention(one, cross="monotonic")
    counts: list[int] = []

    def hear(spot: Any, mask: torch.Tensor) -> None:
        if (spot.place, spot.depth) == ("cross", 0):
            counts.extend(mask[0, 0].sum(-1).tolist())

    handle.listeners.append(hear)
    known = [[1, 1, 2, 4, 4, 5, 6, 7, 7, 7], [1, 2, 2, 3, 3, 3, 3, 3, 3, 3]]
    for read in (known, [[2, 3], [1, 2]]):  # for tokens to come too, or the last value holds
        counts.clear()
        with handle.given(decoder_sources_read=read):
            cached = one.generate(**given, **more).tolist()
            told = list(counts)
            assert one.generate(**given, **more, use_cache=False).tolist() == cached != plain
        assert told == [*read[0], *read[0][-1:] * 8][:8]


@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_the_target_s_columns_are_named_where_they_are_missing(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    use_attention(one, cross="monotonic")
    with pytest.raises(TokenError, match="does not hold: 'decoder_sources_read' \\(for"):
        one(**given, sources_read=torch.ones(2, 6).long())
    with pytest.raises(TokenError, match="goes from 0 to 6"):
        one(**given, decoder_sources_read=torch.full((2, 6), 8))
