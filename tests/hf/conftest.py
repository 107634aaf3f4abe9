"""Makes the helpers beside this file importable, and keeps transformers quiet and offline."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(Path(__file__).parent))

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
