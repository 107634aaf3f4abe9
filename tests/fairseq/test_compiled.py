"""Setting up a task compiles all kernels that its batches need."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import fairseq_runs
from support.compiling import forget, no_kernel_needed, run
from support.fairseq_data import Corpus
from support.fairseq_runs import DELETE, task_of


@pytest.mark.slow  # compiles all kernels anew
def test_workers_compile_nothing(tmp_path: Path) -> None:
    script = Path(fairseq_runs.__file__).with_name("fairseq_workers.py")
    result = run(str(script), cache=tmp_path)
    for method in ("fork", "spawn"):
        assert len(result[method]["processes"]) == 2, method
        assert result[method]["compiled"] == [], method
    assert result["kept"] > 10
    assert result["added"] == []


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--masking-side", "both"),
        ("--masking-plugin", "whole_word"),
        ("--masking-plugin", "mixture", "--masking-args", '{"strategies": ["dynamic", "span"]}'),
        DELETE,
    ],
    ids=["dynamic", "both sides", "words", "mixture", "deletion"],
)
def test_batches_need_no_further_kernels(corpus: Corpus, flags: list[str]) -> None:
    forget()
    task = task_of(corpus, *flags)
    with no_kernel_needed():
        task.load_dataset("train")
        dataset = task.dataset("train")
        dataset.collater([dataset[i] for i in range(32)])
