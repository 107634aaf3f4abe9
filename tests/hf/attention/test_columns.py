"""What patterns read of a batch: documents, keys of samples, layers of other patterns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint
from transformers import (
    AlbertConfig,
    AlbertModel,
    DataCollatorWithFlattening,
    Trainer,
    TrainingArguments,
)

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.clock import Step
from maskplug.errors import OptionError, TokenError
from maskplug_hf.attention import PatternAttention, use_attention
from support import attention_models as tiny

FIRST, SECOND = [5, 6, 7, 8], [9, 10, 11]


@dataclass(frozen=True)
class Thrown(Pattern):
    """A coin for each key; another one in each layer and head if ``each``."""

    each: bool = False
    clock: Step = field(default_factory=Step)

    def rows(self, site: AttentionCall) -> Intervals:
        heads = site.heads if self.each else 1
        rng = site.rng(self.clock)
        rng = rng.scoped(f"layer {site.layer_idx}") if self.each else rng
        sizes = [site.kv_len] * site.batch
        coins = [rng.uniform("coin", sizes, draw=head) for head in range(heads)]
        keys = np.stack([coin.reshape(site.batch, site.kv_len) < 0.5 for coin in coins], 1)
        every = site.intervals((-site.starts[:, None, None], site.kv_len))
        return every.only(keys) | site.cells(np.ones((1, 1, site.q_len), bool), "self")


@dataclass(frozen=True)
class ByDepth(Pattern):
    """A window that is wider in each layer, and looks back only in decoders."""

    def rows(self, site: AttentionCall) -> Intervals:
        right = 0 if site.attention_kind == "decoder" else site.layer_idx + 1
        return site.intervals((site.q - site.layer_idx - 1, site.q + right + 1))


def received(one: Any, handle: PatternAttention, **given: Any) -> dict[Any, torch.Tensor]:
    """The masks of every place and layer."""
    found: dict[Any, torch.Tensor] = {}
    handle.listeners.append(lambda spot, mask: found.update({(spot.place, spot.depth): mask}))
    one(**given)
    handle.listeners.clear()
    return found


@pytest.mark.parametrize("name", tiny.ENCODERS)
@pytest.mark.parametrize("told", ["positions", "document_ids", "documents"])
def test_packed_is_separate(name: str, told: str) -> None:
    one = tiny.model(name)
    apart = [one(torch.tensor([row])).logits[0] for row in (FIRST, SECOND)]
    rows = [{"input_ids": row, "labels": row} for row in (FIRST, SECOND)]
    packed = DataCollatorWithFlattening()(rows)
    shift = one.config.pad_token_id + 1 if name == "roberta" else 0
    given = {"input_ids": packed["input_ids"], "position_ids": packed["position_ids"] + shift}
    leaking = one(**given).logits[0]
    if told != "positions":
        given[told] = torch.tensor([[3] * 4 + [1] * 3])
    use_attention(one, "document")
    out = one(**given).logits[0]
    assert (out - torch.cat(apart)).abs().max() < 1e-5
    assert (leaking - torch.cat(apart)).abs().max() > 1e-4


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    one, given = tiny.model("bert"), tiny.batch("bert")
    use_attention(one, "window:left=2 & document")
    with pytest.raises(TokenError, match=r"'documents' \(or 'document_ids'\).*remove_unused_col"):
        one(**given)
    one(**given, document_ids=torch.ones(2, 9).long())  # the failed pass has left nothing behind
    one, given = tiny.model("t5"), tiny.batch("t5")
    use_attention(one, decoder="document")
    with pytest.raises(TokenError, match=r"'decoder_documents' \(or 'decoder_document_ids'\)"):
        one(**given, document_ids=torch.ones(2, 9).long())


def test_columns_reach_the_model_only_if_it_knows_them() -> None:
    one, given = tiny.model("bert"), tiny.batch("bert")
    seen: list[set[str]] = []
    one.register_forward_pre_hook(lambda m, a, kw: seen.append(set(kw)), with_kwargs=True)
    use_attention(one, "full")
    keys = {"sample_keys": torch.tensor([1, 2]), "document_ids": torch.ones(2, 9)}
    one(**given, token_type_ids=torch.zeros(2, 9, dtype=torch.long), **keys)
    assert seen == [{"input_ids", "attention_mask", "token_type_ids"}]


def test_two_stacks_have_columns_of_their_own() -> None:
    one, given = tiny.model("bart"), tiny.batch("bart")
    given["attention_mask"][:] = 1
    source = torch.tensor([[0] * 4 + [1] * 5, [0] * 2 + [1] * 7])
    target = torch.tensor([[0] * 3 + [1] * 3, [0] * 5 + [1]])
    handle = use_attention(one, encoder="document", decoder="document", cross="document")
    got = received(one, handle, **given, document_ids=source, decoder_documents=target)
    same = {
        "encoder": source[:, :, None] == source[:, None],
        "decoder": (target[:, :, None] == target[:, None]) & torch.ones(6, 6).bool().tril(),
        "cross": target[:, :, None] == source[:, None],
    }
    assert {(place, depth) for place in same for depth in (0, 1)} == set(got)
    for (place, _), mask in got.items():
        assert torch.equal(mask[:, 0], same[place]), place


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_a_pattern_may_differ_between_layers_and_places(name: str) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    given["attention_mask"][:] = 1
    places = [place for place in tiny.patterns(name) if place != "cross"]
    got = received(one, use_attention(one, **{place: ByDepth() for place in places}), **given)
    for place in places:
        for depth in (0, 1):
            mask = got[place, depth][0, 0]
            want = ByDepth().dense(*mask.shape, place=place, depth=depth)[0, 0]
            assert np.array_equal(mask.numpy(), want), (place, depth)


@pytest.mark.parametrize("groups", [1, 2])
def test_layers_that_share_a_module_are_counted(groups: int) -> None:
    torch.manual_seed(0)
    sizes = {**tiny.ONE, "embedding_size": 8, "num_hidden_layers": 4, "inner_group_num": 2}
    one = AlbertModel(AlbertConfig(**sizes, num_hidden_groups=groups)).eval()
    ids = tiny.batch("bert")["input_ids"]
    handle = use_attention(one, ByDepth())
    for _ in range(2):
        got = received(one, handle, input_ids=ids)
        assert sorted(depth for _, depth in got) == list(range(8))
        for (_, depth), mask in got.items():
            assert np.array_equal(mask[:1].numpy(), ByDepth().dense(9, depth=depth))
    group = one.encoder.albert_layer_groups[0]
    plain = group.forward
    group.forward = lambda *args, **more: checkpoint(plain, *args, **more, use_reentrant=False)
    loss = one.train()(ids).last_hidden_state.sum()
    with pytest.raises(OptionError, match="the 8 layers of AlbertAttention share modules"):
        loss.backward()


class Counted(maskplug.attention.Window):
    """A window that counts how often it is rendered."""

    calls = 0

    def rows(self, site: AttentionCall) -> Intervals:
        Counted.calls += 1
        return super().rows(site)


@pytest.mark.parametrize(("name", "times"), [("bert", 1), ("modernbert", 1), ("t5", 2)])
def test_a_pattern_is_rendered_once_for_all_layers(name: str, times: int) -> None:
    one, given = tiny.model(name), tiny.batch(name)
    pattern = Counted(left=3, right=3)
    places = [place for place in tiny.patterns(name) if place != "decoder"]
    use_attention(one, **dict.fromkeys(places, pattern))
    Counted.calls = 0
    one(**given)
    assert Counted.calls == times


def test_chance_hangs_on_seed_step_key_layer_and_head_only() -> None:
    one, given = tiny.model("bert"), tiny.batch("bert")
    given["attention_mask"][:] = 1

    def masks(seed: int = 0, step: int = 0, each: bool = True, **keys: Any) -> Any:
        handle = use_attention(one, Thrown(each), seed=seed)
        handle.set_time(step=step)
        return received(one, handle, **given, **keys)

    keys = {"sample_keys": torch.tensor([8, 9])}
    first = masks(**keys)
    want = Thrown(True).dense(9, heads=2, depth=1, keys=[8, 9], valid=np.ones((2, 9), int))
    assert np.array_equal(first["encoder", 1].numpy(), want)
    assert first["encoder", 0].shape == (2, 2, 9, 9)
    again = masks(**keys)
    assert all(torch.equal(first[spot], again[spot]) for spot in first)
    for other in (masks(seed=1, **keys), masks(step=1, **keys), masks(sample_keys=["a", "b"])):
        assert not torch.equal(first["encoder", 0], other["encoder", 0])
    assert not torch.equal(first["encoder", 0], first["encoder", 1])
    assert not torch.equal(first["encoder", 0][:, 0], first["encoder", 0][:, 1])
    swapped = masks(sample_keys=torch.tensor([9, 8]))
    assert torch.equal(first["encoder", 0].flip(0), swapped["encoder", 0])
    alike = masks()["encoder", 0]  # without keys, samples are drawn alike
    assert torch.equal(alike[0], alike[1])
    shared = masks(each=False, **keys)
    assert shared["encoder", 0].shape == (2, 1, 9, 9)


@dataclass(frozen=True)
class Linked(Pattern):
    """Each target token sees the source tokens that a ragged list links it to."""

    required_annotations = ("links",)

    def rows(self, site: AttentionCall) -> Intervals:
        links = site.annotations["links"]
        assert len(links) == site.batch
        seen = np.zeros((site.batch, 1, site.q_len, site.kv_len), bool)
        for sample, pairs in enumerate(links):
            for source, target in pairs:
                if target < site.q_len:
                    seen[sample, 0, target, source] = True
        return Intervals.of_mask(seen)


@pytest.mark.filterwarnings("ignore:the pattern of 'cross' leaves no key")
def test_ragged_columns_and_beams() -> None:
    one, given = tiny.model("bart"), tiny.batch("bart")
    handle = use_attention(one, cross=Linked())
    links = [[(2, 0), (3, 1)], [(4, 0)]]
    got = received(one, handle, **given, links=links)["cross", 1][:, 0]
    assert got[0].nonzero().tolist() == [[0, 2], [1, 3], *([query, 0] for query in range(2, 6))]
    assert got[1].nonzero().tolist() == [[0, 4], *([query, 0] for query in range(1, 6))]
    with handle.given(links=links):
        one.generate(given["input_ids"], num_beams=2, max_new_tokens=3)


def test_a_trainer_brings_the_columns_of_its_data_set(tmp_path: Path) -> None:
    one = tiny.model("bert")
    use_attention(one, "document")
    row = {"input_ids": torch.tensor(FIRST + SECOND), "labels": torch.tensor(FIRST + SECOND)}
    data = [{**row, "document_ids": torch.tensor([0] * 4 + [1] * 3)}] * 4
    options = {"output_dir": str(tmp_path), "use_cpu": True, "report_to": [], "max_steps": 2}
    options |= {"disable_tqdm": True, "save_strategy": "no"}
    with pytest.raises(TokenError, match="remove_unused_columns=False"):
        Trainer(one, TrainingArguments(**options), train_dataset=data).train()
    options["remove_unused_columns"] = False
    Trainer(one, TrainingArguments(**options), train_dataset=data).train()
