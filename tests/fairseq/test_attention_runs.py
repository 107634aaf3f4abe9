"""fairseq's own commands on models whose attention follows patterns."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fairseq import checkpoint_utils, options
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.models.transformer import TransformerModel
from fairseq_cli import generate, interactive

import maskplug
from maskplug.errors import OptionError
from maskplug_fairseq.attention import PatternAttention
from maskplug_fairseq.attention_masks import Masks
from support.fairseq_attention import assert_beams_score_as_a_whole, changed, flags_of
from support.fairseq_attention import run as run_whole
from support.fairseq_runs import (
    QUICK,
    SIZES,
    USER_DIR,
    Corpus,
    Observed,
    Run,
    make_corpus,
    output,
    train,
)
from support.texts import DECODER, ENCODER, TRAINING, Text, make_labelled, trained_by

ARCH = ("--arch", "maskplug_transformer", "--num-workers", "0", "--masking-plugin", "none")
PLAIN = (*ARCH, "--masking-args", "{}")
WAIT = {"encoder": "causal", "cross": "wait_k:k=3"}
WINDOW = {"encoder": "window:left=8,right=8 | sink:n=2", "decoder": "window:left=20"}
#: No source has fewer than 16 tokens.
GROWING = {"encoder": "window:left=linear(0,15)"}


@pytest.fixture(scope="module")
def waiting(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A translation model that waits, after 16 updates; a checkpoint after 8."""
    folder = tmp_path_factory.mktemp("waiting")
    flags = (*PLAIN, *flags_of(**WAIT), "--save-interval-updates", "8", "--lr", "0.01")
    return train(corpus, folder, *flags, "--disable-validation", max_epoch=1)


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Sources of six sentences."""
    return make_corpus(tmp_path_factory.mktemp("summaries"), sentences=6)


@pytest.fixture(scope="module")
def summing_up(summaries: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model whose encoder has a window, after 8 updates with clean sources of 150 tokens up."""
    folder = tmp_path_factory.mktemp("summing-up")
    flags = (*PLAIN, *flags_of(**WINDOW), "--batch-size", "8", "--lr", "0.01")
    return train(summaries, folder, *flags, "--disable-validation", max_epoch=1)


def loaded(folder: Path, data: str, name: str = "checkpoint_last.pt", **overrides: Any) -> Any:
    """A checkpoint's model and its task, as every command of fairseq loads them."""
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(folder / name)], arg_overrides={"data": data, **overrides}
    )
    return models[0].eval(), task


def attentions(model: Any) -> list[PatternAttention]:
    return [m for m in model.modules() if isinstance(m, PatternAttention) and m.masks]


def generation(corpus: Corpus, folder: Path, task: str, *flags: str) -> list[str]:
    where = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    size = ["--batch-size", "5", "--required-batch-size-multiple", "1", "--beam", "5"]
    more = ["--max-len-b", "30", "--num-workers", "0", *flags]
    return [corpus.data, "--task", task, *where, *size, *more]


def hypotheses(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith("H-"))


@pytest.mark.parametrize("name", ["waiting", "summing_up"])
def test_beam_search_scores_what_the_whole_sequence_scores(
    name: str, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue(name)
    data: Corpus = request.getfixturevalue("corpus" if name == "waiting" else "summaries")
    model, task = loaded(run.folder, data.data)
    assert attentions(model)
    task.load_dataset("test")
    dataset = task.dataset("test")
    sample = dataset.collater([dataset[n] for n in range(SIZES["test"])])
    assert_beams_score_as_a_whole(model, sample["net_input"]["src_tokens"])


def test_what_is_not_read_yet_changes_nothing(corpus: Corpus, waiting: Run) -> None:
    model, task = loaded(waiting.folder, corpus.data)
    task.load_dataset("test")
    sample = task.dataset("test").collater([task.dataset("test")[0]])["net_input"]
    source, target = sample["src_tokens"], sample["prev_output_tokens"]
    before = run_whole(model, source, target)
    source[0, 5] = 4 + int(source[0, 5] == 4)
    after = run_whole(model, source, target)
    assert changed(before, after) == list(range(3, target.size(1)))


@pytest.mark.parametrize("task", ["maskplug_translation", "translation"])
def test_generate_and_interactive(
    corpus: Corpus,
    waiting: Run,
    task: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = generation(corpus, waiting.folder, task, "--results-path", str(tmp_path))
    generate.main(options.parse_args_and_arch(options.get_generation_parser(), flags))
    written = hypotheses((tmp_path / "generate-test.txt").read_text())
    assert len(written) == SIZES["test"]

    lines = (corpus.folder / "test.de").read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    flags = generation(corpus, waiting.folder, task, "--buffer-size", "5")
    flags += ["--source-lang", "de", "--target-lang", "en"]
    parser = options.get_interactive_generation_parser()
    args = options.parse_args_and_arch(parser, flags)
    interactive.main(convert_namespace_to_omegaconf(args))
    assert [line.split("\t")[2] for line in hypotheses(capsys.readouterr().out)] == [
        line.split("\t")[2] for line in written
    ]


def test_generate_in_a_process_of_its_own(
    summaries: Corpus, summing_up: Run, tmp_path: Path
) -> None:
    observed = Observed(tmp_path)
    flags = generation(summaries, summing_up.folder, "translation")
    assert len(hypotheses(output(observed.start("fairseq-generate", *flags)))) == SIZES["test"]


def test_from_pretrained_with_another_pattern(corpus: Corpus, waiting: Run) -> None:
    where = (str(waiting.folder), "checkpoint_last.pt", corpus.data)
    hub = TransformerModel.from_pretrained(*where, user_dir=USER_DIR)
    assert [m.masks.pattern for m in attentions(hub)] == [  # type: ignore[union-attr]
        maskplug.pattern(text) for text in WAIT.values()
    ]
    assert isinstance(hub.translate("▁w1 e1", beam=2, max_len_b=3), str)
    other = TransformerModel.from_pretrained(*where, cross_attention_pattern="wait_k:k=1")
    assert "k=1" in str(attentions(other)[1].masks.pattern)  # type: ignore[union-attr]


def test_weights_of_the_stock_architecture(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    start = ("--finetune-from-model", str(trained.folder / "checkpoint_last.pt"))
    run = train(corpus, tmp_path, *PLAIN, *flags_of(**WAIT), *start, *QUICK, max_epoch=1)
    assert len(run.fed) == 16


def test_a_wrong_pattern_stops_before_anything_is_written(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--encoder-attention-pattern.*'documents'"):
        train(corpus, tmp_path, *PLAIN, *flags_of(encoder="document"))
    assert not list(tmp_path.iterdir())


@contextmanager
def widths() -> Iterator[dict[int, set[int]]]:
    """By the number of updates, how wide the encoder's window was."""
    found: dict[int, set[int]] = {}
    hidden = Masks.hidden

    def noted(self: Masks, *args: Any) -> Any:
        made = hidden(self, *args)
        found.setdefault(self.step, set()).add(int((~made).sum(-1).max()) - 1)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Masks, "hidden", noted)
        yield found


def test_a_window_grows_on_after_a_resume(corpus: Corpus, tmp_path: Path) -> None:
    flags = (*PLAIN, *flags_of(**GROWING), "--attention-pattern-updates", "16")
    with widths() as first:
        train(corpus, tmp_path, *flags, "--save-interval-updates", "8", max_epoch=1)
    assert first == {step: {step} for step in range(16)}
    model, _ = loaded(tmp_path, corpus.data, "checkpoint_1_8.pt")
    assert attentions(model)[0].masks.step == 8  # type: ignore[union-attr]

    shutil.copy(tmp_path / "checkpoint_1_8.pt", tmp_path / "checkpoint_last.pt")
    with widths() as second:
        train(corpus, tmp_path, *flags, *QUICK, max_epoch=1)
    assert second == {step: {step} for step in range(8, 16)}


def test_max_update_is_the_end_of_schedules(corpus: Corpus, tmp_path: Path) -> None:
    flags = (*PLAIN, *flags_of(**GROWING), "--max-update", "11", *QUICK)
    with widths() as found:
        train(corpus, tmp_path, *flags)
    assert [*found] == list(range(11))
    assert (found[0], found[5], found[10]) == ({0}, {8}, {15})


def test_bart_denoises(text: Text, tmp_path: Path) -> None:
    bart = ["--arch", "maskplug_bart_base", *ENCODER, *DECODER, *TRAINING]
    masking = ["--masking-plugin", "bart", "--masking-seed", "7"]
    where = ["--save-dir", str(tmp_path), "--user-dir", USER_DIR, "--task", "maskplug_denoising"]
    flags = [*flags_of(**WINDOW), "--num-workers", "0", "--max-epoch", "1", "--batch-size", "4"]
    lines = ["--sample-break-mode", "complete", "--tokens-per-sample", "96", *QUICK[1:]]
    run = trained_by([text.data, *bart, *where, *masking, *flags, *lines], tmp_path)
    assert len(run.fed) > 5
    model, _ = loaded(tmp_path, text.data)
    assert {m.masks.place for m in attentions(model)} == {"encoder", "decoder"}  # type: ignore[union-attr]


def test_bart_classifies(text: Text, tmp_path: Path) -> None:
    labelled = make_labelled(tmp_path, text, inputs=1)
    bart = ["--arch", "maskplug_bart_base", *ENCODER, *DECODER, "--share-all-embeddings", *TRAINING]
    head = ["--num-classes", "2", "--add-prev-output-tokens", "--criterion", "sentence_prediction"]
    folder = tmp_path / "saved"
    where = ["--save-dir", str(folder), "--user-dir", USER_DIR]
    task = ["--task", "maskplug_classification", *head, "--init-token", "0"]
    flags = [*flags_of(**WINDOW), "--num-workers", "0", "--max-epoch", "1", "--batch-size", "4"]
    run = trained_by([labelled.data, *bart, *where, *task, *flags, "--disable-validation"], folder)
    assert len(run.fed) > 5
    model, _ = loaded(folder, labelled.data, load_checkpoint_heads=True)
    assert list(model.classification_heads) == ["sentence_classification_head"]
    assert len(attentions(model)) == 2
