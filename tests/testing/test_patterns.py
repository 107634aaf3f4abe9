"""The checks of patterns: sound patterns pass, and each check finds its defects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.errors import TokenError
from maskplug.plugins import registry
from maskplug.registry import BUILTIN, Entry
from maskplug.testing import (
    PATTERN_CHECKS,
    NotApplicable,
    PatternSubject,
    Report,
    Sample,
    check_pattern,
    known_exceptions,
    parametrize_with_pattern_checks,
)
from maskplug.testing.pattern_subject import LENGTHS_OF
from support.broken_patterns import BROKEN, CLASSES, SOUND, Broken, Causal

BY_NAME = {one.__name__: one for one in PATTERN_CHECKS}
EXAMPLES = [(name, example) for name, examples in BROKEN.items() for example in examples]
#: Patterns with options, and expressions.
MORE = [
    "window(left=3)",
    "window(left=linear(0, 6), right=2)",
    "wait_k(k=2)",
    "wait_k(k=1, most=6, catchup=0.3)",
    "aligned(radius=1, fallback=nearest)",
    "monotonic(lookback=2)",
    "document & padding | causal & ~sink(n=2)",
    "alternating(patterns=[causal, document, random(rate=0.5)])",
    "bigbird(block=2, random=1, clock=step)",
    "block_diffusion(block=3)",
    "chunked(size=4, shift=1)",
    "dilated(left=2, right=1, dilation=3)",
    "fixed(stride=4)",
    "global_tokens(positions=null)",
    "permutation(order=drawn)",
    "prefix(length=3)",
    "random(rate=0.5, per_head=true)",
    "sentence(heads=true)",
    "strided(stride=3)",
    "unilm(mode=mixture)",
]


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry("pattern", cls.__name__.lower(), 1, cls, "broken") for cls in CLASSES]
    monkeypatch.setattr(registry(), "entries", [*registry().entries, *entries])


def without_options() -> list[str]:
    """Return the built-in patterns that need no options."""
    labels = []
    for entry in registry().of_kind("pattern"):
        try:
            maskplug.pattern(entry.pinned)
        except maskplug.OptionError:
            continue
        if entry.provider == BUILTIN:
            labels.append(entry.pinned)
    return labels


def passes(report: Report) -> None:
    assert report.ok, str(report)
    assert not report.having("declared but passes"), str(report)


def test_every_built_in_pattern_is_checked() -> None:
    patterns = [maskplug.pattern(text) for text in (*without_options(), *MORE)]
    parts = [part for pattern in patterns for part in pattern.parts]
    names = {part.spec["name"] for part in parts if isinstance(part, Pattern)}
    assert names == {e.label for e in registry().of_kind("pattern") if e.provider == BUILTIN}


@pytest.mark.parametrize("text", [*without_options(), *MORE])
def test_built_in_patterns_pass(text: str) -> None:
    passes(check_pattern(text))


@pytest.mark.parametrize("name", SOUND)
def test_unusual_patterns_pass(name: str) -> None:
    report = check_pattern(SOUND[name]())
    passes(report)
    assert "check_is_dynamic" in {result.check for result in report.having("not applicable")}


def test_each_check_applies_to_some_pattern() -> None:
    applied = set()
    for text in ("document", "bigbird(block=2, random=1, clock=step)"):
        applied |= {r.check for r in check_pattern(text).results if r.outcome == "passed"}
    assert applied == set(BY_NAME)


def test_every_check_has_a_broken_example() -> None:
    assert list(BROKEN) == list(BY_NAME)
    assert all(BROKEN.values())


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("name", "example"), EXAMPLES, ids=[f"{name}-{e.message}" for name, e in EXAMPLES]
)
def test_check_finds_its_defect(name: str, example: Broken) -> None:
    with pytest.raises(AssertionError, match=f"(?s){example.message}"):
        BY_NAME[name](PatternSubject.of(example.make()))


def test_unregistered_patterns_fail_only_the_checks_of_specs() -> None:
    report = check_pattern(Causal())
    assert {result.check for result in report.having("failed")} == {
        "check_spec_round_trip",
        "check_expression_round_trip",
        "check_unknown_option",
        "check_wrong_option",
    }


def test_all_checks_run_on_a_broken_pattern() -> None:
    report = check_pattern(BROKEN["check_result"][3].make())
    assert not report.ok
    assert len(report.results) == len(PATTERN_CHECKS)


@dataclass(frozen=True)
class Named(Pattern):
    """Require an annotation of each shape."""

    required_annotations = ("gates", "share", "pairs")

    def rows(self, site: AttentionCall) -> Intervals:
        gates = site.per_token("gates", "named")
        share = site.per_sample("share", "named")
        sample, first, _ = site.pairs("pairs", "named")
        least = np.zeros(site.batch, np.int64)
        np.maximum.at(least, sample, first)
        last = share + least + gates.max(1)
        return site.intervals((0 * site.q, last[:, None, None]))


def annotations(sample: Sample) -> dict[str, Any]:
    return {
        "gates": np.arange(sample.kv_len) % 2 if sample.kv_len > 1 else [1],
        "share": sample.kv_len // 2,
        "pairs": [(i, i) for i in range(sample.number)],
    }


def test_annotations_are_created_per_sample() -> None:
    subject = PatternSubject.of(Named(), annotations=annotations)
    batch = subject.batch("cross", left=2, right=1)
    assert batch.annotations["gates"].shape == (6, 20)
    assert batch.annotations["gates"][4, :8].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert batch.annotations["valid"].sum(1).tolist() == list(subject.lengths)
    assert batch.annotations["share"].tolist() == [6, 0, 8, 4, 1, 2]
    assert [len(pairs) for pairs in batch.annotations["pairs"]] == [0, 1, 2, 3, 4, 5]
    checks = [check for name, check in BY_NAME.items() if "pad" in name or "type" in name]
    passes(check_pattern(Named(), annotations=annotations, checks=checks))


def test_cross_attention_has_other_numbers_of_queries_than_keys() -> None:
    for sample in PatternSubject.of("full").batch("cross").samples:
        assert sample.q_len != sample.kv_len
        assert sample.q_len >= 1


def test_an_annotation_of_wrong_shape_is_named() -> None:
    with pytest.raises(TokenError, match="the annotation 'share' has the shapes"):
        PatternSubject.of(Named(), lambda s: {**annotations(s), "share": [1, 2, 3]}).batch(
            "encoder"
        )


def test_attention_kinds_that_the_pattern_accepts() -> None:
    assert PatternSubject.of("full").attention_kinds == ("encoder", "decoder", "cross")
    assert PatternSubject.of("wait_k(k=2)").attention_kinds == ("cross",)
    report = check_pattern("wait_k(k=2)", checks=[BY_NAME["check_offset"]])
    assert report.results[0].message == "there is no cache of queries in cross attention"


def test_lengths_and_seed() -> None:
    subject = PatternSubject.of("full", lengths=[4, 6], seed=3)
    assert [sample.kv_len for sample in subject.batch("encoder").samples] == [4, 6]
    assert check_pattern("wait_k(k=1, most=9)", lengths=[40], seed=5).ok
    for wrong in ([], [3, 0]):
        with pytest.raises(maskplug.OptionError, match="lengths are"):
            PatternSubject.of("full", lengths=wrong)
    with pytest.raises(maskplug.OptionError, match="seed is -1"):
        PatternSubject.of("full", seed=-1)
    assert all(min(lengths) > 1 for lengths in LENGTHS_OF.values())


def test_known_exceptions_of_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = known_exceptions(check_is_dynamic="it has a clock for later")(
        type("Marked", (BROKEN["check_is_dynamic"][0].make,), {"__doc__": "Marked."})  # type: ignore[arg-type]
    )
    entry = Entry("pattern", "marked", 1, marked, "broken")
    monkeypatch.setattr(registry(), "entries", [*registry().entries, entry])
    report = check_pattern("marked", checks=[BY_NAME["check_is_dynamic"], BY_NAME["check_pickle"]])
    assert report.having("known")[0].message == "it has a clock for later"
    with pytest.raises(maskplug.OptionError, match="did you mean 'check_is_dynamic'"):
        check_pattern("full", known={"check_is_dynamc": "x"})


def params(*patterns: object, **options: object) -> list[Any]:
    """Return what the decorator passes to pytest."""
    mark = parametrize_with_pattern_checks(patterns, **options).mark  # type: ignore[arg-type, attr-defined]
    return list(mark.args[1])


def test_there_is_a_parameter_for_each_pattern_and_check() -> None:
    cases = params("causal", maskplug.pattern("window(left=4)"), known={"check_is_dynamic": "ours"})
    assert len(cases) == 2 * len(PATTERN_CHECKS)
    assert cases[0].id == "causal-result"
    assert cases[-1].id == "window:left=4,right=0-layer_idx_is_declared"
    assert [p.marks[0].kwargs["reason"] for p in cases if p.marks] == ["ours", "ours"]
    (skipped,) = (p for p in cases if p.id == "causal-wrong_option")
    with pytest.raises(NotApplicable, match="the pattern has no options"):
        skipped.values[1](skipped.values[0])


@parametrize_with_pattern_checks([maskplug.pattern("document")])
def test_decorator(subject, check):  # type: ignore[no-untyped-def]
    check(subject)
