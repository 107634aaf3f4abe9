"""Settings of the Hugging Face tests: offline, quiet, one thread."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import torch
import transformers

from support import data_workers, hf_ranks, hf_runs, scale

data_workers.shut_down_fast()


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    gc.freeze()  # each training begins with gc.collect(), which is slow on what imports leave
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def started_ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two processes that train together; both work while other runs are made."""
    folder = tmp_path_factory.mktemp("ranks")
    cells = hf_runs.CELLS if scale.includes_slow else hf_runs.SMALL_CELLS_OF_RANKS
    processes = hf_ranks.start(folder, cells)
    yield folder, processes
    for process in processes:
        process.kill()


@pytest.fixture(scope="session")
def ranks(started_ranks: Any) -> list[dict[str, Any]]:
    """The runs of each of two processes; see ``support/hf_ranks.py``."""
    return hf_ranks.wait(*started_ranks)
