"""Scores, the entries of results.json, also with concurrent writers, and means over seeds."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.shared import results
from recipes.shared.scores import average_lagging, classification, summarization, translation
from recipes.shared.table import Cell, Group, groups
from support.recipe_cases import RECIPE, ROOT, entry, run, workspace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "results.json"


def test_an_entry_replaces_that_of_the_same_run(path: Path) -> None:
    assert results.read(path) == []
    results.add(path, entry(seed=1))
    results.add(path, entry(seed=2))
    results.add(path, entry(seed=1, metrics={"bleu": 11.0}, fingerprint="1" * 16))
    assert [(each["seed"], each["metrics"]["bleu"]) for each in results.read(path)] == [
        (1, 11.0), (2, 10.0)
    ]  # fmt: skip


@pytest.mark.parametrize("name", results.IDENTITY)
def test_entries_of_other_runs_are_kept(path: Path, name: str) -> None:
    other = entry(**{name: 7 if name == "seed" else "zz"})
    for actual in (other, entry(), other):
        results.add(path, actual)
    assert results.read(path) == [entry(), other]


def test_entries_are_sorted_one_per_line(path: Path) -> None:
    actual = [entry(strategy=name, seed=seed) for name, seed in product("cab", (3, 1, 2))]
    for each in actual:
        results.add(path, each)
    lines = path.read_text("utf-8").splitlines()
    assert (lines[0], lines[-1]) == ('{"runs": [', "]}")
    entries = [json.loads(line.removesuffix(",")) for line in lines[1:-1]]
    assert entries == results.read(path)
    assert [(each["strategy"], each["seed"]) for each in entries] == sorted(
        product("abc", (1, 2, 3))
    )


WRITER = """
import sys
from pathlib import Path
from support.recipe_cases import entry
from recipes.shared import results
print("ready", flush=True)
sys.stdin.readline()
for seed in range(40):
    results.add(Path(sys.argv[1]), entry(strategy=sys.argv[2], seed=seed))
"""


def test_concurrent_processes_lose_no_entries(path: Path) -> None:
    import_from = f"import sys; sys.path[:0] = {[str(ROOT / 'tests'), str(ROOT)]!r}\n"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", import_from + WRITER, str(path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "ab"
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    actual = [(each["strategy"], each["seed"]) for each in results.read(path)]
    assert actual == list(product("ab", range(40)))
    assert {each.name for each in path.parent.iterdir()} <= {"results.json", ".results.json.lock"}


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({}, True),
        ({"fingerprint": "0" * 16}, False),
        ({"seed": 2}, False),
        ({"strategy": "none"}, False),
        ({"framework": "huggingface"}, False),
        ({"corpus": "second"}, False),
        ({"recipe": "translation"}, False),
    ],
)
def test_a_run_is_done_only_with_equal_settings(
    path: Path, tmp_path: Path, changes: dict[str, Any], done: bool
) -> None:
    expected = run(workspace(tmp_path / "work"))
    assert not results.done(path, expected)
    results.add(path, entry(fingerprint=expected.fingerprint) | changes)
    assert results.done(path, expected) is done
    assert not results.done(path, run(expected.work, replace(RECIPE, pieces=7)))


def test_versions_list_the_installed_packages() -> None:
    actual = results.versions()
    assert actual["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"maskplug", "torch", "transformers", "numpy"} <= set(actual) <= {
        "python", *results.PACKAGES
    }  # fmt: skip


# --- means and deviations over seeds -------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((), "–"),
        ((12.34,), "12.3"),
        ((1.0, 2.0, 4.5), "2.5 ± 1.8"),  # sqrt((1.5² + 0.5² + 2²) / 2)
        ((3.0, 3.0), "3.0 ± 0.0"),
        ((-0.04,), "0.0"),
    ],
)
def test_a_cell_shows_mean_and_sample_deviation(values: tuple[float, ...], message: str) -> None:
    assert str(Cell(values)) == message


def test_runs_are_grouped_by_corpus_and_framework() -> None:
    kinds = [("b", "fairseq"), ("a", "huggingface"), ("b", "fairseq"), ("b", "huggingface")]
    actual = groups([entry(corpus=corpus, framework=framework) for corpus, framework in kinds])
    assert [(group.corpus, group.framework, len(group.entries)) for group in actual] == [
        ("b", "fairseq", 2), ("a", "huggingface", 1), ("b", "huggingface", 1)
    ]  # fmt: skip


GROUP = Group(
    "first",
    "fairseq",
    (
        entry(strategy="span", metrics={"bleu": 10.0}, seconds=60),
        entry(strategy="none", metrics={"bleu": 20.0}, seconds=60),
        entry(strategy="none", metrics={"bleu": 22.0, "chrf": None}, seed=2, seconds=240),
        entry(strategy="custom", metrics={"chrf": 50.0}, updates=1500),
    ),
)


def test_missing_scores_are_left_out() -> None:
    assert GROUP.cell("none", "bleu").values == (20.0, 22.0)
    assert str(GROUP.cell("none", "chrf")) == str(GROUP.cell("nobody", "bleu")) == "–"
    assert GROUP.metrics() == ["bleu", "chrf"]


def test_stage_loss_is_that_of_the_best_checkpoint() -> None:
    curves: list[dict[str, list[list[float]]]] = [
        {"denoising": [[10, 3.0], [20, 2.5], [30, 2.75]]}, {"denoising": [[10, 2.0]]},
        {"translation": [[10, 1.0]]}, {"denoising": []},
    ]  # fmt: skip
    entries = [entry(seed=seed, curves=curve) for seed, curve in enumerate(curves)]
    group = Group("first", "fairseq", tuple(entries))
    assert group.loss("dynamic", "denoising").values == (2.5, 2.0)
    assert group.loss("dynamic", "denoising").text(digits=2) == "2.25 ± 0.35"
    assert group.loss("none", "denoising").text(digits=2) == "–"


def test_gain_uses_the_common_seeds() -> None:
    scores = {"static": (1.0, 5.0, 2.0), "dynamic": (2.0, 7.0)}
    entries = [
        entry(strategy=name, seed=seed, metrics={"bleu": value})
        for name, values in scores.items()
        for seed, value in enumerate(values)
    ]
    group = Group("first", "fairseq", tuple(entries))
    assert group.gain("dynamic", "static", "bleu").text("+") == "+1.5 ± 0.7"
    assert group.gain("static", "dynamic", "bleu").text("+") == "−1.5 ± 0.7"
    assert group.gain("dynamic", "none", "bleu").text("+") == "–"


def test_strategies_follow_the_order_of_the_recipe() -> None:
    assert GROUP.strategies(["none", "static", "span"]) == ["none", "span", "custom"]
    assert GROUP.strategies(()) == ["span", "none", "custom"]


def test_groups_summarize_updates_seeds_and_minutes() -> None:
    assert GROUP.updates == "20, 1,500"
    assert GROUP.seeds == "1–2"
    assert GROUP.minutes == 2.0
    assert Group("first", "fairseq", GROUP.entries[1:3]).seeds == "2"


# --- scores equal values by hand and the definition in the paper ---------------------------------

CAT = "the cat sat on the mat"


@pytest.mark.parametrize(
    ("output", "bleu"),
    [
        (CAT, 100.0),
        (f"{CAT} today", 80.91),  # (6/7 · 5/6 · 4/5 · 3/4) ** (1/4)
        ("the cat sat on the", 81.87),  # exp(1 - 6/5)
        ("a dog ran", 0.0),
        ("", 0.0),
    ],
)
def test_bleu_equals_values_by_hand(output: str, bleu: float) -> None:
    actual = translation([output], [CAT])
    assert actual["bleu"] == bleu
    assert (actual["chrf"] == 100) == (output == CAT)


def test_bleu_is_computed_over_the_corpus() -> None:
    actual = translation([CAT, "a dog ran"], [CAT, CAT])
    # 6/9, 5/7, 4/5 and 3/3 n-grams, and 9 words instead of 12
    assert actual["bleu"] == round(
        100 * (6 / 9 * 5 / 7 * 4 / 5) ** 0.25 * 2.718281828 ** (1 - 12 / 9), 2
    )


def test_scores_have_signatures() -> None:
    signatures = translation([CAT], [CAT])["signatures"]
    assert signatures["bleu"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert signatures["chrf"].startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")


@pytest.mark.parametrize(
    ("output", "reference", "scores"),
    [
        ("a b c", "a b c", (100.0, 100.0, 100.0)),
        ("a b c", "a b d", (66.67, 50.0, 66.67)),
        ("b a", "a b", (100.0, 0.0, 50.0)),
        ("a b", "a b c d", (66.67, 50.0, 66.67)),  # precision 1, recall 1/2; 1 and 1/3
        ("running jumps", "run jumping", (100.0, 100.0, 100.0)),  # stems
        ("", "a b", (0.0, 0.0, 0.0)),
    ],
)
def test_rouge_equals_values_by_hand(
    output: str, reference: str, scores: tuple[float, ...]
) -> None:
    actual = summarization([output], [reference])
    assert tuple(actual[name] for name in ("rouge1", "rouge2", "rougeL")) == scores


def test_rouge_is_the_mean_of_the_rows() -> None:
    actual = summarization(["a b c", "x"], ["a b c", "y"])
    assert actual == {"rouge1": 50.0, "rouge2": 50.0, "rougeL": 50.0}


@pytest.mark.parametrize(
    ("output", "references", "accuracy", "f1"),
    [
        ("aabb", "aabb", 100.0, 100.0),
        ("aaab", "aabb", 75.0, 73.33),  # (4/5 + 2/3) / 2
        ("aaaa", "aabb", 50.0, 33.33),  # (2/3 + 0) / 2
        ("aacb", "aabb", 75.0, 83.33),  # c is not a class of the references: (1 + 2/3) / 2
        ("bbaa", "aabb", 0.0, 0.0),
    ],
)
def test_accuracy_and_macro_f1_equal_values_by_hand(
    output: str, references: str, accuracy: float, f1: float
) -> None:
    assert classification([*output], [*references]) == {"accuracy": accuracy, "macro_f1": f1}


@pytest.mark.parametrize(
    ("source", "target", "k", "lag"),
    [
        (4, 4, 1, 1.0),  # reads 1, 2, 3, 4: always one behind
        (4, 4, 4, 4.0),  # reads the whole source first
        (4, 4, 9, 4.0),
        (4, 8, 1, 1.75),  # 1 - 0, 2 - 1/2, 3 - 1, 4 - 3/2
        (8, 4, 2, 0.5),  # 2 - 0, 3 - 2, 4 - 4, 5 - 6: the source is never read to its end
        (5, 5, 3, 3.0),
        (6, 3, 5, 4.5),  # 5 - 0, 6 - 2
        (1, 1, 1, 1.0),
        (1, 9, 3, 1.0),
    ],
)
def test_average_lagging_equals_values_by_hand(
    source: int, target: int, k: int, lag: float
) -> None:
    assert average_lagging(source, target, k) == pytest.approx(lag)


def paper(source: int, target: int, k: int) -> Fraction:
    """Compute equations 3, 8 and 9 of Ma et al. (2019); t counts from 1."""

    def g(t: int) -> int:
        return min(k + t - 1, source)

    r = Fraction(target, source)
    all_read = [t for t in range(1, target + 1) if g(t) == source]
    tau = min(all_read, default=target)
    return sum((g(t) - (t - 1) / r for t in range(1, tau + 1)), Fraction()) / tau


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 70))
def test_average_lagging_matches_the_paper(source: int, target: int, k: int) -> None:
    assert average_lagging(source, target, k) == pytest.approx(float(paper(source, target, k)))
