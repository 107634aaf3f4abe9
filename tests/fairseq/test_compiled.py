"""Workers compile nothing: making the task runs all that a batch needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.compiling import forget, no_kernel_needed, run
from support.fairseq_runs import DELETE, Corpus, task_of


def test_workers_compile_nothing(tmp_path: Path) -> None:
    found = run(str(Path(__file__).parent / "fairseq_workers.py"), cache=tmp_path)
    for method in ("fork", "spawn"):
        assert len(found[method]["processes"]) == 2, method
        assert found[method]["compiled"] == [], method
    assert found["kept"] > 10
    assert found["added"] == []


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
def test_no_batch_needs_a_kernel_that_was_not_tried(corpus: Corpus, flags: list[str]) -> None:
    forget()
    task = task_of(corpus, *flags)
    with no_kernel_needed():
        task.load_dataset("train")
        dataset = task.dataset("train")
        dataset.collater([dataset[i] for i in range(32)])
