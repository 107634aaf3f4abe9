"""``maskplug show``: masks, tokenizers, annotations, files, and invalid input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.commands import refused, sentencepiece_model, succeeded, wordpiece

WORDS = "one two three four five six seven eight nine ten"
MASK_HALF = json.dumps({"rate": 0.5, "mask": 1.0, "random": 0.0})


def masks(output: str) -> list[str]:
    """Return the first line of each epoch."""
    return [block.splitlines()[1] for block in output.split("epoch ")[1:]]


def test_dynamic_is_the_default_and_its_masks_differ_between_epochs() -> None:
    output = succeeded("show")
    assert output == succeeded("show", "dynamic")
    assert len(set(masks(output))) == 3
    assert len(set(masks(succeeded("show", "static")))) == 1


@pytest.mark.parametrize("name", ["span", "span@1"])
def test_the_strategy_is_an_argument_or_an_option(name: str) -> None:
    output = succeeded("show", name)
    assert output.startswith("span@1 ")
    assert output == succeeded("show", "--strategy", name)


def test_show_marks_masked_tokens() -> None:
    (line,) = masks(succeeded("show", "--text", WORDS, "--options", MASK_HALF, "--epoch", "0"))
    assert line.count("[") == 5
    assert line.replace("[", "").replace("]", "").split() == WORDS.split()


def test_sentencepiece_tokenizer_with_sentinels(tmp_path: Path) -> None:
    symbols = ["<extra_id_0>", "<extra_id_1>", "<mask>"]
    text = "the cat sat on the mat with a hat"
    model = sentencepiece_model(tmp_path, text, user_defined_symbols=symbols)
    arguments = ("--tokenizer", model, "--text", "the cat sat on the mat", "--epoch", 0)
    assert succeeded("show", "t5", *arguments).count("<extra_id_0>") == 2


def test_fairseq_dictionary(tmp_path: Path) -> None:
    (tmp_path / "dict.txt").write_text("▁small 2\n▁thing 1\ns 1\n")
    arguments = ("--tokenizer", tmp_path / "dict.txt", "--text", "▁small ▁thing s")
    assert "</s>" in succeeded("show", *arguments)


def test_hugging_face_tokenizer(tmp_path: Path) -> None:
    wordpiece(tmp_path, "small", "##er", "things")
    options = json.dumps({"rate": 0.01, "mask": 1.0, "random": 0.0})
    arguments = ("--tokenizer", tmp_path, "--text", "smaller things", "--options", options)
    output = succeeded("show", *arguments)
    assert any(w in output for w in ("[small]er things", "small[er] things", "smaller [th"))


def test_annotations() -> None:
    options = json.dumps({"rate": 1.0, "mask": 1.0, "random": 0.0})
    text = ("--text", "a b c d e", "--options", options, "--epoch", 0)
    annotations = '{"protected": [1, 1, 1, 0, 0]}'
    assert "a b c [d] [e]" in succeeded("show", *text, "--annotations", annotations)


@pytest.mark.parametrize("name", ["masks.svg", "MASKS.SVG", "masks.html"])
def test_output_is_written_to_a_file(tmp_path: Path, name: str) -> None:
    succeeded("show", "--out", tmp_path / name)
    assert "lazy" in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
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
        (["span", "--strategy", "span"], "NAME and --strategy exclude each other"),
        (["--text", WORDS, "--ids", "5"], "--text and --ids exclude each other"),
        (["--epoch", "0", "--epochs", "3"], "exclude each other"),
        (["--text", " \t"], "nothing to mask"),
        (["--ids", ""], "nothing to mask"),
        (["--ids", " , "], "nothing to mask"),
        (["--epochs", "0"], "0 is not in the range"),
        (["--step", "-1"], "-1 is not in the range"),
        (["--progress", "1.1"], "1.1 is not in the range"),
        (["--key", "18446744073709551616"], "from 0 to 2**64 - 1"),
        (["--annotations", '{"keys": [1]}'], "'keys' is not the name of an annotation"),
        (["--annotations", '{"protected": 3}'], "expected a list of numbers"),
        (["--annotations", '{"protected": ["a"]}'], "expected a list of numbers"),
        (["--annotations", '{"protected": [null]}'], "expected a list of numbers"),
        (["--annotations", '{"protected": [[1]]}'], "expected a list of numbers"),
        (["--annotations", '{"protected": [1]}'], "has 1 values"),
    ],
)
def test_invalid_input_is_refused_without_output(arguments: list[str], message: str) -> None:
    output = refused("show", *arguments)
    assert message in output
    assert "epoch 0" not in output


def test_a_file_that_is_not_a_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.model").write_bytes(b"nothing")
    output = refused("show", "--tokenizer", tmp_path / "broken.model")
    assert "cannot be read as a tokenizer" in output


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no/folder/a.svg", "cannot be written: No such file or directory: no/folder"),
        ("text.txt/a.svg", "cannot be written: Not a directory"),
        ("a.svg", "cannot be written: Is a directory"),
        ("a.txt", "unknown format: a valid name ends with .svg or .html"),
        ("", "unknown format: a valid name ends with .svg or .html"),
        ("svg", "unknown format: a valid name ends with .svg or .html"),
    ],
)
def test_the_output_file_is_validated_before_anything_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.svg").mkdir()
    (tmp_path / "text.txt").touch()
    output = refused("show", "--out", name)
    assert message in output
    assert "epoch 0" not in output
