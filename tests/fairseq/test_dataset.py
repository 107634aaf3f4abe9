from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.data import BaseWrapperDataset
from fairseq.tasks.translation import TranslationTask

from maskplug import Ragged, compose
from maskplug.errors import OptionError
from maskplug.parts import Replacement
from maskplug_fairseq.dataset import split_moments
from maskplug_fairseq.epoch import Sample, TimedBatch
from maskplug_fairseq.pairs import realign
from support.fairseq_runs import DELETE, DELETED, SIZES, Corpus, stop_workers, task_of

KEYS = range(SIZES["train"])


def loaded(corpus: Corpus, *flags: str) -> Any:
    task = task_of(corpus, *flags)
    task.load_dataset("train")
    return task.dataset("train")


def sources(batch: dict[str, Any]) -> dict[int, list[int]]:
    rows = batch["net_input"]["src_tokens"].tolist()
    return {int(i): [x for x in r if x != 1] for i, r in zip(batch["id"], rows, strict=True)}


def test_items_and_their_storage_are_left_alone(corpus: Corpus) -> None:
    dataset = loaded(corpus, "--masking-side", "both")
    items = [dataset.dataset[i] for i in range(8)]
    before = copy.deepcopy(items)
    given = [{**item, "moment": (0, 0)} for item in items]
    dataset.collater(given)
    for was, item, wrapped in zip(before, items, given, strict=True):
        assert set(item) == set(was)
        assert set(wrapped) == {*was, "moment"}
        for name in ("source", "target"):
            assert torch.equal(was[name], item[name])
            assert wrapped[name] is item[name]


def test_a_batch_may_mix_times(corpus: Corpus) -> None:
    dataset = loaded(corpus)
    batch = dataset.collater([dataset[Sample(3, 0, 0)], dataset[Sample(5, 4, 0)]])
    wanted = {3: corpus.expected("source", 0)[3], 5: corpus.expected("source", 4)[5]}
    assert sources(batch) == wanted


def test_set_epoch_serves_rows_loaded_by_number(corpus: Corpus) -> None:
    dataset = loaded(corpus)
    for epoch in (1, 2, 9):
        dataset.set_epoch(epoch)
        batch = dataset.collater([dataset[i] for i in range(4)])
        assert sources(batch) == dict(enumerate(corpus.expected("source", epoch - 1)[:4]))


def test_set_epoch_reaches_running_workers(corpus: Corpus) -> None:
    dataset = loaded(corpus)
    loader = torch.utils.data.DataLoader(
        dataset,
        batch_sampler=[list(range(8)), list(range(8, 16))],
        collate_fn=dataset.collater,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context="spawn",
    )
    for epoch in (1, 2):
        dataset.set_epoch(epoch)
        found = {k: v for batch in loader for k, v in sources(batch).items()}
        assert found == dict(enumerate(corpus.expected("source", epoch - 1)[:16]))


def test_time_is_carried_and_not_read_from_the_main_process(corpus: Corpus) -> None:
    task = task_of(corpus)
    task.load_dataset("train")
    dataset = task.dataset("train")
    iterator = task.get_batch_iterator(dataset, max_sentences=4, num_workers=1)
    batches = iterator.next_epoch_itr()
    found = sources(next(batches))
    dataset.set_epoch(50)  # the worker runs ahead, and most batches are still to be made
    for batch in batches:
        found.update(sources(batch))
    assert found == dict(enumerate(corpus.expected("source", 0)))
    stop_workers(task)


def test_shards_together_see_what_one_process_sees(corpus: Corpus) -> None:
    found: dict[int, list[int]] = {}
    for shard in range(3):  # 16 batches: the last shard gets an empty one
        task = task_of(corpus)
        task.load_dataset("train")
        iterator = task.get_batch_iterator(
            task.dataset("train"), max_sentences=4, num_shards=3, shard_id=shard, epoch=2
        )
        for batch in iterator.next_epoch_itr():
            found.update(sources(batch) if batch else {})
    assert found == dict(enumerate(corpus.expected("source", 1)))


def test_everything_else_is_the_wrapped_dataset_s(corpus: Corpus) -> None:
    task = task_of(corpus)
    TranslationTask.load_dataset(task, "train")
    plain = task.dataset("train")
    task.load_dataset("train")
    ours = task.dataset("train")
    assert len(ours) == len(plain) == SIZES["train"]
    assert np.array_equal(ours.sizes, plain.sizes)
    assert np.array_equal(ours.src_sizes, plain.src_sizes)
    assert [ours.size(i) for i in KEYS] == [plain.size(i) for i in KEYS]
    assert [ours.num_tokens(i) for i in KEYS] == [plain.num_tokens(i) for i in KEYS]
    assert np.array_equal(ours.num_tokens_vec(np.arange(9)), plain.num_tokens_vec(np.arange(9)))
    assert sorted(ours.ordered_indices()) == sorted(plain.ordered_indices())
    kept, dropped = ours.filter_indices_by_size(np.arange(len(ours)), (40, 40))
    assert (kept.tolist(), dropped) == (
        (other := plain.filter_indices_by_size(np.arange(len(plain)), (40, 40)))[0].tolist(),
        other[1],
    )
    assert dropped
    batches = ours.batch_by_size(np.arange(20), max_tokens=100)
    assert [b.tolist() for b in batches] == [
        b.tolist() for b in plain.batch_by_size(np.arange(20), max_tokens=100)
    ]
    assert ours.get_batch_shapes() is None
    assert ours.supports_prefetch == plain.supports_prefetch
    assert ours.left_pad_source is True
    assert (ours.src_dict, ours.tgt_dict) == (task.src_dict, task.tgt_dict)
    assert isinstance(ours, BaseWrapperDataset)
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = ours.no_such_thing


@pytest.mark.parametrize("left", [True, False])
def test_pad_to_length_widens_both_sides(corpus: Corpus, left: bool) -> None:
    dataset = loaded(corpus, "--masking-side", "both", *(["--left-pad-target"] if left else []))
    batch = dataset.collater(
        [dataset[i] for i in range(4)], pad_to_length={"source": 90, "target": 95}
    )
    assert batch["net_input"]["src_tokens"].shape == (4, 90)
    assert batch["target"].shape == batch["net_input"]["prev_output_tokens"].shape == (4, 95)
    pads = [t.eq(1) for t in (batch["target"], batch["net_input"]["prev_output_tokens"])]
    assert torch.equal(*pads)
    assert pads[0][:, 0 if left else -1].all()


def test_an_empty_batch_stays_empty(corpus: Corpus) -> None:
    assert loaded(corpus, "--masking-side", "both").collater([]) == {}


def test_it_pickles_with_its_masks(corpus: Corpus) -> None:
    dataset = loaded(corpus)
    again = pickle.loads(pickle.dumps(dataset))
    items = [Sample(i, 3, 0) for i in range(4)]
    one, two = (sources(d.collater([d[i] for i in items])) for d in (dataset, again))
    assert one == two == dict(enumerate(corpus.expected("source", 3)[:4]))


def test_a_decoder_input_of_another_length_is_refused(corpus: Corpus) -> None:
    dataset = loaded(corpus, "--masking-side", "target", *DELETE)
    with pytest.raises(OptionError, match="--masking-side source"):
        dataset.collater([dataset[0]])


def test_a_timed_batch_is_small_to_send() -> None:
    batch = TimedBatch(np.arange(1000), 3, 17)
    assert list(batch)[7] == Sample(7, 3, 17)
    assert len(batch) == 1000
    assert len(pickle.dumps(batch)) < 9000


@pytest.mark.parametrize("split", ["valid", "test"])
def test_other_splits_are_clean(corpus: Corpus, split: str) -> None:
    task = task_of(corpus, "--masking-side", "both")
    task.load_dataset(split)
    dataset = task.dataset(split)
    batch = dataset.collater([dataset[i] for i in range(len(dataset))])
    assert sources(batch) == dict(enumerate(corpus.rows("source", split)))


def test_a_train_split_loaded_for_generation_is_clean(corpus: Corpus) -> None:
    task = task_of(corpus)
    task.load_dataset("train", task_cfg=task.cfg)
    dataset = task.dataset("train")
    batch = dataset.collater([dataset[i] for i in range(4)])
    assert sources(batch) == dict(enumerate(corpus.rows("source")[:4]))


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
    first, again = (sources(dataset.collater([dataset[i]]))[i] for i in (0, SIZES["train"]))
    assert first == corpus.expected("source", 0)[0]
    assert first != again  # the same text in another row is another sample


def test_deleted_sources_are_shorter(corpus: Corpus) -> None:
    dataset = loaded(corpus, *DELETE)
    batch = dataset.collater([dataset[Sample(i, 2, 0)] for i in KEYS])
    wanted = corpus.expected("source", 2, "compose", options=DELETED)
    assert sources(batch) == dict(enumerate(wanted))
    lengths = batch["net_input"]["src_tokens"].ne(1).sum(1)
    assert batch["net_input"]["src_lengths"].tolist() == lengths.tolist()
    assert int(lengths.sum()) < dataset.src_sizes.sum()


def test_alignments_follow_their_source_tokens(corpus: Corpus) -> None:
    dataset = loaded(corpus, *DELETE)
    items = [dataset[Sample(i, 0, 0)] for i in range(8)]
    for item in items:  # each source token with the target token of its number
        both = torch.arange(min(len(item["source"]), len(item["target"])) - 1)
        item["alignment"] = torch.stack((both, both), 1).flatten().int()
    masked, moments = split_moments(items)
    made = dataset.mask([i["source"] for i in masked], np.arange(8), moments, dataset.source).inputs
    realign(masked, made)
    for was, item, row in zip(items, masked, made, strict=True):
        pairs = item["alignment"].view(-1, 2).tolist()
        assert 0 < len(pairs) < len(was["alignment"]) / 2
        assert [int(row[s]) for s, _ in pairs] == [int(was["source"][t]) for _, t in pairs]
        assert item["alignment"].dtype == torch.int32
        kept = [t for _, t in pairs]
        assert kept == sorted(set(kept))


@dataclass(frozen=True)
class Doubled(Replacement):
    """Every token twice: sources that grow."""

    def replace(self, tokens: Any, selection: Any, vocab: Any, rng: Any) -> Ragged:
        return Ragged(np.repeat(tokens.ids, 2), tokens.offsets * 2)

    def bound(self, lengths: Any, most: Any) -> Any:
        return lengths * 2


def test_batches_hold_sources_that_grow(corpus: Corpus) -> None:
    task = task_of(corpus)
    TranslationTask.load_dataset(task, "train")
    plain = task.dataset("train")
    task.__dict__["masking_strategy"] = compose("exact", Doubled(), "original")
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
