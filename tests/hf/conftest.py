"""Settings of the Hugging Face tests: offline, quiet, one thread."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import torch
import transformers


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    gc.freeze()  # each training begins with gc.collect(), which is slow on what imports leave
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)
