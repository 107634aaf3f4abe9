"""The checks of strategies: sound strategies pass, and each check finds its defects."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

import maskplug
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.testing import (
    CHECKS,
    NotApplicable,
    Report,
    Subject,
    check,
    known_exceptions,
    parametrize_with_checks,
    rich_vocabulary,
)
from maskplug.testing.known import BUILT_IN
from support.broken import BROKEN, FACTORIES, Broken
from support.cases import CASES, LABELS, RICH, case
from support.synthetic import KNOWN, SOUND

BY_NAME = {one.__name__: one for one in CHECKS}
EXAMPLES = [(name, example) for name, examples in BROKEN.items() for example in examples]


def passes(report: Report) -> None:
    """Nothing fails that is not declared, and nothing is declared that does not fail."""
    assert report.ok, str(report)
    assert not report.having("declared but passes"), str(report)


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry("strategy", name, 1, build, "broken") for name, build in FACTORIES.items()]
    monkeypatch.setattr(registry(), "entries", [*registry().entries, *entries])


def test_every_check_has_a_broken_example() -> None:
    assert list(BROKEN) == list(BY_NAME)
    assert all(BROKEN.values())


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("name", "example"), EXAMPLES, ids=[f"{name}-{e.message}" for name, e in EXAMPLES]
)
def test_check_finds_its_defect(name: str, example: Broken) -> None:
    with pytest.raises(AssertionError, match=example.message):
        BY_NAME[name](Subject.of(example.make()))


@pytest.mark.parametrize(
    "name",
    [
        "check_padding",
        pytest.param("check_empty_rows", marks=pytest.mark.slow),
        pytest.param("check_annotations", marks=pytest.mark.slow),
    ],
)
def test_all_checks_run_on_a_broken_strategy(name: str) -> None:
    report = check(BROKEN[name][0].make())
    assert len(report.results) == len(CHECKS)
    assert name in {result.check for result in report.having("failed")}
    assert not report.ok


@pytest.mark.parametrize("label", LABELS)
def test_built_in_strategies_pass(label: str) -> None:
    options = case(label)
    passes(check(label, options=options.options, vocab=RICH, annotations=options.annotations))


def test_unusual_strategies_pass_and_each_check_applies_to_some() -> None:
    reports = [check("dynamic", seed=1)]
    reports += [check(strategy, known=KNOWN.get(name)) for name, strategy in SOUND.items()]
    for report in reports:
        passes(report)
    results = [result for report in reports for result in report.results]
    assert {r.check for r in results if r.outcome != "not applicable"} == set(BY_NAME)


@pytest.mark.parametrize(("name", "seed"), [("span", 1), ("word_dropout", 2)])
def test_other_rows_and_draws_pass(name: str, seed: int) -> None:
    passes(check(name, seed=seed))


def test_a_vocabulary_without_special_tokens_passes() -> None:
    report = check("dynamic", vocab=maskplug.Vocabulary(size=50, mask_id=0))
    passes(report)
    assert "check_padding" in {r.check for r in report.having("not applicable")}


def test_required_annotations_are_created() -> None:
    subject = Subject.of(SOUND["annotation"])
    assert set(subject.batch.annotations) == {"score"}
    assert set(subject.batch.annotations["score"].tolist()) == {0, 1, 2, 3}
    zeros = Subject.of(SOUND["annotation"], annotations=lambda tokens: {"score": 0 * tokens.ids})
    assert not zeros.batch.annotations["score"].any()


def test_report_shows_exceptions_with_their_reasons() -> None:
    checks = [BY_NAME["check_repr"], BY_NAME["check_pickle"]]
    report = check("none", known={"check_repr": "only here"}, checks=checks)
    assert report.ok
    assert [r.outcome for r in report.results] == ["declared but passes", "passed"]
    assert str(report) == (
        "none@1: 1 declared but passes, 1 passed\ncheck_repr declared but passes: only here"
    )


@pytest.mark.parametrize(
    ("known", "message"),
    [({"check_reprs": "x"}, "did you mean 'check_repr'"), ({"check_repr": ""}, "has no reason")],
)
def test_an_exception_needs_a_check_and_a_reason(known: dict[str, str], message: str) -> None:
    with pytest.raises(maskplug.OptionError, match=message):
        check("dynamic", known=known, checks=[])
    with pytest.raises(maskplug.OptionError, match=message):
        known_exceptions(**known)


def test_exceptions_of_built_ins_name_built_ins_and_checks() -> None:
    assert set(BUILT_IN) <= set(LABELS)
    assert set(CASES) <= set(LABELS)
    assert all(set(reasons) <= set(BY_NAME) for reasons in BUILT_IN.values())


def test_an_unexpected_error_is_a_failure_with_its_position() -> None:
    def check_nothing(subject: Subject) -> None:
        raise ZeroDivisionError("unlucky")

    report = check("dynamic", checks=[check_nothing])
    assert not report.ok
    assert "ZeroDivisionError: unlucky\n(raised in " in report.results[0].message


def test_checks_import_pytest_late_and_refuse_to_run_without_assertions() -> None:
    code = """
import sys
from maskplug.testing import check
print({"pytest", "numba", "rich"} & {*sys.modules})
check("dynamic")
"""
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n"
    assert done.returncode == 1
    assert "python -O" in done.stderr


def test_codec_restores_texts() -> None:
    vocab = rich_vocabulary()
    codec = vocab.codec
    assert codec is not None
    text = codec.decode(vocab.ordinary.tolist())
    for start in range(len(text)):
        assert codec.decode(codec.encode(text[start:])) == text[start:]
    with pytest.raises(ValueError, match="no piece matches 'É'"):
        codec.encode("É")


def test_vocabularies_of_checks_and_tests_have_the_same_tokens() -> None:
    vocab = rich_vocabulary()
    assert {text: vocab.named.get(text) for text in RICH.named} == RICH.named
    assert (vocab.sentinel_ids == RICH.sentinel_ids).all()


def test_a_subject_is_a_name_a_spec_or_a_strategy() -> None:
    strategy = maskplug.strategy("span", rate=0.4)
    by_name = Subject.of("span", options={"rate": 0.4})
    for subject in (by_name, Subject.of(strategy), Subject.of(strategy.spec)):
        assert subject.strategy.fingerprint == strategy.fingerprint
    assert Subject.of(replace(strategy, label="ghost@1")).entry is None


def params(*strategies: object, **options: object) -> list[Any]:
    """Return what the decorator passes to pytest."""
    mark = parametrize_with_checks(strategies, **options).mark  # type: ignore[arg-type, attr-defined]
    assert mark.args[0] == ("subject", "check")
    return list(mark.args[1])


def test_there_is_a_parameter_for_each_strategy_and_check() -> None:
    cases = params("dynamic", maskplug.strategy("span", rate=0.4))
    assert len(cases) == 2 * len(CHECKS)
    assert cases[0].id == "dynamic@1-spec_round_trip"
    assert cases[-1].id == "span@1-missing_mask"
    assert cases[-1].values[0].strategy.spec["options"]["rate"] == 0.4


def test_known_exceptions_are_expected_to_fail() -> None:
    cases = params("none", known={"check_labels": "ours"})
    marked = {p.id: p.marks[0].kwargs["reason"] for p in cases if p.marks}
    assert marked["none@1-labels"] == "ours"
    assert "baseline" in marked["none@1-something_is_predicted"]


@parametrize_with_checks([maskplug.strategy("dynamic", unit="word", clock="step")])
def test_decorator(subject, check):  # type: ignore[no-untyped-def]
    check(subject)


@parametrize_with_checks(["dynamic"], checks=[BY_NAME["check_sentinels"]])
def test_not_applicable_is_skipped(subject, check):  # type: ignore[no-untyped-def]
    with pytest.raises(NotApplicable, match="no sentinels are written"):
        check(subject)
