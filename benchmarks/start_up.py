"""Until the first batch: the import, compiling with an empty kernel cache, and loading from it.

Every figure is of a process of its own. What frameworks take for their own import is told beside.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
STRATEGIES = ("dynamic", "whole_word", "span", "t5", "bart", "ul2", "permutation")
PATTERN = "causal & document"
ROWS, LENGTH = 32, 512
METHODS = ("fork", "spawn", "forkserver")


def rows() -> Any:
    """Rows of ordinary ids between ``<s>`` and ``</s>``, from 2 ids to ``LENGTH``."""
    import numpy as np

    row = [2, *np.resize(np.arange(5, 55), LENGTH - 2).tolist(), 3]
    return [[*row[: LENGTH - 1 - 8 * i], 3] for i in range(ROWS)]


def core(name: str) -> None:
    """A strategy's masks, from arrays to arrays."""
    import maskplug
    from maskplug.testing.vocabulary import rich_vocabulary

    maskplug.strategy(name)(maskplug.TokenBatch.from_lists(rows()), rich_vocabulary(), seed=1)


def pattern(name: str) -> None:
    """The blocks of an attention pattern, without the tensors that are made of them."""
    import numpy as np

    import maskplug
    from maskplug.attention.blocks import PARTIAL, Blocks

    made = maskplug.pattern(name)
    layers: dict[str, Any] = {
        layer: np.arange(4 * LENGTH) // 300 for layer in made.all_required_annotations
    }
    Blocks.of(made.intervals(4 * LENGTH, **layers)).listed(PARTIAL)


def collator(name: str) -> Any:
    """Hugging Face's tensors; returns what made them."""
    from transformers import BertTokenizer

    from maskplug_hf import DataCollatorForMasking

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(50))]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    made = DataCollatorForMasking(tokenizer, name, seed=1)
    made.set_epoch(0)
    made([{"input_ids": row} for row in rows()])
    return made


def fairseq(name: str) -> None:
    """Fairseq's batch of pairs."""
    import torch
    from fairseq.data import Dictionary, LanguagePairDataset, ListDataset

    import maskplug
    from maskplug_fairseq import MaskedPairDataset, vocabulary

    words = Dictionary()
    for word in (*(f"w{i}" for i in range(55)), "<mask>"):
        words.add_symbol(word)
    texts = ListDataset([torch.tensor(row) for row in rows()], [len(row) for row in rows()])
    pairs = LanguagePairDataset(texts, texts.sizes, words, texts, texts.sizes, words)
    made = MaskedPairDataset(pairs, maskplug.strategy(name), seed=1, source=vocabulary(words))
    made.collater([made[i] for i in range(ROWS)])


def workers(name: str) -> dict[str, Any]:
    """Two data-loading workers: seconds until they gave the first batch, and all of their files."""
    import warnings

    from torch.utils.data import DataLoader

    warnings.filterwarnings("ignore", message="'pin_memory' argument")
    made = collator(name)
    features: Any = [{"input_ids": row} for row in rows()]
    found: dict[str, Any] = {}
    before = _files()
    for method in METHODS:
        begun = time.perf_counter()
        loader: Any = DataLoader(
            features, 8, num_workers=2, collate_fn=made, multiprocessing_context=method
        )
        batches = iter(loader)
        next(batches)
        found[f"{method}, s"] = time.perf_counter() - begun
        list(batches)
    return {**found, "kernels compiled in workers": len(_files() - before)}


def _files() -> set[Path]:
    return set(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbc"))


#: Who makes a first batch, and what is imported before the clock starts.
USES: dict[str, tuple[Callable[[str], Any], str]] = {
    "core": (core, "sys"),
    "pattern": (pattern, "sys"),
    "transformers": (collator, "transformers.trainer"),
    "fairseq": (fairseq, "fairseq.data"),
    "workers": (workers, "transformers.trainer"),
}


def here(use: str, name: str) -> dict[str, Any]:
    """The figures of this process, which has imported nothing of maskplug before."""
    made, framework = USES[use]
    begun = time.perf_counter()
    __import__(framework)
    ready, processor = time.perf_counter(), time.process_time()
    import maskplug  # noqa: F401

    imported = time.perf_counter()
    from maskplug.kernels.compilation import watched

    with watched() as compiled:
        more = made(name)
    done = time.perf_counter()
    found: dict[str, Any] = {
        "framework, s": ready - begun,
        "import maskplug, s": imported - ready,
        "first batch, s": done - ready,
        "first batch, s of processor": time.process_time() - processor,
        "compiled": {one.name: 0.0 for one in compiled if one.own},
    }
    for one in compiled:
        name = one.name if one.own else "numba's own functions"
        found["compiled"][name] = found["compiled"].get(name, 0.0) + one.seconds
    return found | (more if isinstance(more, dict) else {})


def there(use: str, name: str, cache: str) -> dict[str, Any]:
    """The same of a fresh process that keeps its kernels in a folder."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.start_up", use, name],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def both(use: str, name: str, repeats: int) -> dict[str, Any]:
    """With an empty cache, and again: what is told of the second is the median of some processes.

    All seconds count from ``import maskplug`` on, and numba's import is among them.
    """
    with TemporaryDirectory() as cache:
        cold = there(use, name, cache)
        again = [there(use, name, cache) for _ in range(repeats)]
    found = {"cold, s": cold["first batch, s"]}
    found["cold, s of processor"] = cold["first batch, s of processor"]
    for unit in ("s", "s of processor"):
        found[f"warm, {unit}"] = statistics.median(one[f"first batch, {unit}"] for one in again)
    found["kernels compiled"] = len(cold["compiled"]) - 1
    if cold["framework, s"] > 0.01:
        found["the framework's own import, s"] = cold["framework, s"]
    return found | {"compiled": cold["compiled"]}


def measure(small: bool) -> dict[str, Any]:
    """Seconds until the first batch, by strategy and framework; seconds to compile, by kernel.

    A kernel's seconds are those of the first use that needed it, without those of the kernels that
    it calls.
    """
    uses = [("core", "dynamic")]
    if not small:
        uses = [("core", name) for name in STRATEGIES]
        uses += [("pattern", PATTERN), ("transformers", "dynamic"), ("fairseq", "dynamic")]
    found: dict[str, Any] = {}
    kernels: dict[str, float] = {}
    for use, name in uses:
        figures = both(use, name, 1 if small else 5)
        kernels = figures.pop("compiled") | kernels
        found[name if use in ("core", "pattern") else f"{name} in {use}"] = figures
    with TemporaryDirectory() as cache:
        again = [there("core", "none", cache) for _ in range(1 if small else 7)]
        found["import maskplug"] = {
            "s": statistics.median(one["import maskplug, s"] for one in again)
        }
        if not small:
            told = there("workers", "dynamic", cache)
            keys = [*(f"{method}, s" for method in METHODS), "kernels compiled in workers"]
            found["two workers' first batch"] = {key: told[key] for key in keys}
    slowest = sorted(kernels.items(), key=lambda item: -item[1])
    found["compiling, s"] = dict(slowest[: 5 if small else None])
    return found


if __name__ == "__main__":
    print(json.dumps(here(*sys.argv[1:])))
