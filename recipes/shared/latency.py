"""Evaluate simultaneous translation: quality and latency of a model at several delays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recipes.shared import fairseq_run, pieces, scores
from recipes.shared.plan import StageRun
from recipes.shared.running import Tell
from recipes.shared.workspace import write


def evaluate(stage: StageRun, split: str, threads: int, tell: Tell) -> dict[str, Any]:
    """Translate a split with wait-k at each of the recipe's delays.

    Returns:
        ``bleu@k``, ``chrf@k`` and ``al@k`` (average lagging in source pieces) for each k, and the
        signatures of sacreBLEU.
    """
    run = stage.run
    source, target = run.recipe.columns
    references, read = run.work.lines(split, target), _lengths(stage, run.work.lines(split, source))
    metrics: dict[str, Any] = {}
    for k in run.recipe.generation.delays:
        texts = fairseq_run.generate(stage, split, threads, tell, f"wait_k:k={k}")
        write(run.folder / f"{split}.k{k}.out", "".join(f"{text}\n" for text in texts))
        scored = scores.translation(texts, references)
        metrics["signatures"] = scored.pop("signatures")
        metrics |= {f"{name}@{k}": value for name, value in scored.items()}
        written = _lengths(stage, texts)
        lags = [scores.average_lagging(s, t, k) for s, t in zip(read, written, strict=True)]
        metrics[f"al@{k}"] = round(sum(lags) / len(lags), 2)
    return metrics


def _lengths(stage: StageRun, texts: Sequence[str]) -> list[int]:
    """Return the number of pieces of each text, including the end of sentence."""
    rows = pieces.processor(stage.run.work).encode(list(texts), out_type=int)
    return [len(row) + 1 for row in rows]
