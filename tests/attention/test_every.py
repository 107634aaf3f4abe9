"""Every pattern in random scenes: equality with a scalar twin, and properties of all patterns."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

import maskplug
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from support.attention_cases import CASES, IDS
from support.scale import scenes
from support.scenes import Case, Scene, expected, scene, spread

pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")
every = pytest.mark.parametrize("case", CASES, ids=IDS)


def random_scenes(case: Case, number: int, seed: int = 0) -> Iterator[Scene]:
    rng = np.random.default_rng(seed)
    return (scene(case, rng) for _ in range(number))


def test_every_built_in_pattern_has_a_case() -> None:
    names = {e.label for e in registry().of_kind("pattern") if e.provider == BUILTIN}
    assert names == {case.name for case in CASES}


@every
def test_masks_match_a_scalar_twin(case: Case) -> None:
    for where in random_scenes(case, scenes(20, 200)):
        dense = case.pattern.dense(**where.arguments)
        twin = expected(case, where)
        assert (spread(dense, where) == twin).all(), where


@every
def test_renderers_of_numbers_agree(case: Case) -> None:
    for where in random_scenes(case, scenes(20, 200), seed=1):
        pattern, arguments = case.pattern, where.arguments
        dense = pattern.dense(**arguments)
        assert (pattern.hidden(**arguments) == ~dense).all()
        rows = pattern.intervals(**arguments)
        assert (rows.dense() == dense).all()
        assert (rows.expanded().dense() == dense).all()
        assert (rows.counts == dense.sum(-1)).all()
        dtype = (np.float16, np.float32, np.float64)[where.seed % 3]
        added = pattern.additive(**arguments, dtype=dtype)
        assert added.dtype == dtype
        assert ((added == 0) == dense).all()
        assert (added[~dense] == np.finfo(dtype).min).all()


@every
def test_intervals_are_canonical_and_read_only(case: Case) -> None:
    for where in random_scenes(case, 20, seed=2):
        rows = case.pattern.intervals(**where.arguments)
        used = rows.lo < rows.hi
        assert rows.lo.dtype == rows.hi.dtype == np.int32
        assert (rows.lo[~used] == where.kv_len).all()
        assert (rows.hi[~used] == where.kv_len).all()
        assert (used[..., :-1] >= used[..., 1:]).all()
        assert ((rows.lo[..., 1:] > rows.hi[..., :-1]) | ~used[..., 1:]).all()
        assert (rows.lo >= 0).all()
        assert (rows.hi <= where.kv_len).all()
        for side in (rows.lo, rows.hi):
            assert side.flags.c_contiguous
            with pytest.raises(ValueError, match="read-only"):
                side[...] = 0


@every
def test_masks_do_not_depend_on_other_samples(case: Case) -> None:
    for where in random_scenes(case, 20, seed=3):
        together = spread(case.pattern.dense(**where.arguments), where)
        for sample in range(where.batch):
            alone = case.pattern.dense(**where.alone(sample))
            shape = (1, *together.shape[1:])
            assert (np.broadcast_to(alone, shape) == together[sample : sample + 1]).all()


@every
def test_specs_and_expressions_restore_the_pattern(case: Case) -> None:
    pattern = case.pattern
    assert maskplug.pattern(json.loads(json.dumps(pattern.spec))) == pattern
    assert maskplug.pattern(str(pattern)) == pattern
    assert maskplug.pattern(str(pattern)).fingerprint == pattern.fingerprint


@every
def test_fallbacks_fill_only_empty_rows(case: Case) -> None:
    for where in random_scenes(case, 30, seed=4):
        fallback = "first" if where.attention_kind == "cross" else "self"
        plain = spread(case.pattern.dense(**where.arguments), where)
        filled = spread(case.pattern.dense(**where.arguments, fallback=fallback), where)
        empty = ~plain.any(-1)
        assert (plain[~empty] == filled[~empty]).all()
        assert (filled[empty].sum(-1) == 1).all()


@every
def test_every_option_and_annotation_is_documented(case: Case) -> None:
    entry = registry().find("pattern", case.name)
    text = entry.factory.__doc__ or ""
    assert "Example:" in text
    for name in (*vars(case.pattern), *case.pattern.required_annotations):
        if name != "parts":
            assert f"{name}: " in text or f"``{name}``" in text, name
