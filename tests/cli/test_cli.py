"""Every subcommand, as a user types it: output, exit code, and errors without a traceback."""

import json
import logging
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import maskplug
from maskplug.cli import main
from maskplug.registry import KINDS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"COLUMNS": "200"})


def test_list_shows_every_kind_and_every_entry() -> None:
    from maskplug.plugins import registry

    output = run("list").output
    for entry in registry().entries:
        assert entry.label in output
    assert all(kind in output for kind in KINDS)


def test_list_one_kind_only() -> None:
    output = run("list", "clock").output
    assert "cycle@1" in output
    assert "dynamic@1" not in output


@pytest.mark.parametrize("name", ["span", "span@1"])
def test_list_describes_one_entry_with_its_options(name: str) -> None:
    output = run("list", name).output
    assert "Joshi" in output
    assert "max_length: int = 10" in output


def test_list_fits_the_terminal() -> None:
    lines = CliRunner().invoke(main, ["list", "wait_k"], env={"COLUMNS": "60"}).output.splitlines()
    assert [line for line in lines if len(line) > 60] == [
        '    >>> WaitK(2).dense(4, 3, place="cross")[0, 0].astype(int)'  # code stays whole
    ]
    assert "    k: how many source tokens are waited for, from 1; or a" in lines
    assert "        schedule." in lines


def test_an_unknown_name_gets_a_suggestion_and_no_traceback() -> None:
    result = run("list", "spann")
    assert result.exit_code == 2
    assert "did you mean 'span'" in result.output
    assert "Traceback" not in result.output


def test_show_masks_differ_between_epochs_and_repeat_between_calls() -> None:
    first, again = run("show").output, run("show").output
    assert first == again
    shown = [block.splitlines()[1] for block in first.split("epoch ")[1:]]
    assert len(set(shown)) == 3


def test_show_static_is_the_same_in_every_epoch() -> None:
    output = run("show", "--strategy", "static").output
    assert len({block.splitlines()[1] for block in output.split("epoch ")[1:]}) == 1


def test_show_prints_what_the_strategy_does() -> None:
    text = "one two three four five six seven eight nine ten"
    options = '{"rate": 0.5, "mask": 1.0, "random": 0.0}'
    output = run("show", "--text", text, "--options", options, "--epoch", "0").output
    line = next(row for row in output.splitlines() if row.startswith(("one", "[one")))
    assert line.count("[") == 5
    assert line.replace("[", "").replace("]", "").split() == text.split()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "dinamic"], "did you mean 'dynamic'"),
        (["--options", '{"rate" 1}'], "not valid JSON"),
        (["--options", "[1]"], "must be a JSON object"),
        (["--options", '{"rate": 1.5}'], "'rate' is 1.5"),
        (["--options", '{"rate": NaN}'], "'rate' is nan"),
        (["--ids", "1 two"], "whole numbers"),
        (["--tokenizer", "no/such/place"], "no such file"),
        (["--ids", "99999"], "outside the vocabulary"),
        (["--seed", "-1"], "seed is -1"),
    ],
)
def test_bad_input_is_named_without_a_traceback(arguments: list[str], said: str) -> None:
    result = run("show", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_show_reads_a_sentencepiece_model(tmp_path: Path) -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a small text about small things"] * 50),
        model_prefix=str(tmp_path / "spm"), vocab_size=30, hard_vocab_limit=False, minloglevel=2,
        user_defined_symbols=["<mask>"],
    )  # fmt: skip
    result = run("show", "--tokenizer", str(tmp_path / "spm.model"), "--text", "small things")
    assert result.exit_code == 0
    assert "epoch 2" in result.output


def test_show_reads_a_fairseq_dictionary(tmp_path: Path) -> None:
    (tmp_path / "dict.txt").write_text("▁small 2\n▁thing 1\ns 1\n")
    result = run("show", "--tokenizer", str(tmp_path / "dict.txt"), "--text", "▁small ▁thing s")
    assert result.exit_code == 0, result.output
    assert "</s>" in result.output


def test_show_reads_a_hugging_face_tokenizer(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"[UNK]": 0, "[MASK]": 1, "small": 2, "##er": 3, "things": 4}
    model = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=model, unk_token="[UNK]", mask_token="[MASK]"
    ).save_pretrained(str(tmp_path))
    options = '{"rate": 0.01, "mask": 1.0, "random": 0.0}'
    result = run(
        "show", "--tokenizer", str(tmp_path), "--text", "smaller things", "--options", options
    )
    assert result.exit_code == 0, result.output
    assert any(w in result.output for w in ("[small]er things", "small[er] things", "smaller [th"))


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.model").write_bytes(b"nothing")
    result = run("show", "--tokenizer", str(tmp_path / "broken.model"))
    assert result.exit_code == 2
    assert "cannot be read as a tokenizer" in result.output


def test_doctor_finds_nothing_wrong_here() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "All is well" in result.output


def fake_distribution(folder: Path, name: str, body: str, version: str = "2.0") -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / f"{name}.py").write_text(body)


def doctor_beside(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from maskplug.cli import main; main(['doctor'])"
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_doctor_sees_a_torchaudio_that_cannot_load(tmp_path: Path) -> None:
    fake_distribution(tmp_path, "torchaudio", "raise OSError('libcudart.so: cannot open')")
    done = doctor_beside(tmp_path)
    assert done.returncode == 1
    assert "libcudart.so" in done.stdout
    assert "pip uninstall torchaudio" in done.stdout


def test_doctor_sees_a_fairseq_that_cannot_load(tmp_path: Path) -> None:
    fake_distribution(tmp_path, "fairseq", "raise ValueError('mutable default')", "0.12.2")
    done = doctor_beside(tmp_path)
    assert done.returncode == 1
    assert "mutable default" in done.stdout
    assert "fairseq-fixed" in done.stdout


def test_fairseq_dir_is_the_folder_of_the_package() -> None:
    folder = Path(run("fairseq-dir").output.strip())
    assert folder.name == "maskplug_fairseq"
    assert (folder / "__init__.py").exists()


def test_plugins_lists_the_example_and_what_it_registers() -> None:
    output = run("plugins").output
    assert "maskplug-example" in output
    assert "strategy periodic@1" in output


class Broken(maskplug.Selector):
    def select(self, tokens, vocab, rng):  # type: ignore[no-untyped-def]
        if 13 in tokens.ids:
            raise ZeroDivisionError("unlucky")
        return maskplug.Selection.from_mask(tokens.ids < 0, tokens)


def test_the_command_that_an_error_names_runs() -> None:
    made = maskplug.strategy("dynamic", rate=0.5)
    broken = replace(made, selector=Broken())
    vocab = maskplug.Vocabulary(size=20, mask_id=0)
    tokens = maskplug.TokenBatch.from_lists([[1, 2], [3, 13]], keys=[5, 6])
    with pytest.raises(maskplug.MaskplugError, match="unlucky") as caught:
        broken(tokens, vocab, seed=3, epoch=2)
    command = str(caught.value).split("reproduce it with: maskplug ")[1]
    arguments = shlex.split(command.splitlines()[0])
    assert arguments[arguments.index("--key") + 1] == "6"
    assert json.loads(arguments[arguments.index("--options") + 1])["rate"] == 0.5
    assert "no such option" not in run(*arguments).output.lower()


def test_show_finds_the_sentinels_of_a_sentencepiece_model(tmp_path: Path) -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the cat sat on the mat with a hat"] * 20),
        model_prefix=str(tmp_path / "spm"),
        vocab_size=20,
        user_defined_symbols=["<extra_id_0>", "<extra_id_1>"],
        minloglevel=2,
    )
    model = ["--tokenizer", str(tmp_path / "spm.model"), "--text", "the cat sat on the mat"]
    output = run("show", "--strategy", "t5", *model, "--epoch", "0").output
    assert output.count("<extra_id_0>") == 2


def test_show_takes_layers(tmp_path: Path) -> None:
    annotations = '{"protected": [1, 1, 1, 0, 0]}'
    options = '{"rate": 1.0, "mask": 1.0, "random": 0.0}'
    text = ["--text", "a b c d e", "--options", options, "--epoch", "0"]
    assert "a b c [d] [e]" in run("show", *text, "--layers", annotations).output
    for bad, said in (('{"protected": 3}', "it is a list"), ('{"protected": [1]}', "has 1 values")):
        result = run("show", *text, "--layers", bad)
        assert result.exit_code == 2
        assert said in result.output


def test_show_writes_a_picture(tmp_path: Path) -> None:
    for name in ("masks.svg", "masks.html"):
        assert run("show", "--out", str(tmp_path / name)).exit_code == 0
        assert "lazy" in (tmp_path / name).read_text(encoding="utf-8")
    result = run("show", "--out", str(tmp_path / "masks.doc"))
    assert result.exit_code == 2
    assert "ends with .svg or .html" in result.output


def test_the_doctor_leaves_logging_as_it_was() -> None:
    before = logging.root.manager.disable
    run("doctor")
    assert logging.root.manager.disable == before
