"""Compute BLEU and chrF, ROUGE, accuracy and macro-F1, and average lagging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Scores = dict[str, Any]


def summary(scores: Scores) -> str:
    """Return the scores on one line, without their signatures."""
    return ", ".join(f"{name} {value}" for name, value in scores.items() if name != "signatures")


def translation(outputs: Sequence[str], references: Sequence[str]) -> Scores:
    """Return corpus BLEU and chrF (0 to 100), and the signatures of sacreBLEU."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    scores: Scores = {"signatures": {}}
    for name, metric in (("bleu", BLEU()), ("chrf", CHRF())):
        scores[name] = round(metric.corpus_score(list(outputs), [list(references)]).score, 2)
        scores["signatures"][name] = str(metric.get_signature())
    return scores


def summarization(outputs: Sequence[str], references: Sequence[str]) -> Scores:
    """Return ROUGE-1, -2 and -L: F-measures with stemming, averaged over the rows (0 to 100)."""
    from rouge_score.rouge_scorer import RougeScorer

    names = ("rouge1", "rouge2", "rougeL")
    scorer: Any = RougeScorer(names, use_stemmer=True)
    rows = [scorer.score(right, text) for text, right in zip(outputs, references, strict=True)]
    return {
        name: round(100 * sum(row[name].fmeasure for row in rows) / len(rows), 2) for name in names
    }


def classification(outputs: Sequence[str], references: Sequence[str]) -> Scores:
    """Return accuracy and macro-F1 (0 to 100), averaged over the classes of the references."""
    from sklearn.metrics import accuracy_score, f1_score

    known = sorted(set(references))
    f1 = f1_score(references, outputs, labels=known, average="macro", zero_division=0)
    return {
        "accuracy": round(100 * float(accuracy_score(references, outputs)), 2),
        "macro_f1": round(100 * float(f1), 2),
    }


def average_lagging(source: int, target: int, k: int) -> float:
    """Return how many source tokens a wait-k translation of a sentence lags behind an ideal one.

    This is the mean of g(t) - (t - 1) · source / target over the target tokens up to the first
    token that is written after reading the whole source, where g(t) = min(k + t - 1, source) is
    the number of tokens that are read before token t is written.

    Args:
        source, target: the number of tokens, including the end of sentence.
        k: the number of tokens that are read before the first one is written.

    Source:
        Ma et al., "STACL: Simultaneous Translation with Implicit Anticipation and Controllable
        Latency using Prefix-to-Prefix Framework", ACL 2019, section 4.

    Example:
        >>> average_lagging(source=10, target=10, k=3)
        3.0
        >>> average_lagging(source=4, target=4, k=9)  # the whole source is read first
        4.0
    """
    read = [min(k + t, source) for t in range(target)]
    last = next((t for t, g in enumerate(read) if g == source), target - 1)
    lags = [read[t] - t * source / target for t in range(last + 1)]
    return sum(lags) / len(lags)
