"""maskplug_denoising: sources and targets are the core's, in one language or in several."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fairseq import options
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.sequence_generator import SequenceGenerator
from fairseq_cli import generate, interactive

import maskplug
from maskplug.errors import MaskplugError, OptionError
from maskplug.parts import Replacement, Selector
from maskplug.selectors import Exact
from maskplug.tokens import Selection
from support.fairseq_runs import DELETED, QUICK, USER_DIR, Fed, Run
from support.texts import (
    BOS,
    EOS,
    LANGUAGES,
    LENGTH,
    LINES,
    Text,
    blocks,
    found,
    masked,
    task_of,
    train,
    validated,
    weights,
)

TASK = "maskplug_denoising"
CUT = ("--tokens-per-sample", str(LENGTH), "--criterion", "label_smoothed_cross_entropy")
TWO = ("--langs", "de,en", "--add-lang-token")
MARKS = {"de": "[de]", "en": "[en]"}
CHOSEN = {"selector": {"name": "spans", "rate": 0.3}, "replacement": "delete", "target": "chosen"}
#: Strategies with targets by name, and how many sentinels they want.
STRATEGIES: dict[str, tuple[str, dict[str, Any], int]] = {
    "deletion, original": ("compose", DELETED, 0),
    "deletion, chosen": ("compose", CHOSEN, 0),
    "bart": ("bart", {"rate": 0.3, "rotate": 0.5}, 0),
    "t5": ("t5", {"rate": 0.3}, 40),
    "gap_sentences": ("gap_sentences", {"rate": 0.5, "choose": "random"}, 0),
    "deshuffle": ("deshuffle", {}, 0),
    "prefix_lm": ("prefix_lm", {}, 0),
}


def flags_of(name: str) -> list[str]:
    plugin, given, sentinels = STRATEGIES[name]
    flags = ["--masking-plugin", plugin, "--masking-args", json.dumps(given)]
    return [*flags, "--masking-sentinels", str(sentinels)]


@dataclass(frozen=True)
class Given:
    """The rows of a split: its sample ids, keys, and where the decoder begins."""

    rows: list[list[int]]
    keys: list[int]
    heads: list[int]
    dictionary: Dictionary
    layers: dict[str, list[list[bool]]] = field(default_factory=dict)


def given_by(
    text: Text, mode: str, split: str = "train", marked: bool = True, sentinels: int = 0
) -> Given:
    """Two languages with their symbols, or the one text of the folder itself."""
    extra = [f"<extra_id_{i}>" for i in range(sentinels)]
    marks = list(MARKS.values()) if marked else []
    dictionary = text.dictionary(*marks, "<mask>", *extra)
    rows, keys, heads, starts = [], [], [], []
    for language in LANGUAGES if marked else ["de"]:
        end = [EOS, dictionary.index(MARKS[language])] if marked else [EOS]
        lines = text.lines(split, language)
        cut = blocks(lines, mode, LENGTH - 1 - len(end))
        firsts = [[i == 0 for i in range(len(line))] for line in lines]
        firsts = blocks(firsts, mode, LENGTH - 1 - len(end))
        starts += [[False, *row, *(False for _ in end)] for row in firsts]
        numbers = np.arange(len(cut), dtype=np.uint64)
        rows += [[BOS, *row, *end] for row in cut]
        keys += (maskplug.derive(numbers, language) if marked else numbers).tolist()
        heads += [end[-1]] * len(cut)
    layers = {} if mode == "eos" else {"sentence_starts": starts}
    return Given(rows, keys, heads, dictionary, layers)


def assert_batches(
    batches: list[Any], given: Given, epoch: int, name: str = "deletion, original"
) -> None:
    """Every row of an epoch (from 1) once, as the core makes it."""
    spec = STRATEGIES[name][:2]
    wanted = masked(given.rows, given.dictionary, given.keys, epoch - 1, spec, **given.layers)
    targets = wanted.targets.to_lists()
    assert found(batches, "src_tokens") == dict(enumerate(wanted.inputs.to_lists()))
    assert found(batches, "target") == dict(enumerate(targets))
    shifted = {
        i: [head, *row[:-1]] for i, (head, row) in enumerate(zip(given.heads, targets, strict=True))
    }
    assert found(batches, "prev_output_tokens") == shifted
    for batch in batches:
        lengths = batch.sample["net_input"]["src_lengths"].tolist()
        assert lengths == sorted(lengths, reverse=True)
        assert lengths == batch.sample["net_input"]["src_tokens"].ne(1).sum(1).tolist()
        assert batch.sample["nsentences"] == len(lengths)
        assert batch.sample["ntokens"] == batch.sample["target"].ne(1).sum()


def epoch_of(run: Run, epoch: int) -> list[Any]:
    return [batch for batch in run.fed if batch.epoch == epoch]


@pytest.fixture(scope="module")
def bilingual(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs of two languages with two workers, and a checkpoint every 4 updates."""
    flags = (*TWO, *flags_of("deletion, original"), "--sample-break-mode", "eos")
    folder = tmp_path_factory.mktemp("bilingual")
    workers = ("--num-workers", "2", "--save-interval-updates", "4")
    return train(text, TASK, folder, *CUT, *flags, *workers)


def test_two_languages_with_two_workers(text: Text, bilingual: Run) -> None:
    given = given_by(text, "eos")
    assert len(set(given.keys)) == len(given.rows) == 2 * (LINES["train"] + 1)
    first, second = (found(epoch_of(bilingual, epoch), "src_tokens") for epoch in (1, 2))
    assert sum(first[i] != second[i] for i in first) > 0.9 * len(first)
    for epoch in (1, 2):
        assert_batches(epoch_of(bilingual, epoch), given, epoch)


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize(("mode", "workers"), [("none", "0"), ("complete", "1")])
def test_one_text(text: Text, tmp_path: Path, name: str, mode: str, workers: str) -> None:
    flags = [*flags_of(name), "--sample-break-mode", mode, "--num-workers", workers]
    run = train(text, TASK, tmp_path, *CUT, *flags, *QUICK, "--max-tokens", "300")
    given = given_by(text, mode, marked=False, sentinels=STRATEGIES[name][2])
    for epoch in (1, 2):
        assert_batches(epoch_of(run, epoch), given, epoch, name)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_resumed_in_the_middle_of_an_epoch(
    text: Text, bilingual: Run, tmp_path: Path, workers: str
) -> None:
    shutil.copy(bilingual.folder / "checkpoint_1_8.pt", tmp_path / "checkpoint_last.pt")
    flags = [*TWO, *flags_of("deletion, original"), "--sample-break-mode", "eos"]
    run = train(
        text, TASK, tmp_path, *CUT, *flags, "--num-workers", workers, "--disable-validation"
    )
    assert [batch.update for batch in run.fed] == [b.update for b in bilingual.fed[8:]]
    for now, then in zip(run.fed, bilingual.fed[8:], strict=True):
        for name in ("src_tokens", "target", "prev_output_tokens"):
            assert now.rows(name) == then.rows(name)
    whole = weights(bilingual.folder)
    assert all(torch.equal(value, whole[name]) for name, value in weights(tmp_path).items())


def test_validation_is_masked_once_and_for_all(text: Text, bilingual: Run) -> None:
    given = given_by(text, "eos", "valid")
    batches = -(-len(given.rows) // 4)
    for epoch in (1, 2):
        at_end = [batch for batch in bilingual.checked if batch.epoch == epoch][-batches:]
        assert_batches(at_end, given, epoch=1)
    assert_batches(validated(bilingual.folder, text.data, TASK).checked, given, epoch=1)


def generated(text: Text, folder: Path, out: Path, *flags: str) -> dict[str, dict[int, str]]:
    """fairseq-generate on the test set: sources, targets and hypotheses by sample id."""
    where = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    size = ["--batch-size", "5", "--required-batch-size-multiple", "1", "--num-workers", "0"]
    beam = ["--beam", "2", "--max-len-b", "5", "--results-path", str(out)]
    given = [text.data, "--task", TASK, *where, *size, *beam, "--sample-break-mode", "eos", *flags]
    generate.main(options.parse_args_and_arch(options.get_generation_parser(), given))
    lines: dict[str, dict[int, str]] = {"S": {}, "T": {}, "H": {}}
    for line in (out / "generate-test.txt").read_text().splitlines():
        kind, _, rest = line.partition("-")
        if kind in lines:
            number, *_, words = rest.split("\t")
            lines[kind][int(number)] = words
    return lines


def test_generate_from_text_as_it_is(text: Text, bilingual: Run, tmp_path: Path) -> None:
    made = generated(text, bilingual.folder, tmp_path, "--langs", "de,en")
    given = given_by(text, "eos", "test")
    assert set(made["H"]) == set(range(len(given.rows)))
    for i, row in enumerate(given.rows):
        words = given.dictionary.string(row, extra_symbols_to_ignore={EOS})
        assert made["S"][i] == made["T"][i] == words


def test_generate_from_masked_text(text: Text, bilingual: Run, tmp_path: Path) -> None:
    flags = ["--langs", "en", *flags_of("deletion, original"), "--masking-seed", "7"]
    made = generated(text, bilingual.folder, tmp_path, *flags)
    given = given_by(text, "eos", "test")
    half = len(given.rows) // 2
    english = Given(given.rows[half:], given.keys[half:], given.heads[half:], given.dictionary)
    wanted = masked(english.rows, english.dictionary, english.keys, 0, ("compose", DELETED))
    for i, row in enumerate(wanted.inputs.to_lists()):
        assert made["S"][i] == given.dictionary.string(row, extra_symbols_to_ignore={EOS})


def test_the_decoder_begins_with_the_language(
    text: Text, bilingual: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: dict[int, int] = {}
    run = SequenceGenerator.generate

    def noted(self: Any, models: Any, sample: Any, **kwargs: Any) -> Any:
        for row in sample["net_input"]["src_tokens"].tolist():
            assert [x for x in row if x != 1][-1] == kwargs["bos_token"]
            begun[kwargs["bos_token"]] = begun.get(kwargs["bos_token"], 0) + 1
        return run(self, models, sample, **kwargs)

    monkeypatch.setattr(SequenceGenerator, "generate", noted)
    generated(text, bilingual.folder, tmp_path, "--langs", "en,de")
    dictionary = given_by(text, "eos").dictionary
    size = LINES["test"] + 1
    assert begun == {dictionary.index("[de]"): size, dictionary.index("[en]"): size}


@pytest.mark.parametrize("flags", [[], flags_of("deletion, original")])
def test_interactive(
    text: Text,
    bilingual: Run,
    flags: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    where = ["--path", str(bilingual.folder / "checkpoint_last.pt"), "--user-dir", USER_DIR]
    given = [text.data, "--task", TASK, *where, "--cpu", "--langs", "en", "--add-lang-token"]
    args = options.parse_args_and_arch(
        options.get_interactive_generation_parser(),
        [*given, "--buffer-size", "5", "--beam", "2", "--max-len-b", "5", *flags],
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("▁w1 e1 ▁w2\n▁w3\n"))
    interactive.main(convert_namespace_to_omegaconf(args))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("S-")] == [
        "S-0\t▁w1 e1 ▁w2 [en]",
        "S-1\t▁w3 [en]",
    ]
    assert sum(line.startswith("H-") for line in lines) == 2


def test_resampling_evens_languages_out(text: Text, tmp_path: Path) -> None:
    for name, keep in (("de", "valid"), ("en", "train")):
        (tmp_path / name).mkdir()
        for end in ("bin", "idx"):
            shutil.copy(f"{text.data}/{name}/{keep}.{end}", tmp_path / name / f"train.{end}")
    shutil.copy(f"{text.data}/dict.txt", tmp_path)
    flags = [*TWO, *flags_of("deletion, original"), "--sample-break-mode", "eos"]
    task = task_of(text, TASK, *CUT, *flags, "--multilang-sampling-alpha", "0.5")
    task.cfg.data = str(tmp_path)
    task.load_dataset("train")
    dataset = task.dataset("train")
    few, many = LINES["valid"] + 1, LINES["train"] + 1
    share = few**0.5 / (few**0.5 + many**0.5)
    wanted = [int(np.ceil((few + many) * x)) for x in (share, 1 - share)]
    seen = []
    for epoch in (1, 2):
        iterator = task.get_batch_iterator(dataset, max_sentences=4, epoch=epoch)
        batches = list(iterator.next_epoch_itr())
        ids = np.concatenate([batch["id"].numpy() for batch in batches])
        rows = ids % (few + many)
        assert [int((rows < few).sum()), int((rows >= few).sum())] == wanted
        assert len(np.unique(ids)) == len(np.unique(dataset.keys(ids))) == len(ids)
        times = np.bincount(rows, minlength=few + many)
        for part, count in ((times[:few], wanted[0]), (times[few:], wanted[1])):
            assert part.max() - part.min() <= 1
            assert part.sum() == count
        seen.append(ids.tolist())
    assert sorted(seen[0]) != sorted(seen[1])
    task.cfg.masking_args = json.dumps({**DELETED, "clock": "step"})
    del task.__dict__["masking_strategy"]
    with pytest.raises(OptionError, match=r"Step\(\).*--multilang-sampling-alpha"):
        task.load_dataset("train")


@dataclass(frozen=True)
class Doubled(Replacement):
    """Every chosen token twice: a source that grows."""

    def replace(self, tokens: Any, selection: Any, vocab: Any, rng: Any) -> maskplug.Ragged:
        rows = [
            [x for i in range(a, b) for x in [int(tokens.ids[i])] * (1 + selection.mask[i])]
            for a, b in zip(tokens.offsets, tokens.offsets[1:], strict=False)
        ]
        return maskplug.Ragged.of(rows)

    def bound(self, lengths: Any, most: Any) -> Any:
        return lengths + most.tokens


def test_batches_hold_what_masking_makes_longer(text: Text) -> None:
    task = task_of(text, TASK, *CUT, *flags_of("deletion, original"), "--sample-break-mode", "eos")
    task.__dict__["masking_strategy"] = maskplug.compose(Exact(1.0), Doubled(), "original")
    task.load_dataset("train")
    dataset = task.dataset("train")
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
        assert sources.shape[1] > 1.5 * dataset.sizes[batch["id"].numpy()].max()
        assert sources.numel() <= limit
        assert sources.shape[1] <= longest
        assert batch["target"].numel() <= limit


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "'dynamic@1' predicts in place.*--task maskplug_masked_lm"),
        (("--add-lang-token",), "--add-lang-token needs --langs"),
        (("--multilang-sampling-alpha", "1.5"), "--multilang-sampling-alpha is 1.5.*0.*1"),
    ],
)
def test_wrong_options(text: Text, flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(MaskplugError, match=message):
        task_of(text, TASK, *CUT, *flags)


def test_no_strategy(text: Text) -> None:
    task = task_of(text, TASK, *CUT, "--masking-plugin", "none", "--masking-args", "{}")
    with pytest.raises(OptionError, match=r"--masking-plugin is none.*strategy with targets"):
        task.load_dataset("train")


def test_sentinels_are_added_and_come_back_with_the_checkpoint(text: Text, tmp_path: Path) -> None:
    flags = [*TWO, *flags_of("deletion, original"), "--masking-sentinels", "3"]
    run = train(text, TASK, tmp_path, *CUT, *flags, "--sample-break-mode", "eos", max_epoch=1)
    size = len(text.dictionary())
    vocab = run.task.masking_vocabularies["source"]
    assert vocab.sentinel_ids.tolist() == [size + 3, size + 4, size + 5]
    assert (vocab.named["[de]"], vocab.named["[en]"], vocab.mask_id) == (size, size + 1, size + 2)
    made = generated(text, tmp_path, tmp_path, "--langs", "en")  # sentinels and symbols unsaid
    assert len(made["H"]) == LINES["test"] + 1


@dataclass(frozen=True)
class FirstWords(Selector):
    """The first token of every sentence."""

    def select(self, tokens: Any, vocab: Any, rng: Any) -> Selection:
        return Selection.from_mask(vocab.sentence_starts(tokens) & vocab.maskable(tokens), tokens)


def test_sentences_begin_where_lines_do(text: Text) -> None:
    flags = [*flags_of("deletion, original"), "--sample-break-mode", "complete"]
    task = task_of(text, TASK, *CUT, *flags)
    task.__dict__["masking_strategy"] = maskplug.compose(FirstWords(), "delete", "original")
    task.load_dataset("train")
    dataset = task.dataset("train")
    cut = blocks([line[1:] for line in text.lines("train")], "none", 10**6)
    fed = [Fed(1, 0, dataset.collater([dataset[i]])) for i in range(len(dataset))]
    inputs = found(fed, "src_tokens")
    assert [x for i in range(len(dataset)) for x in inputs[i][1:-1]] == cut[0]
