"""A parallel corpus, and runs on it, that many tests share; all on one worker of xdist."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskplug_fairseq
from support import fairseq_runs, texts
from support.fairseq_runs import Corpus, Run
from support.texts import Text


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("fairseq"))
            for library in ("hydra", "torch", "fairseq"):  # deprecations that are not ours
                item.add_marker(pytest.mark.filterwarnings(f"ignore:::{library}"))


@pytest.fixture(autouse=True)
def _safe_globals() -> None:
    # Trainer's resume takes numpy's classes off torch's list when it is done with them, whoever put
    # them there; in a process that ran its tests before, they have to be put there again.
    maskplug_fairseq.allow_checkpoints()


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """64 training pairs, binarized by fairseq-preprocess."""
    return fairseq_runs.make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def trained(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs of 16 updates with two workers, and a checkpoint every 4 updates."""
    folder = tmp_path_factory.mktemp("trained")
    return fairseq_runs.train(
        corpus, folder, "--num-workers", "2", "--save-interval-updates", "4", max_epoch=2
    )


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Text:
    """41 lines in each of two languages, binarized by fairseq-preprocess."""
    return texts.make_text(tmp_path_factory.mktemp("text"))
