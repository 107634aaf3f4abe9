"""Patterns in real Trainer runs: time, resume, gradients and checkpointing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from maskplug.errors import MaskplugWarning, SpecMismatchError
from maskplug_hf.attention import PatternAttention, use_attention
from support import attention_models as tiny

GROWING = "window(left=linear(0, 6), right=0)"
STEPS = 7


def rows(name: str, samples: int = 8) -> list[dict[str, torch.Tensor]]:
    given = tiny.batch(name, samples=samples)
    given["labels"] = given.get("decoder_input_ids", given["input_ids"])
    given.pop("position_ids", None)
    return [{key: value[i] for key, value in given.items()} for i in range(samples)]


def trainer(one: Any, name: str, folder: Path, **options: Any) -> Trainer:
    arguments = TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        **{"save_strategy": "no", "max_steps": STEPS, "per_device_train_batch_size": 2}
        | {"learning_rate": 0.05, **options},
    )
    return Trainer(model=one, args=arguments, train_dataset=rows(name))


class Times(TrainerCallback):
    """Notes the time of every step, and how much the last query of the first layer saw."""

    def __init__(self, handle: PatternAttention) -> None:
        self.handle = handle
        self.times: list[tuple[int, int, float]] = []
        self.counts: list[int] = []
        handle.listeners.append(self.hear)

    def hear(self, spot: Any, mask: torch.Tensor) -> None:
        if spot.depth == 0 and self.handle.model.training:
            self.counts.append(int(mask[:, 0, -1].sum(-1).max()))

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.times.append(tuple(self.handle.time))


@pytest.mark.filterwarnings("ignore:.gradient_checkpointing.*deprecated:FutureWarning")
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_every_family_learns(name: str, checkpointing: bool, tmp_path: Path) -> None:
    one = tiny.model(name)
    handle = use_attention(one, **tiny.patterns(name))
    made = trainer(one, name, tmp_path, max_steps=20, gradient_checkpointing=checkpointing)
    handle.follow(made)
    before = sum(one(**{k: v[None] for k, v in row.items()}).loss.item() for row in rows(name))
    made.train()
    one.eval()
    after = sum(one(**{k: v[None] for k, v in row.items()}).loss.item() for row in rows(name))
    assert after < before - 1


def gradients(one: Any, name: str) -> list[torch.Tensor]:
    one.train()
    one.zero_grad()
    given = tiny.batch(name)
    one(**given, labels=given.get("decoder_input_ids", given["input_ids"])).loss.backward()
    return [p.grad.clone() for p in one.parameters() if p.grad is not None]


NO_DROPOUT = {
    "t5": {"dropout_rate": 0.0},
    "bart": {"dropout": 0.0},
    "bert": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "roberta": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}


@pytest.mark.filterwarnings("ignore:.gradient_checkpointing.*deprecated:FutureWarning")
@pytest.mark.parametrize("backend", ["sdpa", "eager"])
@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_checkpointing_computes_the_same_gradients(
    name: str, reentrant: bool, backend: str
) -> None:
    one = tiny.model(name, **NO_DROPOUT.get(name, {}))
    plain = gradients(one, name)
    use_attention(one, backend=backend, **tiny.patterns(name))
    want = gradients(one, name)
    assert any((a - b).abs().max() > 1e-6 for a, b in zip(plain, want, strict=True))
    one.gradient_checkpointing_enable({"use_reentrant": reentrant})
    one.enable_input_require_grads()
    got = gradients(one, name)
    assert len(got) == len(want)
    for a, b in zip(want, got, strict=True):
        assert (a - b).abs().max() < 1e-6


@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_schedule_moves_with_the_steps(tmp_path: Path, accumulation: int) -> None:
    one = tiny.model("bert")
    handle = use_attention(one, GROWING)
    made = trainer(one, "bert", tmp_path, gradient_accumulation_steps=accumulation)
    assert handle.follow(made) is handle
    handle.follow(made)  # a second time changes nothing
    heard = Times(handle)
    made.add_callback(heard)
    made.train()
    per_epoch = 4 // accumulation
    times = [(step // per_epoch, step, step / (STEPS - 1)) for step in range(STEPS)]
    assert heard.times == times
    assert heard.counts == [1 + step for step in range(STEPS) for _ in range(accumulation)]


def test_a_resumed_run_goes_on_at_the_same_time(tmp_path: Path) -> None:
    def run(checkpoint: str | None = None) -> tuple[Times, list[torch.Tensor]]:
        one = tiny.model("bert", **NO_DROPOUT["bert"])
        handle = use_attention(one, GROWING)
        made = trainer(one, "bert", tmp_path, save_strategy="steps", save_steps=5)
        handle.follow(made)
        heard = Times(handle)
        made.add_callback(heard)
        made.train(resume_from_checkpoint=checkpoint)
        return heard, [p.detach().clone() for p in one.parameters()]

    whole, end = run()
    again, same = run(str(tmp_path / "checkpoint-5"))
    assert (again.times, again.counts) == (whole.times[5:], whole.counts[5:])
    assert all(torch.equal(a, b) for a, b in zip(end, same, strict=True))


def test_a_checkpoint_of_other_patterns_is_not_resumed_unless_told(tmp_path: Path) -> None:
    one = tiny.model("bert")
    made = trainer(one, "bert", tmp_path, save_strategy="steps", save_steps=5)
    use_attention(one, "window:left=2").follow(made)
    made.train()
    handle = use_attention(one, "window:left=3")
    made = trainer(one, "bert", tmp_path)
    handle.follow(made)
    checkpoint = str(tmp_path / "checkpoint-5")
    with pytest.raises(SpecMismatchError, match=r'"left":2.*"left":3.*resume_other_'):
        made.train(resume_from_checkpoint=checkpoint)
    handle.follow(made, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="going on with the new ones"):
        made.train(resume_from_checkpoint=checkpoint)


def test_evaluation_has_patterns_of_its_own() -> None:
    one, given = tiny.model("bert", **NO_DROPOUT["bert"]), tiny.batch("bert")
    full = one(**given).logits
    use_attention(one, "window:left=0", evaluation="full")
    counts = given["attention_mask"].bool()
    assert (one(**given).logits - full)[counts].abs().max() < 1e-6
    assert (one.train()(**given).logits - full)[counts].abs().max() > 1e-4
    one = tiny.model("bart").eval()
    given = tiny.batch("bart")
    full = one(**given).logits
    use_attention(one, cross="sink:n=1", evaluation={"encoder": "window:left=0"})
    own = one(**given).logits
    use_attention(one, encoder="window:left=0")
    assert torch.equal(own, one(**given).logits)
    assert not torch.equal(own, full)


@pytest.mark.filterwarnings("error")
def test_nobody_tells_the_time() -> None:
    one, given = tiny.model("bert"), tiny.batch("bert")
    handle = use_attention(one, GROWING)
    with pytest.warns(MaskplugWarning, match=r"nobody tells it the time.*follow\(trainer\)"):
        at_start = one(**given).logits
    assert torch.equal(one(**given).logits, at_start)  # once is enough
    handle.set_time(progress=1.0)
    assert not torch.equal(one(**given).logits, at_start)
    use_attention(one, GROWING).set_time()
    assert torch.equal(one(**given).logits, at_start)


@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_a_trainer_brings_what_the_target_has_read(name: str, tmp_path: Path) -> None:
    one = tiny.model(name)
    read = torch.tensor([1, 2, 2, 3, 4, 6])
    data = [{**row, "decoder_sources_read": read} for row in rows(name)]
    handle = use_attention(one, cross="monotonic")
    counts: list[Any] = []
    handle.listeners.append(
        lambda spot, mask: counts.append(mask[:, 0].sum(-1)) if spot.place == "cross" else None
    )
    made = trainer(one, name, tmp_path, max_steps=1, remove_unused_columns=False)
    made.train_dataset = data
    made.train()
    assert len(counts) == 2
    assert all((seen == read).all() for seen in counts)
