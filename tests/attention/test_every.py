"""Every pattern in random scenes: equality with a scalar twin, and properties of all patterns."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from support.attention_cases import CASES, IDS
from support.scale import scenes
from support.scenes import Case, expected, random_scenes, spread

pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")
every = pytest.mark.parametrize("case", CASES, ids=IDS)


def test_every_built_in_pattern_has_a_case() -> None:
    names = {e.label for e in registry().of_kind("pattern") if e.provider == BUILTIN}
    assert names == {case.name for case in CASES}


@every
def test_masks_match_a_scalar_twin(case: Case) -> None:
    for where in random_scenes(case, scenes(10, 200)):
        dense = case.pattern.dense(**where.arguments)
        twin = expected(case, where)
        assert (spread(dense, where) == twin).all(), where


@every
def test_rows_without_tokens(case: Case) -> None:
    annotations = case.annotations(np.random.default_rng(0), 1, 0, 0)
    for kind in case.places:
        assert case.pattern.dense(0, attention_kind=kind, **annotations).shape == (1, 1, 0, 0)


@every
def test_a_sample_of_padding_does_not_affect_others(case: Case) -> None:
    for where in random_scenes(case, 10, seed=3):
        expected_masks = spread(case.pattern.dense(**where.arguments), where)[1:]
        annotations = {name: list(rows) for name, rows in where.annotations.items()}
        for name, width in (("valid", where.kv_len), ("valid_queries", where.offset + where.q_len)):
            annotations.setdefault(name, [np.ones(width, np.int64)] * where.batch)
            annotations[name][0] = np.zeros(width, np.int64)
        if "links" in annotations:
            annotations["links"][0] = [(-1, -1)] * len(annotations["links"][0])
        masks = spread(case.pattern.dense(**{**where.arguments, **annotations}), where)
        assert (masks[1:] == expected_masks).all(), where


@every
def test_fallbacks_fill_only_empty_rows(case: Case) -> None:
    for where in random_scenes(case, scenes(10, 30), seed=4):
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
