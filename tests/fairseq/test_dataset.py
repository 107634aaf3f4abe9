"""Masked pairs: times of rows, everything that is forwarded, sizes, and compiled kernels."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.data import BaseWrapperDataset
from fairseq.tasks.translation import TranslationTask

import maskplug
from maskplug import compose
from maskplug.errors import OptionError
from maskplug.schedule import progress_at
from maskplug.selectors import Exact
from maskplug_fairseq.dataset import split_times
from maskplug_fairseq.step_schedule import StepSchedule, TimedBatch, TimedIndex, attach_times
from maskplug_fairseq.translation import realign
from support import compiling, fairseq_runs
from support.fairseq_data import SIZES, Corpus, Doubled
from support.fairseq_runs import DELETE, DELETED, Batch, stop_workers, task_of, train_split

KEYS = range(SIZES["train"])


def sources(batch: dict[str, Any]) -> dict[int, list[int]]:
    return Batch(0, 0, batch).rows("src_tokens")


def collate(dataset: Any, *indices: Any) -> dict[str, Any]:
    return dataset.collater([dataset[i] for i in indices])  # type: ignore[no-any-return]


def test_items_are_not_changed(corpus: Corpus) -> None:
    dataset = train_split(corpus, "--masking-side", "both")
    items = [dataset.dataset[i] for i in range(8)]
    before = copy.deepcopy(items)
    timed = [{**item, "time": (0, 0)} for item in items]
    dataset.collater(timed)
    for old, item, wrapped in zip(before, items, timed, strict=True):
        assert set(item) == set(old)
        assert set(wrapped) == {*old, "time"}
        for name in ("source", "target"):
            assert torch.equal(old[name], item[name])
            assert wrapped[name] is item[name]


def test_a_batch_may_have_several_times(corpus: Corpus) -> None:
    dataset = train_split(corpus)
    batch = collate(dataset, TimedIndex(3, 0, 0), TimedIndex(5, 4, 0))
    rows = corpus.expected("source", 0), corpus.expected("source", 4)
    assert sources(batch) == {3: rows[0][3], 5: rows[1][5]}


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_set_epoch_reaches_running_workers(corpus: Corpus, method: str) -> None:
    dataset = train_split(corpus)
    loader = torch.utils.data.DataLoader(
        dataset,
        batch_sampler=[list(range(8)), list(range(8, 16))],
        collate_fn=dataset.collater,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context=method,
    )
    for epoch in (1, 2, 9):
        dataset.set_epoch(epoch)
        rows = {k: v for batch in loader for k, v in sources(batch).items()}
        expected = corpus.expected("source", epoch - 1)
        assert rows == {i: expected[i] for i in range(16)}
        assert sources(collate(dataset, 3)) == {3: expected[3]}


def test_workers_do_not_read_the_epoch_of_the_main_process(corpus: Corpus) -> None:
    task = task_of(corpus)
    task.load_dataset("train")
    dataset = task.dataset("train")
    iterator = task.get_batch_iterator(dataset, max_sentences=4, num_workers=1)
    batches = iterator.next_epoch_itr()
    rows = sources(next(batches))
    dataset.set_epoch(50)  # most batches are not loaded yet
    for batch in batches:
        rows.update(sources(batch))
    assert rows == corpus.expected("source", 0)
    stop_workers(task)


def test_shards_of_a_distributed_run(corpus: Corpus) -> None:
    task = task_of(corpus)
    task.load_dataset("train")
    rows: dict[int, list[int]] = {}
    for shard in range(3):  # 16 batches: the last shard gets an empty one
        iterator = task.get_batch_iterator(
            task.dataset("train"),
            max_sentences=4,
            num_shards=3,
            shard_id=shard,
            epoch=2,
            disable_iterator_cache=True,
        )
        for batch in iterator.next_epoch_itr():
            rows.update(sources(batch) if batch else {})
    assert rows == corpus.expected("source", 1)


def test_everything_else_is_forwarded(corpus: Corpus) -> None:
    task = task_of(corpus)
    TranslationTask.load_dataset(task, "train")
    plain = task.dataset("train")
    task.load_dataset("train")
    masked = task.dataset("train")
    assert len(masked) == len(plain) == SIZES["train"]
    numbers = np.arange(SIZES["train"])
    sizes = []
    for dataset in (masked, plain):
        fitting = [list(part) for part in dataset.filter_indices_by_size(numbers, (40, 40))]
        assert fitting[1]
        sizes.append([
            dataset.sizes.tolist(), dataset.src_sizes.tolist(), fitting,
            [(dataset.size(i), dataset.num_tokens(i)) for i in KEYS],
            dataset.num_tokens_vec(numbers).tolist(), sorted(dataset.ordered_indices()),
            [batch.tolist() for batch in dataset.batch_by_size(numbers[:20], max_tokens=100)],
        ])  # fmt: skip
    assert sizes[0] == sizes[1]
    assert masked.get_batch_shapes() is None
    assert masked.supports_prefetch == plain.supports_prefetch
    assert masked.left_pad_source is True
    assert (masked.src_dict, masked.tgt_dict) == (task.src_dict, task.tgt_dict)
    assert isinstance(masked, BaseWrapperDataset)
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = masked.no_such_thing


@pytest.mark.parametrize("left", [True, False])
def test_pad_to_length_pads_both_sides(corpus: Corpus, left: bool) -> None:
    flags = ["--left-pad-target"] if left else []
    dataset = train_split(corpus, "--masking-side", "both", *flags)
    items = [dataset[i] for i in range(4)]
    batch = dataset.collater(items, pad_to_length={"source": 90, "target": 95})
    decoder_inputs = batch["net_input"]["prev_output_tokens"]
    assert batch["net_input"]["src_tokens"].shape == (4, 90)
    assert batch["target"].shape == decoder_inputs.shape == (4, 95)
    padding = batch["target"].eq(1)
    assert torch.equal(padding, decoder_inputs.eq(1))
    assert padding[:, 0 if left else -1].all()


def test_an_empty_batch(corpus: Corpus) -> None:
    assert train_split(corpus, "--masking-side", "both").collater([]) == {}


def test_pickled_datasets_make_the_same_masks(corpus: Corpus) -> None:
    dataset = train_split(corpus)
    indices = [TimedIndex(i, 3, 0) for i in range(4)]
    expected = corpus.expected("source", 3)
    for each in (dataset, pickle.loads(pickle.dumps(dataset))):
        assert sources(collate(each, *indices)) == {i: expected[i] for i in range(4)}


def test_decoder_inputs_keep_their_length(corpus: Corpus) -> None:
    dataset = train_split(corpus, "--masking-side", "target", *DELETE)
    with pytest.raises(OptionError, match="--masking-side source"):
        collate(dataset, 0)


def test_timed_batches_pickle_in_few_bytes() -> None:
    batch = TimedBatch(np.arange(1000), 3, 17)
    assert list(batch)[7] == TimedIndex(7, 3, 17)
    assert len(batch) == 1000
    assert len(pickle.dumps(batch)) < 9000


def test_splits_that_are_not_trained_on_are_unmasked(corpus: Corpus) -> None:
    task = task_of(corpus, "--masking-side", "both")
    for split, more in (("valid", {}), ("test", {}), ("train", {"task_cfg": task.cfg})):
        task.load_dataset(split, **more)
        dataset = task.dataset(split)
        batch = collate(dataset, *range(len(dataset)))
        assert sources(batch) == dict(enumerate(corpus.rows("source", split)))


def test_several_training_files_in_one_folder(corpus: Corpus, tmp_path: Path) -> None:
    for file in Path(corpus.data).iterdir():
        (tmp_path / file.name).symlink_to(file)
        if file.name.startswith("train.de-en"):
            (tmp_path / file.name.replace("train.", "train1.")).symlink_to(file)
    task = task_of(corpus, "--upsample-primary", "1")  # fairseq's default, -1, fails
    task.cfg.data = str(tmp_path)
    task.load_dataset("train", combine=True)
    dataset = task.dataset("train")
    assert len(dataset) == 2 * SIZES["train"]
    first, again = (sources(collate(dataset, i))[i] for i in (0, SIZES["train"]))
    assert first == corpus.expected("source", 0)[0]
    assert first != again  # the same text in another row is another sample


def test_sources_get_shorter(corpus: Corpus) -> None:
    dataset = train_split(corpus, *DELETE)
    batch = collate(dataset, *(TimedIndex(i, 2, 0) for i in KEYS))
    assert sources(batch) == corpus.expected("source", 2, "compose", options=DELETED)
    lengths = batch["net_input"]["src_tokens"].ne(1).sum(1)
    assert batch["net_input"]["src_lengths"].tolist() == lengths.tolist()
    assert int(lengths.sum()) < dataset.src_sizes.sum()


def test_alignments_follow_their_source_tokens(corpus: Corpus) -> None:
    dataset = train_split(corpus, *DELETE)
    items = [dataset[TimedIndex(i, 0, 0)] for i in range(8)]
    for item in items:  # each source token is aligned with the target token of its number
        numbers = torch.arange(min(len(item["source"]), len(item["target"])) - 1)
        item["alignment"] = torch.stack((numbers, numbers), 1).flatten().int()
    masked, times = split_times(items)
    tokens = maskplug.TokenBatch.from_lists([i["source"].numpy() for i in masked], range(8))
    inputs = dataset.mask(tokens, times, dataset.source).inputs
    realign(masked, inputs)
    for old, item, row in zip(items, masked, inputs, strict=True):
        pairs = item["alignment"].view(-1, 2).tolist()
        assert 0 < len(pairs) < len(old["alignment"]) / 2
        assert [int(row[s]) for s, _ in pairs] == [int(old["source"][t]) for _, t in pairs]
        assert item["alignment"].dtype == torch.int32
        targets = [t for _, t in pairs]
        assert targets == sorted(set(targets))


def test_batches_have_room_for_sources_that_grow(corpus: Corpus) -> None:
    task = task_of(corpus)
    TranslationTask.load_dataset(task, "train")
    plain = task.dataset("train")
    task.__dict__["masking_strategy"] = compose(Exact(1.0), Doubled(), "original")
    task.load_dataset("train")
    dataset = task.dataset("train")
    assert np.array_equal(dataset.sizes, np.vstack((plain.src_sizes * 2, plain.tgt_sizes)).T)
    assert dataset.size(3) == (2 * plain.src_sizes[3], plain.tgt_sizes[3])
    iterator = task.get_batch_iterator(
        dataset, max_tokens=250, max_positions=(120, 1024), ignore_invalid_inputs=True
    )
    batches = list(iterator.next_epoch_itr())
    ids = {int(i) for batch in batches for i in batch["id"]}
    assert ids == {i for i in KEYS if 2 * plain.src_sizes[i] <= 120}
    assert 0 < len(ids) < len(KEYS)
    for batch in batches:
        for table in (batch["net_input"]["src_tokens"], batch["target"]):
            assert table.numel() <= 250


@pytest.mark.parametrize(
    ("frequency", "skip", "batches", "epoch", "steps"),
    [
        ([1], False, 3, 0, [0, 1, 2]),
        ([1], False, 3, 2, [6, 7, 8]),
        ([2], False, 5, 1, [3, 3, 4, 4, 5]),
        ([3, 1], False, 4, 2, [6, 7, 8, 9]),
        ([2], True, 5, 1, [2, 2, 3, 3, 4]),  # the trainer skips the last batch
    ],
)
def test_steps_of_batches(
    frequency: list[int], skip: bool, batches: int, epoch: int, steps: list[int]
) -> None:
    timed = StepSchedule(frequency, skip).timed([[i] for i in range(batches)], epoch)
    assert [list(batch) for batch in timed] == [
        [TimedIndex(i, epoch, step)] for i, step in enumerate(steps)
    ]


def test_attach_times_changes_an_iterator_once() -> None:
    iterator = type("Iterator", (), {"ordered_batches": lambda self, *_: [[4, 5]]})()
    for _ in range(2):
        attach_times(iterator, StepSchedule())
    batches = iterator.ordered_batches(3, False, True)
    assert [list(batch) for batch in batches] == [[TimedIndex(4, 2, 2), TimedIndex(5, 2, 2)]]


def test_progress_is_exact_at_both_ends() -> None:
    for last in (2, 3, 7, 50):
        assert progress_at(0, last) == 0.0
        assert progress_at(last - 1, last) == progress_at(last + 4, last) == 1.0
    assert progress_at(0, 1) == progress_at(3, 0) == 0.0


# --- kernels -------------------------------------------------------------------------------------


@pytest.mark.slow  # compiles all kernels anew
def test_workers_compile_nothing(tmp_path: Path) -> None:
    script = Path(fairseq_runs.__file__).with_name("fairseq_workers.py")
    result = compiling.run(str(script), cache=tmp_path)
    for method in ("fork", "spawn"):
        assert len(result[method]["processes"]) == 2, method
        assert result[method]["compiled"] == [], method
    assert result["kept"] > 10
    assert result["added"] == []


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--masking-side", "both"),
        ("--masking-plugin", "whole_word"),
        ("--masking-plugin", "mixture", "--masking-args", '{"strategies": ["dynamic", "span"]}'),
        DELETE,
    ],
    ids=["dynamic", "both sides", "words", "mixture", "deletion"],
)
def test_batches_need_no_further_kernels(corpus: Corpus, flags: list[str]) -> None:
    compiling.forget()
    task = task_of(corpus, *flags)
    with compiling.no_kernel_needed():
        task.load_dataset("train")
        dataset = task.dataset("train")
        dataset.collater([dataset[i] for i in range(32)])
