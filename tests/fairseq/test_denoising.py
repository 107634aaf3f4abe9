"""maskplug_denoising: sources and targets are the core's, in one language or several."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fairseq.data import Dictionary
from fairseq.sequence_generator import SequenceGenerator

import maskplug
from maskplug.errors import OptionError
from maskplug.parts import Selector
from maskplug.selectors import Exact
from maskplug.tokens import Selection
from support import fairseq_runs
from support.fairseq_data import BOS, EOS, LENGTH, LINES, Doubled, Text, cut, mask_rows
from support.fairseq_runs import (
    DELETE,
    DELETED,
    QUICK,
    Batch,
    Run,
    assert_resumed,
    generate,
    interact,
    rows_by_id,
    validate,
)

TASK = "maskplug_denoising"
ROWS = ("--tokens-per-sample", str(LENGTH), "--criterion", "label_smoothed_cross_entropy")
LINE_ROWS = (*ROWS, "--sample-break-mode", "eos")
TWO = ("--langs", "de,en", "--add-lang-token")
MARKS = {"de": "[de]", "en": "[en]"}
CHOSEN = {"selector": {"name": "spans", "rate": 0.3}, "replacement": "delete", "target": "chosen"}
#: Strategies with targets, and the sentinels that they need.
STRATEGIES: dict[str, tuple[str, dict[str, Any], int]] = {
    "deletion, original": ("compose", DELETED, 0),
    "deletion, chosen": ("compose", CHOSEN, 0),
    "bart": ("bart", {"rate": 0.3, "rotate": 0.5}, 0),
    "t5": ("t5", {"rate": 0.3}, 40),
    "gap_sentences": ("gap_sentences", {"rate": 0.5, "choose": "random"}, 0),
    "deshuffle": ("deshuffle", {}, 0),
    "prefix_lm": ("prefix_lm", {}, 0),
}
train = partial(fairseq_runs.train, task=TASK)
task_of = partial(fairseq_runs.task_of, task=TASK)


@dataclass(frozen=True)
class Expected:
    """The unmasked rows of a split with their keys, and the decoder's first tokens."""

    rows: list[list[int]]
    keys: list[int]
    first_tokens: list[int]
    dictionary: Dictionary
    annotations: dict[str, list[list[bool]]] = field(default_factory=dict)


def expected_rows(
    text: Text, mode: str, split: str = "train", marked: bool = True, sentinels: int = 0
) -> Expected:
    """Return the rows of both languages with their symbols, or of the text without languages."""
    symbols = [f"<extra_id_{i}>" for i in range(sentinels)]
    marks = list(MARKS.values()) if marked else []
    words = text.dictionary(*marks, "<mask>", *symbols)
    rows, keys, first_tokens, starts = [], [], [], []
    for language in MARKS if marked else ["de"]:
        end = [EOS, words.index(MARKS[language])] if marked else [EOS]
        lines = text.lines(split, language)
        cut_rows = cut(lines, mode, LENGTH - 1 - len(end))
        line_starts = [[i == 0 for i in range(len(line))] for line in lines]
        for row in cut(line_starts, mode, LENGTH - 1 - len(end)):
            starts.append([False, *row, *(False for _ in end)])
        numbers = np.arange(len(cut_rows), dtype=np.uint64)
        rows += [[BOS, *row, *end] for row in cut_rows]
        keys += (maskplug.derive(numbers, language) if marked else numbers).tolist()
        first_tokens += [end[-1]] * len(cut_rows)
    annotations = {} if mode == "eos" else {"sentence_starts": starts}
    return Expected(rows, keys, first_tokens, words, annotations)


def assert_batches(
    batches: list[Batch], expected: Expected, epoch: int, name: str = "deletion, original"
) -> None:
    """Check an epoch, counted from 1, against the core."""
    rows, keys, words = expected.rows, expected.keys, expected.dictionary
    masked = mask_rows(rows, words, keys, epoch - 1, STRATEGIES[name][:2], **expected.annotations)
    targets = masked.targets.to_lists()
    shifted = zip(expected.first_tokens, targets, strict=True)
    assert rows_by_id(batches) == dict(enumerate(masked.inputs.to_lists()))
    assert rows_by_id(batches, "target") == dict(enumerate(targets))
    decoder_inputs = {i: [first, *row[:-1]] for i, (first, row) in enumerate(shifted)}
    assert rows_by_id(batches, "prev_output_tokens") == decoder_inputs
    for batch in batches:
        sample = batch.sample
        lengths = sample["net_input"]["src_lengths"].tolist()
        assert lengths == sorted(lengths, reverse=True)
        assert lengths == sample["net_input"]["src_tokens"].ne(1).sum(1).tolist()
        assert sample["nsentences"] == len(lengths)
        assert sample["ntokens"] == sample["target"].ne(1).sum()


@pytest.fixture(scope="module")
def bilingual(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs of two languages with two workers; a checkpoint every 4 updates."""
    flags = (*TWO, *DELETE, "--num-workers", "2", "--save-interval-updates", "4")
    return train(text, tmp_path_factory.mktemp("bilingual"), *LINE_ROWS, *flags)


def test_two_languages_with_two_workers(text: Text, bilingual: Run) -> None:
    expected = expected_rows(text, "eos")
    assert len(set(expected.keys)) == len(expected.rows) == 2 * (LINES["train"] + 1)
    first, second = bilingual.rows(1), bilingual.rows(2)
    assert sum(first[i] != second[i] for i in first) > 0.9 * len(first)
    for epoch in (1, 2):
        assert_batches(bilingual.epoch(epoch), expected, epoch)


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize(
    ("mode", "workers"), [("complete", "0"), pytest.param("none", "1", marks=pytest.mark.slow)]
)
def test_one_language(text: Text, tmp_path: Path, name: str, mode: str, workers: str) -> None:
    plugin, options, sentinels = STRATEGIES[name]
    masking = ["--masking-plugin", plugin, "--masking-args", json.dumps(options)]
    flags = [*masking, "--masking-sentinels", str(sentinels), "--sample-break-mode", mode]
    run = train(text, tmp_path, *ROWS, *flags, "--num-workers", workers, *QUICK)
    expected = expected_rows(text, mode, marked=False, sentinels=sentinels)
    for epoch in (1, 2):
        assert_batches(run.epoch(epoch), expected, epoch, name)


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_resume_in_the_middle_of_an_epoch(
    text: Text, bilingual: Run, tmp_path: Path, workers: str
) -> None:
    shutil.copy(bilingual.folder / "checkpoint_1_8.pt", tmp_path / "checkpoint_last.pt")
    flags = [*TWO, *DELETE, "--num-workers", workers, "--disable-validation"]
    assert_resumed(train(text, tmp_path, *LINE_ROWS, *flags), bilingual, 8)


def test_validation_has_the_same_masks_in_every_epoch(text: Text, bilingual: Run) -> None:
    expected = expected_rows(text, "eos", "valid")
    batches = -(-len(expected.rows) // 4)
    for epoch in (1, 2):
        last = [batch for batch in bilingual.valid_batches if batch.epoch == epoch][-batches:]
        assert_batches(last, expected, epoch=1)
    run = validate(text, bilingual.folder, TASK)
    assert_batches(run.valid_batches, expected, epoch=1)


def generate_lines(text: Text, folder: Path, out: Path, *flags: str) -> dict[str, dict[int, str]]:
    return generate(text, folder, TASK, out, "--sample-break-mode", "eos", *flags)


def test_generate_from_unmasked_text(
    text: Text, bilingual: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_by_first_token: dict[int, int] = {}
    run = SequenceGenerator.generate

    def recorded(self: Any, models: Any, sample: Any, **kwargs: Any) -> Any:
        first = kwargs["bos_token"]
        for row in sample["net_input"]["src_tokens"].tolist():
            assert [x for x in row if x != 1][-1] == first
            rows_by_first_token[first] = rows_by_first_token.get(first, 0) + 1
        return run(self, models, sample, **kwargs)

    monkeypatch.setattr(SequenceGenerator, "generate", recorded)
    output = generate_lines(text, bilingual.folder, tmp_path, "--langs", "de,en")
    expected = expected_rows(text, "eos", "test")
    words = expected.dictionary
    lines = [words.string(row, extra_symbols_to_ignore={EOS}) for row in expected.rows]
    assert output["S"] == output["T"] == dict(enumerate(lines))
    assert len(output["H"]) == len(lines)
    size = LINES["test"] + 1
    assert rows_by_first_token == {words.index("[de]"): size, words.index("[en]"): size}


def test_generate_from_masked_text(text: Text, bilingual: Run, tmp_path: Path) -> None:
    flags = ["--langs", "en", *DELETE, "--masking-seed", "7"]
    output = generate_lines(text, bilingual.folder, tmp_path, *flags)
    expected = expected_rows(text, "eos", "test")
    half, words = len(expected.rows) // 2, expected.dictionary
    rows, keys = expected.rows[half:], expected.keys[half:]
    masked = mask_rows(rows, words, keys, 0, ("compose", DELETED)).inputs.to_lists()
    lines = [words.string(row, extra_symbols_to_ignore={EOS}) for row in masked]
    assert output["S"] == dict(enumerate(lines))


@pytest.mark.parametrize("flags", [[], DELETE])
def test_interactive_reads_unmasked_text(text: Text, bilingual: Run, flags: list[str]) -> None:
    langs = ("--langs", "en", "--add-lang-token")
    typed = "▁w1 e1 ▁w2\n▁w3\n"
    output = interact(text, bilingual.folder, TASK, typed, *langs, *flags)
    assert output["S"] == {0: "▁w1 e1 ▁w2 [en]", 1: "▁w3 [en]"}
    assert len(output["H"]) == 2


def test_resampling_of_languages(text: Text, tmp_path: Path) -> None:
    for name, split in (("de", "valid"), ("en", "train")):
        (tmp_path / name).mkdir()
        for end in ("bin", "idx"):
            shutil.copy(f"{text.data}/{name}/{split}.{end}", tmp_path / name / f"train.{end}")
    shutil.copy(f"{text.data}/dict.txt", tmp_path)
    task = task_of(text, *LINE_ROWS, *TWO, *DELETE, "--multilang-sampling-alpha", "0.5")
    task.cfg.data = str(tmp_path)
    task.load_dataset("train")
    dataset = task.dataset("train")
    german, english = LINES["valid"] + 1, LINES["train"] + 1
    total = german + english
    share = german**0.5 / (german**0.5 + english**0.5)
    counts = [int(np.ceil(total * x)) for x in (share, 1 - share)]
    epochs = []
    for epoch in (1, 2):
        iterator = task.get_batch_iterator(dataset, max_sentences=4, epoch=epoch)
        ids = np.concatenate([batch["id"].numpy() for batch in iterator.next_epoch_itr()])
        rows = ids % total
        assert [int((rows < german).sum()), int((rows >= german).sum())] == counts
        keys = dataset.__getitems__(ids).keys
        assert len(np.unique(ids)) == len(np.unique(keys)) == len(ids)
        times = np.bincount(rows, minlength=total)
        for part, count in ((times[:german], counts[0]), (times[german:], counts[1])):
            assert part.max() - part.min() <= 1
            assert part.sum() == count
        epochs.append(sorted(ids.tolist()))
    assert epochs[0] != epochs[1]
    task.cfg.masking_args = json.dumps({**DELETED, "clock": "step"})
    del task.__dict__["masking_strategy"]
    with pytest.raises(OptionError, match=r"Step\(\).*--multilang-sampling-alpha"):
        task.load_dataset("train")


def train_split_with(text: Text, mode: str, *parts: Any) -> tuple[Any, Any]:
    """Return a task with a strategy of these parts, and its training split."""
    task = task_of(text, *ROWS, *DELETE, "--sample-break-mode", mode)
    task.__dict__["masking_strategy"] = maskplug.compose(*parts)
    task.load_dataset("train")
    return task, task.dataset("train")


def test_batches_have_room_for_sources_that_grow(text: Text) -> None:
    task, dataset = train_split_with(text, "eos", Exact(1.0), Doubled(), "original")
    limit, longest = 250, 80
    iterator = task.get_batch_iterator(
        dataset, max_tokens=limit, max_positions=(longest, 1024), ignore_invalid_inputs=True
    )
    batches = list(iterator.next_epoch_itr())
    ids = {int(i) for batch in batches for i in batch["id"]}
    assert 0 < len(ids) < len(dataset)
    assert ids == {i for i in range(len(dataset)) if 2 * dataset.sizes[i] <= longest}
    for batch in batches:
        sources = batch["net_input"]["src_tokens"]
        assert 1.5 * dataset.sizes[batch["id"].numpy()].max() < sources.shape[1] <= longest
        assert sources.numel() <= limit
        assert batch["target"].numel() <= limit


def test_checkpoints_restore_sentinels_and_language_symbols(text: Text, tmp_path: Path) -> None:
    flags = [*TWO, *DELETE, "--masking-sentinels", "3"]
    run = train(text, tmp_path, *LINE_ROWS, *flags, max_epoch=1)
    size = len(text.dictionary())
    vocab = run.task.masking_vocabularies["source"]
    assert vocab.sentinel_ids.tolist() == [size + 3, size + 4, size + 5]
    assert (vocab.named["[de]"], vocab.named["[en]"], vocab.mask_id) == (size, size + 1, size + 2)
    # without the options
    assert len(generate_lines(text, tmp_path, tmp_path, "--langs", "en")["H"]) == LINES["test"] + 1


@dataclass(frozen=True)
class FirstTokens(Selector):
    """Select the first token of every sentence."""

    def select(self, tokens: Any, vocab: Any, rng: Any) -> Selection:
        return Selection.from_mask(vocab.sentence_starts(tokens) & vocab.maskable(tokens), tokens)


def test_sentences_start_where_lines_start(text: Text) -> None:
    _, dataset = train_split_with(text, "complete", FirstTokens(), "delete", "original")
    batches = [Batch(1, 0, dataset.collater([dataset[i]])) for i in range(len(dataset))]
    inputs = rows_by_id(batches)
    tokens = [x for i in range(len(dataset)) for x in inputs[i][1:-1]]
    assert tokens == [x for line in text.lines("train") for x in line[1:]]
