"""``maskplug attention``, as a user types it: picture, figures, files, and friendly errors."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from maskplug.viz import figure
from support.commands import refused, succeeded


def shown(*arguments: object) -> str:
    return succeeded("attention", *arguments)


def test_picture_and_statistics() -> None:
    assert shown("window:left=1", "--length", "4", "--block", "2") == (
        inspect.cleandoc("""
        4 queries, 4 keys  encoder  layer 0  head 0 of 1  seed 0  key 0  t 0
        window:left=1,right=0
           0    2
         0 ██· │· ·
         1 ████│· ·
           ────┼────
         2 · ██│██·
         3 · · │████
        visible: 43.8% (7 of 16 cells)
        empty rows: 0
        blocks of 2: 0 full, 3 partial, 1 empty
        ██ visible  · hidden
        """)
        + "\n"
    )


def test_specs_as_json() -> None:
    spec = '{"left": 1, "name": "window@1", "right": 0}'
    assert shown(spec) == shown("window:left=1")
    for other in ("--compare", "--within"):
        assert shown("causal", other, spec) == shown("causal", other, "window:left=1")


def test_files(tmp_path: Path) -> None:
    for ending, starts in ((".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        path = tmp_path / f"mask{ending}"
        assert "visible: 26.5%" in shown("window:left=1", "--length", "7", "--out", str(path))
        assert path.read_bytes().startswith(starts)
    labels = {text.text for text in ElementTree.parse(tmp_path / "mask.svg").iter() if text.text}
    assert {"visible", "hidden", "window:left=1,right=0"} <= labels


def test_texts_set_the_length() -> None:
    lines = shown("causal", "--text", "the quick fox").splitlines()
    assert lines[0].startswith("3 queries, 3 keys")
    assert [line for line in lines if "██" in line][:3] == ["   the ██· ·", " quick ████·",
                                                            "   fox ██████"]  # fmt: skip


def test_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "dict.txt").write_text("▁small 2\n▁thing 1\ns 1\n")
    output = shown("causal", "--tokenizer", str(tmp_path / "dict.txt"), "--text", "▁small ▁thing s")
    assert "\n  </s> ████████" in output
    assert "\n small ██· · ·" in output


def test_annotations_set_the_length_and_show_leaks() -> None:
    output = shown("causal", "--annotations", '{"documents": [0, 0, 1]}')
    assert "\n 2 !!!!██\n" in output
    assert "leaks: 2 (across documents)" in output
    assert "leaks: 0" in shown("causal & document", "--annotations", '{"documents": [[0, 0, 1]]}')


def test_cross_attention_has_two_texts() -> None:
    cross = ("--attention-kind", "cross")
    texts = ("--text", "a b", "--source", "x y z")
    output = shown("full", *cross, *texts, "--within", "sink:n=2")
    assert output.startswith("2 queries, 3 keys  cross")
    assert "\n   x y z\n a ████!!\n b ████!!\n" in output
    annotations = '{"documents": [0, 0, 1], "query_documents": [0, 1]}'
    assert "\n 1 · · ██\n" in shown("document", *cross, "--annotations", annotations)


def test_more_keys_than_queries_mean_a_cache() -> None:
    output = shown("causal", "--length", "2", "--keys", "4", "--attention-kind", "decoder")
    assert "\n 0 ██████·\n 1 ████████\n" in output
    output = shown("causal", "--length", "1", "--keys", "3", "--text", "a b c")
    assert "\n   a b c\n c ██████\n" in output


def test_several_times() -> None:
    output = shown(
        "window(left=linear(0, 2))", "--length", "3", "--times", "0, 5,10", "--total", "11"
    )
    assert re.search(r"t = 0 \(0%\) +t = 5 \(50%\) +t = 10 \(100%\)", output)
    assert re.search(r" 2 · · ██ +2 · ████ +2 ██████\n", output)


def test_one_time_follows_the_schedule() -> None:
    for moment in (["--time", "5", "--total", "11"], ["--progress", "0.5"]):
        output = shown("window(left=linear(0, 2))", "--length", "3", *moment)
        assert "\n 2 · ████\n" in output


def test_the_difference_of_two_patterns() -> None:
    output = shown("causal", "--length", "3", "--compare", "window:left=0,right=1")
    assert "\n 0 ██BB·\n 1 AA██BB\n 2 AAAA██\n" in output
    assert "only A 3, only B 2, both 3, neither 1" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["causl"], "did you mean 'causal'"),
        (["causal & "], "cannot be read"),
        (["window"], "'left'"),
        (["window:left=-1"], "option 'left' is -1"),
        (["window:left=99999999999999999999"], "whole number from 0 to 2,147,483,647"),
        (["window:left=linear(1,1e30)"], "whole number from 0 to 2,147,483,647"),
        (["window:left=abc"], "'left' is 'abc'; it must be a schedule (constant, cosine"),
        (["wait_k:k=1,catchup=-1e300", "--attention-kind", "cross"], "'catchup' is -1e+300"),
        (['{"name": "window"'], """SPEC is not valid JSON"""),
        (['{"left": 2}'], "a pattern is given as {'name': …"),
        (["causal", "--compare", '{"name": 3'], "--compare is not valid JSON"),
        (["causal", "--compare", "wndow:left=1"], "did you mean 'window'"),
        (["causal", "--within", "causal |"], "cannot be read"),
        (["causal", "--within", "full", "--compare", "full"], "'compare' and 'within'"),
        (["causal", "--length", "0"], "a picture of 0 queries"),
        (["causal", "--length", "4", "--keys", "3"], "--length is 4 and --keys 3"),
        (["causal", "--length", "4", "--text", "a b"], "--length is 4, and --text has 2 tokens"),
        (
            ["full", "--attention-kind", "cross", "--keys", "4", "--source", "a"],
            "--keys is 4, and --source",
        ),
        (["causal", "--source", "a b"], "--attention-kind cross"),
        (["causal", "--text", ""], "a picture of 0 queries"),
        (["document"], """pass --annotations '{"documents": [0, 0, 1, 1]}'"""),
        (["full", "--compare", "document"], """pass --annotations '{"documents": [0, 0, 1, 1]}'"""),
        (
            ["document", "--length", "3", "--annotations", '{"documents": [0, 1]}'],
            "has shape (1, 2)",
        ),
        (["document", "--annotations", '{"documents": 0.5}'], "it must be a list of integers"),
        (["document", "--annotations", '{"documents": "x"}'], "it must be a list of integers"),
        (
            ["document", "--annotations", '{"documents": [[0], [0, 1]]}'],
            "has rows of different lengths",
        ),
        (
            ["document", "--annotations", '{"documents": [[0, 1], [0, 0]]}'],
            "has rows for 2 samples",
        ),
        (["document", "--annotations", '{"block": [0]}'], "'block' is not an annotation"),
        (["document", "--annotations", "[0]"], "--annotations must be a JSON object"),
        (
            ["document", "--annotations", "{documents}"],
            """looks like '{"documents": [0, 0, 1, 1]}'""",
        ),
        (["causal", "--times", "0,x"], "--times is '0,x'; it must be whole numbers"),
        (["causal", "--times", "-1"], "time is -1"),
        (["causal", "--times", ""], "one time or several"),
        (["causal", "--times", "1", "--time", "2"], "one time or several"),
        (["window(left=linear(1, 2))", "--times", "0,9"], "as total (--total)"),
        (["causal", "--times", "9", "--total", "8"], "from 0 to 8 (total)"),
        (["causal", "--total", "0"], "total is 0"),
        (["causal", "--time", "1", "--total", "2", "--progress", "0.1"], "give one of them"),
        (["causal", "--progress", "2"], "progress is 2.0"),
        (["causal", "--time", "-1"], "time is -1"),
        (["causal", "--epoch", "-1"], "epoch is -1"),
        (["causal", "--layer-idx", "-1"], "layer_idx is -1"),
        (["causal", "--seed", "-1"], "seed is -1"),
        (["causal", "--head", "2", "--heads", "2"], "head is 2; heads is 2"),
        (["causal", "--head", "-1"], "head is -1"),
        (["causal", "--heads", "0"], "heads is 0"),
        (["causal", "--block", "0"], "block is 0"),
        (["causal", "--tokenizer", "no/such/place"], "no such file"),
        (["causal", "--out", "mask.doc"], "ends with .svg, .png, .pdf"),
        (["causal", "--out", "no/such/folder/mask.svg"], "cannot be written"),
    ],
)
def test_invalid_input_is_refused(arguments: list[str], message: str) -> None:
    assert message in refused("attention", *arguments)


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "find_spec", lambda name: None)
    assert shown("causal")
    assert "pip install 'maskplug[viz]'" in refused("attention", "causal", "--out", "mask.svg")
