"""attach(trainer): the masks of real training runs, evaluation, checkpoints and streams."""

from __future__ import annotations

import json
import shutil
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
from maskplug_hf.attention import use_attention
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.hf_reference import reference_masks
from support.hf_runs import Recorder, Seen, no_warning
from support.rubbish import FOREIGN

N = 16
ROWS = runs.rows(N)
LINEAR = {"name": "linear", "start": 0.2, "end": 0.8}


def collator(**options: Any) -> DataCollatorForMasking:
    return DataCollatorForMasking(tokenizers.bert(), **{"seed": 3, "rate": 0.4, **options})


def make_trainer(folder: Path, data: Any = None, **options: Any) -> Recorder:
    data = runs.dataset(N) if data is None else data
    return runs.trainer(folder, options.pop("collate", collator()), data, **options)


def train(folder: Path, data: Any = None, **options: Any) -> Recorder:
    """A trainer that was attached and has trained."""
    trainer = make_trainer(folder, data, **options)
    attach(trainer)
    trainer.train()
    return trainer


def expected(epoch: int = 0, keys: Any = range(N), **time: Any) -> set[Any]:
    """(epoch, original, row) of every sample at one epoch."""
    rows = dict(zip(keys, ROWS, strict=True))
    reference = collator(**time.pop("options", {}))
    masks = reference_masks(
        rows, reference.vocabulary, reference.strategy, seed=3, epoch=epoch, **time
    )
    return {(epoch, tuple(rows[key]), row) for key, row in masks.items()}


def masks_of(seen: list[Seen]) -> set[Any]:
    return {(one.epoch, one.original, one.row) for one in seen}


@pytest.mark.parametrize(
    ("form", "named"),
    [("dataset", False), ("dataset", True), ("torch format", True), ("list", True)],
)
def test_keys_are_sample_ids_or_indices(tmp_path: Path, form: str, named: bool) -> None:
    keys = [f"doc-{i}" for i in range(N)] if named else list(range(N))
    data: Any = runs.dataset(N, **({"sample_id": keys} if named else {}))
    if form == "torch format":
        data = data.with_format("torch")
    if form == "list":
        data = data.to_list()
    trainer = train(tmp_path, data)
    assert masks_of(trainer.trained) == expected(0, keys) | expected(1, keys)
    columns = data[0] if form == "list" else data.column_names
    assert "text" in columns, "the caller's dataset keeps its columns"
    assert ("sample_id" in columns) == named


@pytest.mark.parametrize(
    "options",
    [
        *(
            {"per_device_train_batch_size": batch, "gradient_accumulation_steps": 8 // batch}
            for batch in (8, 4, 2)
        ),
        *(
            {"train_sampling_strategy": sampler}
            for sampler in ("group_by_length", "batch_rebalance", "sequential")
        ),
    ],
    ids=str,
)
def test_masks_do_not_depend_on_accumulation_and_sampler(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    trainer = train(tmp_path, **options)
    assert trainer.state.global_step == 4
    assert masks_of(trainer.trained) == expected(0) | expected(1)


def test_epochs_stopped_early_are_counted(tmp_path: Path) -> None:
    class Stop(runs.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            control.should_epoch_stop = True

    trainer = make_trainer(tmp_path, num_train_epochs=3, per_device_train_batch_size=8)
    attach(trainer)
    trainer.add_callback(Stop())
    trainer.train()
    for epoch in range(3):
        rows = {one.row for one in trainer.trained[8 * epoch : 8 * epoch + 8]}
        assert rows < {row for _, _, row in expected(epoch)}


def test_schedules_follow_the_epochs(tmp_path: Path) -> None:
    trainer = train(tmp_path, collate=collator(rate=LINEAR), num_train_epochs=3)
    options = {"rate": LINEAR}
    masks = [expected(e, progress=p, options=options) for e, p in enumerate((0.0, 0.5, 1.0))]
    assert masks_of(trainer.trained) == masks[0] | masks[1] | masks[2]


@pytest.mark.parametrize("remove", [True, False])
def test_columns_of_the_collator_pass_the_filter(tmp_path: Path, remove: bool) -> None:
    protect = [[1] + [0] * (len(row) - 3) + [1, 1] for row in ROWS]  # the last word, too
    data = runs.dataset(N, special_tokens_mask=protect, word_ids=[[0] * len(r) for r in ROWS])
    data = data if remove else data.remove_columns("text")
    collate = collator(strategy="whole_word", rate=1.0)
    trainer = train(
        tmp_path, data, collate=collate, num_train_epochs=1, remove_unused_columns=remove
    )
    for one in trainer.trained:
        labels = one.row[1]
        assert labels[0] == labels[-1] == labels[-2] == -100
        assert all(label != -100 for label in labels[1:-2])  # one word, as word_ids say


def test_attaching_twice_has_no_effect(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    original = trainer.data_collator
    attach(trainer)
    attach(trainer)
    assert isinstance(trainer.train_dataset.dataset, datasets.Dataset)
    assert sum("Masking" in type(c).__name__ for c in trainer.callback_handler.callbacks) == 1
    assert not original.attached
    for _ in range(2):  # training again begins with the first epoch
        trainer.seen.clear()
        trainer.train()
        assert masks_of(trainer.trained) == expected(0) | expected(1)


def test_attaching_again_uses_the_new_collator(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    attach(trainer)
    trainer.data_collator = collator(seed=4)
    attach(trainer)
    trainer.train()
    assert trainer.state.stateful_callbacks["maskplug"]["seed"] == 4
    assert not masks_of(trainer.trained) & expected(0)


def test_another_collator_is_refused(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, collate=DataCollatorWithPadding(tokenizers.bert()))
    with pytest.raises(OptionError, match=r"data_collator is DataCollatorWithPadding.*Masking"):
        attach(trainer)


# --- evaluation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", ["epoch", "step"])
@pytest.mark.parametrize(
    ("workers", "sets"),
    [("0", 1), ("0", 2), pytest.param("persistent", 2, marks=pytest.mark.slow)],
)
def test_evaluation_is_frozen(tmp_path: Path, clock: str, workers: str, sets: int) -> None:
    options = {"clock": clock, "rate": LINEAR}
    data = runs.dataset(N)
    trainer = train(
        tmp_path,
        collate=collator(**options),
        evaluation=data if sets == 1 else {"a": data, "b": data},
        workers=workers,
        eval_strategy="steps",
        eval_steps=1,
    )
    seen = [one for one in trainer.seen if not one.training]
    assert len(seen) == sets * N * 4
    rows = {row for _, _, row in expected(0, options=options)}
    assert {one.row for one in seen} == rows
    assert {one.row for one in trainer.trained} != rows


def test_masks_of_datasets_passed_to_evaluate_are_frozen(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, num_train_epochs=1)
    attach(trainer)
    with no_warning():
        losses = [trainer.evaluate(runs.dataset(4))["eval_loss"] for _ in range(2)]
        trainer.predict(runs.dataset(4))
    rows = [one.row for one in trainer.seen]
    assert rows[:4] == rows[4:8] == rows[8:]
    assert losses[0] == losses[1]


@pytest.mark.filterwarnings("ignore:the features have labels that are equal")
@pytest.mark.parametrize("workers", ["0", "2"])
def test_samples_with_labels_are_evaluated_unmasked(tmp_path: Path, workers: str) -> None:
    data = runs.dataset(N, labels=ROWS)
    options = {"evaluation": data, "eval_strategy": "epoch", "num_train_epochs": 1}
    trainer = train(tmp_path, data, workers=workers, **options)
    rows = [tuple(row) for row in ROWS]
    assert [one.row[0] for one in trainer.seen if not one.training] == rows
    assert sorted(one.row[0] for one in trainer.trained) != sorted(rows)
    trainer.seen.clear()
    trainer.evaluate(data)  # a dataset without keys
    assert [one.row[0] for one in trainer.seen] == rows


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a record of the masks, and one of the attention pattern."""
    folder = tmp_path_factory.mktemp("attached")
    with_pattern(folder, save_strategy="steps", save_steps=1, max_steps=1).train()
    return folder / "checkpoint-1"


def with_pattern(folder: Path, **options: Any) -> Recorder:
    trainer = make_trainer(folder, **options)
    use_attention(trainer.model, "window:left=2").follow(trainer)
    attach(trainer)
    return trainer


def record_of(checkpoint: Path) -> Any:
    state = json.loads((checkpoint / "trainer_state.json").read_text())
    return state["stateful_callbacks"]["maskplug"]


def test_the_spec_is_saved(checkpoint: Path) -> None:
    strategy = maskplug.strategy("dynamic", rate=0.4)
    record = {"spec": strategy.spec, "fingerprint": strategy.fingerprint, "seed": 3}
    assert record_of(checkpoint) == record


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.3}, r'"rate":0.4.*and seed 3; this run has .*"rate":0.3'),
        ({"strategy": "span"}, "strategy dynamic@1 .*this run has strategy span@1"),
        ({"seed": 4}, "and seed 3; .* and seed 4.*resume_other_spec=True"),
    ],
)
def test_another_spec_is_refused_before_the_first_step(
    checkpoint: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    before = {path: path.read_bytes() for path in checkpoint.iterdir()}
    trainer = make_trainer(
        tmp_path, collate=collator(**options), save_strategy="steps", save_steps=2
    )
    attach(trainer)
    with pytest.raises(SpecMismatchError, match=message):
        trainer.train(resume_from_checkpoint=str(checkpoint))
    assert trainer.seen == []
    assert {path: path.read_bytes() for path in checkpoint.iterdir()} == before
    attach(trainer, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="continuing with the new"):
        trainer.train(resume_from_checkpoint=str(checkpoint))
    assert record_of(tmp_path / "checkpoint-2")["spec"] == trainer.data_collator.spec


def test_the_same_spec_resumes_silently(checkpoint: Path, tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    attach(trainer)
    with no_warning():
        trainer.train(resume_from_checkpoint=str(checkpoint))


def with_record(checkpoint: Path, folder: Path, name: str, record: Any) -> str:
    """A copy of the checkpoint that holds another record."""
    copy = Path(shutil.copytree(checkpoint, folder / checkpoint.name))
    path = copy / "trainer_state.json"
    state = json.loads(path.read_text())
    state["stateful_callbacks"][name] = record
    path.write_text(json.dumps(state))
    return str(copy)


@pytest.mark.parametrize("kind", ["number", "nan", "list", "empty", "missing"])
@pytest.mark.parametrize("name", ["maskplug", "maskplug_attention"])
def test_damaged_and_missing_records_are_refused(
    checkpoint: Path, tmp_path: Path, name: str, kind: str
) -> None:
    copy = with_record(checkpoint, tmp_path, name, FOREIGN.get(kind))
    trainer = with_pattern(tmp_path)
    fault = "no" if kind == "missing" else "a damaged"
    with pytest.raises(SpecMismatchError, match=f"step 1 holds {fault} masking spec") as error:
        trainer.train(resume_from_checkpoint=copy)
    assert trainer.seen == []
    assert "resume_other_spec=True" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["number", "empty", "missing"])
def test_damaged_and_missing_records_are_accepted_on_request(
    checkpoint: Path, tmp_path: Path, kind: str
) -> None:
    copy = with_record(checkpoint, tmp_path, "maskplug", FOREIGN.get(kind))
    trainer = make_trainer(tmp_path, max_steps=2)
    attach(trainer, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="masking spec.*continuing with the new ones"):
        trainer.train(resume_from_checkpoint=copy)
    assert len(trainer.trained) == 8


# --- streams -------------------------------------------------------------------------------------


class Stream(torch.utils.data.IterableDataset):
    """The rows, dealt to the workers; no length."""

    def __init__(self, named: bool) -> None:
        self.named = named

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for i, row in list(enumerate(ROWS))[first::step]:
            yield {"input_ids": row, **({"sample_id": i} if self.named else {})}


@pytest.mark.parametrize(
    ("workers", "named"), [("0", True), ("0", False), ("2", False), ("persistent", True)]
)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_streams(tmp_path: Path, workers: str, named: bool) -> None:
    options = {"workers": workers, "max_steps": 4, "per_device_train_batch_size": 8}
    trainer = train(tmp_path, Stream(named), **options)
    content = [int(key) for key in maskplug.TokenBatch.from_lists(ROWS).keys]
    for epoch in range(2):
        rows = {one.row for one in trainer.trained[N * epoch : N * (epoch + 1)]}
        assert rows == {row for _, _, row in expected(epoch, range(N) if named else content)}


def test_datasets_streams(tmp_path: Path) -> None:
    stream = runs.dataset(N).to_iterable_dataset(num_shards=2)
    with pytest.warns(MaskplugWarning, match="IterableDataset has no length"):
        trainer = train(tmp_path, stream, workers="2", max_steps=2)
    assert len({one.original for one in trainer.trained}) == N


def test_streams_refuse_steps_and_warn_of_schedules(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, Stream(True), collate=collator(rate=LINEAR), max_steps=1)
    with pytest.warns(MaskplugWarning, match="schedules stay at their start"):
        attach(trainer)
    trainer = make_trainer(tmp_path, Stream(True), collate=collator(clock="step"), max_steps=1)
    with pytest.raises(OptionError, match="masks by step"):
        attach(trainer)


def test_steps_need_a_sampler_of_indices(tmp_path: Path) -> None:
    options = {"train_sampling_strategy": "batch_rebalance"}
    trainer = make_trainer(tmp_path, collate=collator(clock="step"), **options)
    attach(trainer)
    with pytest.raises(OptionError, match=r"BatchRebalanceSampler.*clock that counts epochs"):
        trainer.train()
    assert trainer.seen == []
