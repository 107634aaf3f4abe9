"""Masks never change under a name: one hash per case, over many scenes.

``python tests/attention/test_golden.py`` adds the hashes that are missing, and changes no other.
"""

from __future__ import annotations

import json
import sys
import warnings
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script has its own folder only

from support.attention_cases import CASES, IDS
from support.scenes import Case, scene, spread

FILE = Path(__file__).with_name("golden.json")
GOLDEN: dict[str, str] = json.loads(FILE.read_text())


def hashed(case: Case) -> str:
    """One hash of the matrices of thirty scenes and of their shapes."""
    rng = np.random.default_rng(2026)
    result = blake2b(digest_size=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for where in (scene(case, rng) for _ in range(30)):
            mask = spread(case.pattern.dense(**where.arguments), where)
            result.update(repr(mask.shape).encode())
            result.update(np.packbits(mask).tobytes())
    return result.hexdigest()


def test_every_case_has_a_hash() -> None:
    assert set(GOLDEN) == set(IDS), "run python tests/attention/test_golden.py"


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_masks_have_not_changed(case: Case) -> None:
    assert hashed(case) == GOLDEN[case.text], (
        f"{case.text} gives another mask than it did. If that is meant, register the change under "
        "the next version, keep this one as it was, and add a case for it"
    )


if __name__ == "__main__":
    added = {case.text: hashed(case) for case in CASES if case.text not in GOLDEN}
    kept = {text: result for text, result in {**GOLDEN, **added}.items() if text in IDS}
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
