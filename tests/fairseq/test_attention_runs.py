"""fairseq's commands with models that have attention patterns."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fairseq import checkpoint_utils
from fairseq.models.transformer import TransformerModel

import maskplug
from maskplug.errors import OptionError
from maskplug_fairseq.attention import Masks, PatternAttention
from support.fairseq_attention import SECTION, assert_beam_scores, make_articles, pattern_flags
from support.fairseq_data import SIZES, Corpus, Labelled, Text, make_corpus
from support.fairseq_runs import (
    DECODER,
    ENCODER,
    NO_MASKS,
    QUICK,
    USER_DIR,
    Run,
    generate,
    inference,
    interact,
    parse_output,
    train,
)
from support.observed import ObservedProcesses, output_of

PLAIN = ("--arch", "maskplug_transformer", *NO_MASKS)
WAIT = {"encoder": "causal", "cross": "wait_k:k=3"}
WINDOW = {"encoder": "window:left=8,right=8 | sink:n=2", "decoder": "window:left=20"}
#: Every source has at least 16 tokens.
GROWING = {"encoder": "window:left=linear(0,15)"}


@pytest.fixture(scope="module")
def waiting(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A wait-k translation model after 16 updates."""
    flags = (*PLAIN, *pattern_flags(**WAIT), "--lr", "0.01", "--disable-validation")
    return train(corpus, tmp_path_factory.mktemp("waiting"), *flags, max_epoch=1)


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Sources of six sentences, 150 tokens and more."""
    return make_corpus(tmp_path_factory.mktemp("summaries"), sentences=6)


@pytest.fixture(scope="module")
def summarizer(summaries: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model with windows after 8 updates."""
    flags = (*PLAIN, *pattern_flags(**WINDOW), "--batch-size", "8", "--lr", "0.01")
    folder = tmp_path_factory.mktemp("summarizer")
    return train(summaries, folder, *flags, "--disable-validation", max_epoch=1)


def load(folder: Path, data: str, name: str = "checkpoint_last.pt", **overrides: Any) -> Any:
    """Return a checkpoint's model and its task, loaded as fairseq's commands do."""
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(folder / name)], arg_overrides={"data": data, **overrides}
    )
    return models[0].eval(), task


def masks_of(model: Any) -> list[Masks]:
    return [m.masks for m in model.modules() if isinstance(m, PatternAttention) and m.masks]


@pytest.mark.parametrize("name", ["waiting", "summarizer"])
def test_beam_search_of_trained_models(name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(name)
    data: Corpus = request.getfixturevalue("corpus" if name == "waiting" else "summaries")
    model, task = load(run.folder, data.data)
    assert masks_of(model)
    task.load_dataset("test")
    dataset = task.dataset("test")
    sample = dataset.collater([dataset[n] for n in range(SIZES["test"])])
    assert_beam_scores(model, sample["net_input"]["src_tokens"])


@pytest.mark.parametrize("task", ["maskplug_translation", "translation"])
def test_generate_and_interactive(corpus: Corpus, waiting: Run, task: str, tmp_path: Path) -> None:
    output = generate(corpus, waiting.folder, task, tmp_path)
    assert len(output["H"]) == SIZES["test"]
    languages = ("--source-lang", "de", "--target-lang", "en")
    lines = (corpus.folder / "test.de").read_text()
    assert interact(corpus, waiting.folder, task, lines, *languages)["H"] == output["H"]


@pytest.mark.slow  # a process; test_generate_and_interactive is its small form
def test_generate_in_its_own_process(summaries: Corpus, summarizer: Run, tmp_path: Path) -> None:
    observed = ObservedProcesses(tmp_path / "observed")
    flags = inference(summaries, summarizer.folder, "translation", "--max-len-b", "30")
    output = parse_output(output_of(observed.start("fairseq-generate", *flags)))
    assert len(output["H"]) == SIZES["test"]


def test_from_pretrained_with_another_pattern(corpus: Corpus, waiting: Run) -> None:
    where = (str(waiting.folder), "checkpoint_last.pt", corpus.data)
    hub = TransformerModel.from_pretrained(*where, user_dir=USER_DIR)
    patterns = [masks.pattern for masks in masks_of(hub)]
    assert patterns == [maskplug.pattern(text) for text in WAIT.values()]
    assert isinstance(hub.translate("▁w1 e1", beam=2, max_len_b=3), str)
    other = TransformerModel.from_pretrained(*where, cross_attention_pattern="wait_k:k=1")
    assert "k=1" in str(masks_of(other)[1].pattern)


def test_fine_tune_a_model_without_patterns(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    start = ("--finetune-from-model", str(trained.folder / "checkpoint_last.pt"))
    run = train(corpus, tmp_path, *PLAIN, *pattern_flags(**WAIT), *start, *QUICK, max_epoch=1)
    assert len(run.batches) == 16


def test_wrong_patterns_fail_before_anything_is_written(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--encoder-attention-pattern.*'documents'"):
        train(corpus, tmp_path, *PLAIN, *pattern_flags(encoder="document"))
    assert not list(tmp_path.iterdir())


@contextmanager
def recorded_widths() -> Iterator[dict[int, set[int]]]:
    """Record the widths of the encoder's window by the number of updates."""
    widths: dict[int, set[int]] = {}
    hidden = Masks.hidden

    def recorded(self: Masks, *args: Any) -> Any:
        mask = hidden(self, *args)
        widths.setdefault(self.step, set()).add(int((~mask).sum(-1).max()) - 1)
        return mask

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Masks, "hidden", recorded)
        yield widths


def test_schedules_continue_after_a_resume(corpus: Corpus, tmp_path: Path) -> None:
    flags = (*PLAIN, *pattern_flags(**GROWING), "--attention-pattern-updates", "16")
    with recorded_widths() as first:
        train(corpus, tmp_path, *flags, "--save-interval-updates", "8", max_epoch=1)
    assert first == {step: {step} for step in range(16)}
    model, _ = load(tmp_path, corpus.data, "checkpoint_1_8.pt")
    assert masks_of(model)[0].step == 8
    shutil.copy(tmp_path / "checkpoint_1_8.pt", tmp_path / "checkpoint_last.pt")
    with recorded_widths() as second:
        train(corpus, tmp_path, *flags, *QUICK, max_epoch=1)
    assert second == {step: {step} for step in range(8, 16)}


def test_schedules_end_at_max_update(corpus: Corpus, tmp_path: Path) -> None:
    flags = (*PLAIN, *pattern_flags(**GROWING), "--max-update", "11", *QUICK)
    with recorded_widths() as widths:
        train(corpus, tmp_path, *flags)
    assert [*widths] == list(range(11))
    assert (widths[0], widths[5], widths[10]) == ({0}, {8}, {15})


def test_bart_denoises(text: Text, tmp_path: Path) -> None:
    bart = ("--arch", "maskplug_bart_base", "--masking-plugin", "bart", "--masking-args", "{}")
    rows = ("--sample-break-mode", "complete", "--tokens-per-sample", "96", "--disable-validation")
    flags = (*bart, *rows, *pattern_flags(**WINDOW))
    run = train(text, tmp_path, *flags, task="maskplug_denoising", max_epoch=1)
    assert len(run.batches) > 5
    model, _ = load(tmp_path, text.data)
    assert {masks.attention_kind for masks in masks_of(model)} == {"encoder", "decoder"}


def test_bart_classifies(single: Labelled, tmp_path: Path) -> None:
    bart = ["--arch", "maskplug_bart_base", *ENCODER, *DECODER, "--share-all-embeddings"]
    head = ["--num-classes", "2", "--add-prev-output-tokens", "--criterion", "sentence_prediction"]
    flags = [*bart, *head, "--init-token", "0", *pattern_flags(**WINDOW), "--disable-validation"]
    run = train(single, tmp_path, *flags, task="maskplug_classification", max_epoch=1)
    assert len(run.batches) > 5
    model, _ = load(tmp_path, single.data, load_checkpoint_heads=True)
    assert list(model.classification_heads) == ["sentence_classification_head"]
    assert len(masks_of(model)) == 2


def test_sentence_patterns_train_and_generate(tmp_path: Path) -> None:
    articles, folder = make_articles(tmp_path), tmp_path / "saved"
    patterns = pattern_flags(encoder="sentence(heads=true) | sink:n=1")
    flags = (*PLAIN, *patterns, *SECTION, "--disable-validation")
    assert len(train(articles, folder, *flags, max_epoch=1).batches) == 16
    output = generate(articles, folder, "translation", tmp_path)
    assert len(output["H"]) == SIZES["test"]
