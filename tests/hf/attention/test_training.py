"""Patterns in Trainer runs: time, resume, gradients and checkpointing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainerCallback, default_data_collator

from maskplug.errors import MaskplugWarning, SpecMismatchError, TokenError
from maskplug_hf.attention import PatternAttention, use_attention
from support import attention_models as tiny
from support import hf_runs as runs

GROWING = "window(left=linear(0, 6), right=0)"
STEPS = 7
NO_DROPOUT = {
    "t5": {"dropout_rate": 0.0},
    "bart": {"dropout": 0.0},
    "bert": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "roberta": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
}
deprecated = pytest.mark.filterwarnings("ignore:.gradient_checkpointing.*deprecated:FutureWarning")


def rows(name: str, samples: int = 8) -> list[dict[str, torch.Tensor]]:
    batch = tiny.batch(name, samples=samples)
    batch["labels"] = tiny.labels(batch)
    batch.pop("position_ids", None)
    return [{key: value[i] for key, value in batch.items()} for i in range(samples)]


def make_trainer(model: Any, name: str, folder: Path, **options: Any) -> Trainer:
    sizes = {"max_steps": STEPS, "per_device_train_batch_size": 2}
    options = {
        "learning_rate": 0.05,
        "optim": "adamw_torch",
        "max_grad_norm": 1.0,
        **sizes,
        **options,
    }
    return runs.plain_trainer(folder, default_data_collator, rows(name), learner=model, **options)


class Recorder(TrainerCallback):
    """Records the time of every step and the number of keys that the last query sees."""

    def __init__(self, handle: PatternAttention) -> None:
        self.handle = handle
        self.times: list[tuple[int, int, float]] = []
        self.counts: list[int] = []
        handle.listeners.append(self.count)

    def count(self, module: Any, mask: torch.Tensor) -> None:
        if module.layer_idx == 0 and self.handle.model.training:
            self.counts.append(int(mask[:, 0, -1].sum(-1).max()))

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.times.append(tuple(self.handle.time))


SMALL = [("bert", False), ("llama", True), ("bart", True)]


@deprecated
@pytest.mark.parametrize(
    ("name", "checkpointing"),
    [
        pytest.param(*case, marks=[] if case in SMALL else pytest.mark.slow)
        for case in [(name, checks) for name in tiny.FAMILIES for checks in (False, True)]
    ],
)
def test_training_decreases_the_loss(name: str, checkpointing: bool, tmp_path: Path) -> None:
    model = tiny.model(name)
    handle = use_attention(model, **tiny.patterns(name))
    options = {"max_steps": 20, "gradient_checkpointing": checkpointing}
    trainer = make_trainer(model, name, tmp_path, **options)
    handle.follow(trainer)

    def loss() -> float:
        batches = [{key: value[None] for key, value in row.items()} for row in rows(name)]
        return float(sum(model(**batch).loss.item() for batch in batches))

    before = loss()
    trainer.train()
    model.eval()
    assert loss() < before - 1


def gradients(model: Any, name: str) -> list[torch.Tensor]:
    model.train()
    model.zero_grad()
    inputs = tiny.batch(name)
    model(**inputs, labels=tiny.labels(inputs)).loss.backward()
    return [p.grad.clone() for p in model.parameters() if p.grad is not None]


@deprecated
@pytest.mark.parametrize("backend", ["sdpa", "eager"])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_checkpointing_computes_the_same_gradients(name: str, backend: str) -> None:
    model = tiny.model(name, **NO_DROPOUT.get(name, {}))
    plain = gradients(model, name)
    use_attention(model, backend=backend, **tiny.patterns(name))
    expected = gradients(model, name)
    assert any(tiny.distance(a, b) > 1e-6 for a, b in zip(plain, expected, strict=True))
    for reentrant in (False, True):
        model.gradient_checkpointing_enable({"use_reentrant": reentrant})
        model.enable_input_require_grads()
        for a, b in zip(expected, gradients(model, name), strict=True):
            assert tiny.distance(a, b) < 1e-6, reentrant


@pytest.mark.parametrize("accumulation", [1, 2])
def test_schedule_follows_optimizer_steps(tmp_path: Path, accumulation: int) -> None:
    model = tiny.model("bert")
    handle = use_attention(model, GROWING)
    trainer = make_trainer(model, "bert", tmp_path, gradient_accumulation_steps=accumulation)
    assert handle.follow(trainer) is handle
    handle.follow(trainer)  # a second call has no effect
    recorder = Recorder(handle)
    trainer.add_callback(recorder)
    trainer.train()
    per_epoch = 4 // accumulation
    times = [(step // per_epoch, step, step / (STEPS - 1)) for step in range(STEPS)]
    assert recorder.times == times
    assert recorder.counts == [1 + step for step in range(STEPS) for _ in range(accumulation)]


def test_resumed_run_continues_at_the_same_time(tmp_path: Path) -> None:
    def run(checkpoint: str | None = None) -> tuple[Recorder, list[torch.Tensor]]:
        model = tiny.model("bert", **NO_DROPOUT["bert"])
        handle = use_attention(model, GROWING)
        trainer = make_trainer(model, "bert", tmp_path, save_strategy="steps", save_steps=5)
        handle.follow(trainer)
        recorder = Recorder(handle)
        trainer.add_callback(recorder)
        trainer.train(resume_from_checkpoint=checkpoint)
        return recorder, [p.detach().clone() for p in model.parameters()]

    whole, weights = run()
    resumed, resumed_weights = run(str(tmp_path / "checkpoint-5"))
    assert (resumed.times, resumed.counts) == (whole.times[5:], whole.counts[5:])
    assert all(map(torch.equal, weights, resumed_weights))


def test_checkpoint_of_other_patterns_is_resumed_only_if_allowed(tmp_path: Path) -> None:
    model = tiny.model("bert")
    options = {"max_steps": 2, "save_strategy": "steps", "save_steps": 1}
    trainer = make_trainer(model, "bert", tmp_path, **options)
    use_attention(model, "window:left=2").follow(trainer)
    trainer.train()
    handle = use_attention(model, "window:left=3")
    trainer = make_trainer(model, "bert", tmp_path, max_steps=2)
    handle.follow(trainer)
    checkpoint = str(tmp_path / "checkpoint-1")
    with pytest.raises(SpecMismatchError, match=r'"left":2.*"left":3.*resume_other_'):
        trainer.train(resume_from_checkpoint=checkpoint)
    handle.follow(trainer, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="the new ones"):
        trainer.train(resume_from_checkpoint=checkpoint)


def test_evaluation_patterns() -> None:
    model, inputs = tiny.model("bert", **NO_DROPOUT["bert"]), tiny.batch("bert")
    full = model(**inputs).logits
    use_attention(model, "window:left=0", evaluation="full")
    real = inputs["attention_mask"].bool()
    assert tiny.distance(model(**inputs).logits, full, real) < 1e-6
    assert tiny.distance(model.train()(**inputs).logits, full, real) > 1e-4
    model, inputs = tiny.model("bart"), tiny.batch("bart")
    full = model(**inputs).logits
    use_attention(model, cross="sink:n=1", evaluation={"encoder": "window:left=0"})
    logits = model(**inputs).logits
    use_attention(model, encoder="window:left=0")
    assert torch.equal(logits, model(**inputs).logits)
    assert not torch.equal(logits, full)


@pytest.mark.filterwarnings("error")
def test_pattern_with_a_schedule_warns_once_if_no_time_is_set() -> None:
    model, inputs = tiny.model("bert"), tiny.batch("bert")
    handle = use_attention(model, GROWING)
    with pytest.warns(MaskplugWarning, match=r"its time was never set.*follow\(trainer\)"):
        at_start = model(**inputs).logits
    assert torch.equal(model(**inputs).logits, at_start)
    handle.set_time(progress=1.0)
    assert not torch.equal(model(**inputs).logits, at_start)
    use_attention(model, GROWING).set_time()
    assert torch.equal(model(**inputs).logits, at_start)


@pytest.mark.parametrize("name", tiny.SEQ2SEQ)
def test_trainer_passes_dataset_columns(name: str, tmp_path: Path) -> None:
    model = tiny.model(name)
    read = torch.tensor([1, 2, 2, 3, 4, 6])
    handle = use_attention(model, encoder="document", cross="monotonic")
    counts: list[Any] = []

    def count(module: Any, mask: torch.Tensor) -> None:
        if module.attention_kind == "cross":
            counts.append(mask[:, 0].sum(-1))

    handle.listeners.append(count)
    documents = torch.zeros(9, dtype=torch.long)
    data = [{**row, "decoder_sources_read": read, "document_ids": documents} for row in rows(name)]
    for keep_columns in (False, True):
        options = {"max_steps": 1, "remove_unused_columns": not keep_columns}
        trainer = make_trainer(model, name, tmp_path, **options)
        trainer.train_dataset = data
        if keep_columns:
            trainer.train()
            continue
        with pytest.raises(TokenError, match=r"'documents'.*remove_unused_columns=False"):
            trainer.train()
    assert len(counts) == 2
    assert all((layer == read).all() for layer in counts)
