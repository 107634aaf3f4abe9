"""A script: what data-loading workers compile when the kernel cache was empty before."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from torch.utils.data import DataLoader
from transformers import BertTokenizer

from maskplug_hf import DataCollatorForMasking
from support.compiling import Watched, gathered, kept

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(50))]
FEATURES: Any = [{"input_ids": [2, *range(5, 8 + i), 3]} for i in range(16)]


def main() -> None:
    """Print as JSON what workers of each start method compiled, and which files they added."""
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert not kept(folder)
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(WORDS)})
    collator = DataCollatorForMasking(tokenizer, "dynamic", rate=0.3, seed=1)
    collator.set_epoch(0)
    report: dict[str, Any] = {}
    before = kept(folder)
    for method in sys.argv[1:]:
        loader: Any = DataLoader(
            FEATURES,
            batch_size=2,
            num_workers=2,
            collate_fn=Watched(collator),
            multiprocessing_context=method,
        )
        report[method] = gathered(loader)
    report["kept"] = len(before)
    report["added"] = sorted(set(kept(folder)) - set(before))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
