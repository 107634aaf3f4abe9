"""attach(trainer): what real training runs were given, evaluation, checkpoints and streams."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from transformers import DataCollatorWithPadding

import maskplug
from maskplug.errors import MaskplugWarning, OptionError, SpecMismatchError
from maskplug_hf import DataCollatorForMasking, attach
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.hf_reference import reference_masks
from support.hf_runs import Recorder, Seen

N = 16


def collator(**options: Any) -> DataCollatorForMasking:
    return DataCollatorForMasking(tokenizers.bert(), **{"seed": 3, "rate": 0.4, **options})


def trainer(folder: Path, data: Any = None, **options: Any) -> Recorder:
    data = runs.dataset(N) if data is None else data
    return runs.trainer(folder, options.pop("collate", collator()), data, **options)


def expected(epoch: int = 0, keys: Any = range(N), **time: Any) -> set[Any]:
    """(epoch, original, row) of every sample at one epoch."""
    rows = dict(zip(keys, runs.rows(N), strict=True))
    made = collator(**time.pop("options", {}))
    masks = reference_masks(rows, made.vocabulary, made.strategy, seed=3, epoch=epoch, **time)
    return {(epoch, tuple(rows[key]), row) for key, row in masks.items()}


def given(seen: list[Seen]) -> set[Any]:
    return {(one.epoch, one.original, one.row) for one in seen}


@pytest.mark.parametrize("form", ["dataset", "torch format", "list"])
@pytest.mark.parametrize("named", [False, True])
def test_keys_are_sample_ids_or_indices(tmp_path: Path, form: str, named: bool) -> None:
    keys = [f"doc-{i}" for i in range(N)] if named else list(range(N))
    data: Any = runs.dataset(N, **({"sample_id": keys} if named else {}))
    if form == "torch format":
        data = data.with_format("torch")
    if form == "list":
        data = data.to_list()
    made = trainer(tmp_path, data)
    attach(made)
    made.train()
    assert given(made.trained) == expected(0, keys) | expected(1, keys)
    assert made.train_dataset.dataset is not data or form == "list"
    kept = data[0] if form == "list" else data.column_names
    assert "text" in kept
    assert ("sample_id" in kept) == named


@pytest.mark.parametrize(("batch", "accumulation"), [(8, 1), (4, 2), (2, 4)])
def test_masks_do_not_depend_on_gradient_accumulation(
    tmp_path: Path, batch: int, accumulation: int
) -> None:
    made = trainer(
        tmp_path, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation
    )
    attach(made)
    made.train()
    assert made.state.global_step == 4
    assert given(made.trained) == expected(0) | expected(1)


def test_epochs_stopped_early_are_counted(tmp_path: Path) -> None:
    class Stop(runs.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            control.should_epoch_stop = True

    made = trainer(tmp_path, num_train_epochs=3, per_device_train_batch_size=8)
    attach(made)
    made.add_callback(Stop())
    made.train()
    masks = [given(made.trained[8 * epoch : 8 * epoch + 8]) for epoch in range(3)]
    for epoch, seen in enumerate(masks):
        rows = {row for _, _, row in expected(epoch)}
        assert {row for _, _, row in seen} < rows


@pytest.mark.parametrize("clock", ["epoch", "step"])
@pytest.mark.parametrize(
    ("workers", "sets"),
    [("0", 1), ("0", 2), pytest.param("persistent", 2, marks=pytest.mark.slow)],
)
def test_evaluation_is_frozen(tmp_path: Path, clock: str, workers: str, sets: int) -> None:
    rate = {"name": "linear", "start": 0.2, "end": 0.8}
    options = {"clock": clock, "rate": rate}
    data = runs.dataset(N)
    made = trainer(
        tmp_path,
        collate=collator(**options),
        evaluation=data if sets == 1 else {"a": data, "b": data},
        workers=workers,
        eval_strategy="steps",
        eval_steps=1,
    )
    attach(made)
    made.train()
    seen = [one for one in made.seen if not one.training]
    assert len(seen) == sets * N * 4
    rows = {row for _, _, row in expected(0, options=options)}
    assert {one.row for one in seen} == rows
    assert {one.row for one in made.trained} != rows


def test_masks_of_datasets_passed_to_evaluate_are_frozen(tmp_path: Path) -> None:
    made = trainer(tmp_path, num_train_epochs=1)
    attach(made)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        losses = [made.evaluate(runs.dataset(4))["eval_loss"] for _ in range(2)]
        made.predict(runs.dataset(4))
    rows = [one.row for one in made.seen]
    assert rows[:4] == rows[4:8] == rows[8:]
    assert losses[0] == losses[1]


def test_schedules_follow_the_epochs(tmp_path: Path) -> None:
    rate = {"name": "linear", "start": 0.2, "end": 0.8}
    made = trainer(tmp_path, collate=collator(rate=rate), num_train_epochs=3)
    attach(made)
    made.train()
    options = {"rate": rate}
    masks = [expected(e, progress=p, options=options) for e, p in enumerate((0.0, 0.5, 1.0))]
    assert given(made.trained) == masks[0] | masks[1] | masks[2]


@pytest.mark.parametrize("remove", [True, False])
def test_columns_of_the_collator_pass_the_filter(tmp_path: Path, remove: bool) -> None:
    rows = runs.rows(N)
    protect = [[1] + [0] * (len(row) - 3) + [1, 1] for row in rows]  # the last word, too
    data = runs.dataset(N, special_tokens_mask=protect, word_ids=[[0] * len(r) for r in rows])
    data = data if remove else data.remove_columns("text")
    made = trainer(
        tmp_path,
        data,
        collate=collator(strategy="whole_word", rate=1.0),
        num_train_epochs=1,
        remove_unused_columns=remove,
    )
    attach(made)
    made.train()
    for one in made.trained:
        labels = one.row[1]
        assert labels[0] == labels[-1] == labels[-2] == -100
        assert all(label != -100 for label in labels[1:-2])  # one word, as word_ids say


@pytest.mark.parametrize("strategy", ["group_by_length", "batch_rebalance", "sequential"])
def test_other_samplers(tmp_path: Path, strategy: str) -> None:
    made = trainer(tmp_path, train_sampling_strategy=strategy)
    attach(made)
    made.train()
    assert given(made.trained) == expected(0) | expected(1)


def test_attaching_twice_has_no_effect(tmp_path: Path) -> None:
    made = trainer(tmp_path)
    original = made.data_collator
    attach(made)
    attach(made)
    assert isinstance(made.train_dataset.dataset, datasets.Dataset)
    assert sum("Masking" in type(c).__name__ for c in made.callback_handler.callbacks) == 1
    assert not original.attached
    made.train()
    assert given(made.trained) == expected(0) | expected(1)
    made.seen.clear()
    made.train()  # and training again begins with the first epoch
    assert given(made.trained) == expected(0) | expected(1)


def test_attaching_again_uses_the_new_collator(tmp_path: Path) -> None:
    made = trainer(tmp_path)
    attach(made)
    made.data_collator = collator(seed=4)
    attach(made)
    made.train()
    assert made.state.stateful_callbacks["maskplug"]["seed"] == 4
    assert not given(made.trained) & expected(0)


def test_another_collator_is_refused(tmp_path: Path) -> None:
    made = trainer(tmp_path, collate=DataCollatorWithPadding(tokenizers.bert()))
    with pytest.raises(OptionError, match=r"data_collator is DataCollatorWithPadding.*Masking"):
        attach(made)


@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
@pytest.mark.parametrize("workers", ["0", "2"])
def test_not_attached_is_never_static(tmp_path: Path, workers: str) -> None:
    made = trainer(tmp_path, workers=workers)
    made.train()
    masks: dict[Any, set[Any]] = {}
    for one in made.trained:
        masks.setdefault(one.original, set()).add(one.row)
    assert sum(len(rows) == 2 for rows in masks.values()) >= N - 2


# --- checkpoints ---------------------------------------------------------------------------------


def trained(folder: Path, **options: Any) -> Path:
    made = trainer(folder, save_strategy="steps", save_steps=1, max_steps=1, **options)
    attach(made)
    made.train()
    return folder / "checkpoint-1"


def test_the_spec_is_saved(tmp_path: Path) -> None:
    state = json.loads((trained(tmp_path) / "trainer_state.json").read_text())
    record = state["stateful_callbacks"]["maskplug"]
    assert record["spec"] == maskplug.strategy("dynamic", rate=0.4).spec
    assert record["fingerprint"] == maskplug.strategy("dynamic", rate=0.4).fingerprint
    assert record["seed"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.3}, r'"rate":0.4.*and seed 3; this run has .*"rate":0.3'),
        ({"strategy": "span"}, "strategy dynamic@1 .*this run has strategy span@1"),
        ({"seed": 4}, "and seed 3; .* and seed 4.*resume_other_spec=True"),
    ],
)
def test_another_spec_is_refused_before_the_first_step(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    checkpoint = trained(tmp_path)
    before = {path: path.read_bytes() for path in checkpoint.iterdir()}
    made = trainer(tmp_path, collate=collator(**options))
    attach(made)
    with pytest.raises(SpecMismatchError, match=message):
        made.train(resume_from_checkpoint=str(checkpoint))
    assert made.seen == []
    assert {path: path.read_bytes() for path in checkpoint.iterdir()} == before

    again = trainer(tmp_path, collate=collator(**options), save_strategy="steps", save_steps=2)
    attach(again, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="continuing with the new"):
        again.train(resume_from_checkpoint=str(checkpoint))
    state = json.loads((tmp_path / "checkpoint-2" / "trainer_state.json").read_text())
    assert state["stateful_callbacks"]["maskplug"]["spec"] == again.data_collator.spec


def test_the_same_spec_resumes_silently(tmp_path: Path) -> None:
    checkpoint = trained(tmp_path)
    made = trainer(tmp_path)
    attach(made)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        made.train(resume_from_checkpoint=str(checkpoint))


def test_a_checkpoint_without_a_spec(tmp_path: Path) -> None:
    plain = trainer(
        tmp_path,
        collate=collator(strategy="static"),
        save_strategy="steps",
        save_steps=1,
        max_steps=1,
    )
    plain.train()
    checkpoint = str(tmp_path / "checkpoint-1")
    made = trainer(tmp_path)
    attach(made)
    with pytest.raises(SpecMismatchError, match=r"holds no masking spec.*resume_other_spec=True"):
        made.train(resume_from_checkpoint=checkpoint)
    assert made.seen == []
    attach(made, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="holds no masking spec.*continuing with the new"):
        made.train(resume_from_checkpoint=checkpoint)


# --- streams -------------------------------------------------------------------------------------


class Stream(torch.utils.data.IterableDataset):
    """The rows, dealt to the workers; no length."""

    def __init__(self, named: bool) -> None:
        self.named = named

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for i, row in list(enumerate(runs.rows(N)))[first::step]:
            yield {"input_ids": row, **({"sample_id": i} if self.named else {})}


@pytest.mark.parametrize("workers", ["0", "2", "persistent"])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_streams(tmp_path: Path, workers: str, named: bool) -> None:
    made = trainer(
        tmp_path, Stream(named), workers=workers, max_steps=4, per_device_train_batch_size=8
    )
    attach(made)
    made.train()
    rows = runs.rows(N)
    content = [int(key) for key in maskplug.TokenBatch.from_lists(rows).keys]
    keys = range(N) if named else content
    for epoch in range(2):
        seen = {one.row for one in made.trained[N * epoch : N * (epoch + 1)]}
        assert seen == {row for _, _, row in expected(epoch, keys)}


def test_datasets_streams(tmp_path: Path) -> None:
    stream = runs.dataset(N).to_iterable_dataset(num_shards=2)
    with pytest.warns(MaskplugWarning, match="IterableDataset has no length"):
        attach(made := trainer(tmp_path, stream, workers="2", max_steps=2))
    made.train()
    assert len({one.original for one in made.trained}) == N


def test_streams_refuse_steps_and_warn_of_schedules(tmp_path: Path) -> None:
    rate = {"name": "linear", "start": 0.2, "end": 0.8}
    made = trainer(tmp_path, Stream(True), collate=collator(rate=rate), max_steps=1)
    with pytest.warns(MaskplugWarning, match="schedules stay at their start"):
        attach(made)
    made = trainer(tmp_path, Stream(True), collate=collator(clock="step"), max_steps=1)
    with pytest.raises(OptionError, match="masks by step"):
        attach(made)


def test_steps_need_a_sampler_of_indices(tmp_path: Path) -> None:
    options = {"train_sampling_strategy": "batch_rebalance"}
    made = trainer(tmp_path, collate=collator(clock="step"), **options)
    attach(made)
    with pytest.raises(OptionError, match=r"BatchRebalanceSampler.*clock that counts epochs"):
        made.train()
    assert made.seen == []
