"""Scores equal values by hand and the definition in the paper."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.shared.scores import average_lagging, classification, summarization, translation

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


@given(st.integers(1, 60), st.integers(1, 60))
def test_average_lagging_equals_k_for_equal_lengths(length: int, k: int) -> None:
    assert average_lagging(length, length, k) == pytest.approx(min(k, length))
