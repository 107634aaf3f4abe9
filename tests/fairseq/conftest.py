"""Corpora and training runs that many tests share, all on one xdist worker."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskplug_fairseq
from support import data_workers, fairseq_data, fairseq_runs
from support.fairseq_data import Corpus, Labelled, Text
from support.fairseq_runs import Run

data_workers.shut_down_fast()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("fairseq"))
            for library in ("hydra", "torch", "fairseq"):  # their own deprecations
                item.add_marker(pytest.mark.filterwarnings(f"ignore:::{library}"))


@pytest.fixture(autouse=True)
def _safe_globals() -> None:
    # The Trainer of transformers removes numpy's classes from torch's list when it resumes.
    maskplug_fairseq.allow_checkpoints()


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """64 training pairs."""
    return fairseq_data.make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def trained(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A translation run of 2 epochs of 16 updates with 2 workers; a checkpoint every 4 updates."""
    flags = ("--num-workers", "2", "--save-interval-updates", "4")
    return fairseq_runs.train(corpus, tmp_path_factory.mktemp("trained"), *flags)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Text:
    """41 lines in each of two languages."""
    return fairseq_data.make_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="session")
def labelled(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """The pairs of lines of both languages, with labels."""
    return fairseq_data.make_labelled(tmp_path_factory.mktemp("labelled"), text)


@pytest.fixture(scope="session")
def single(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """The German lines, with labels."""
    return fairseq_data.make_labelled(tmp_path_factory.mktemp("single"), text, inputs=1)
