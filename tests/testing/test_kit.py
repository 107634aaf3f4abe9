"""Every strategy that there is keeps the promises, and synthetic ones of rarer kinds do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

import maskplug
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.testing import CHECKS, Report, Subject, check, known_exceptions, rich_vocabulary
from maskplug.testing.checks.api import check_pickle, check_repr
from maskplug.testing.known import BUILT_IN
from support.cases import CASES, RICH, case
from support.synthetic import KNOWN, SOUND

LABELS = [e.label for e in registry().of_kind("strategy") if e.provider == BUILTIN]


def passes(report: Report) -> None:
    """Nothing fails that is not declared, and nothing is declared that does not fail."""
    assert report.ok, str(report)
    assert not report.having("declared but passes"), str(report)


@pytest.mark.parametrize("label", LABELS)
def test_every_built_in_strategy_keeps_the_promises(label: str) -> None:
    given = case(label)
    passes(check(label, options=given.options, vocab=RICH, annotations=given.annotations))


def test_the_example_of_a_plugin_keeps_them() -> None:
    passes(check("periodic"))


@pytest.mark.parametrize("name", SOUND)
def test_strategies_of_rarer_kinds_keep_them(name: str) -> None:
    passes(check(SOUND[name], known=KNOWN.get(name)))


def test_each_check_applies_to_something() -> None:
    applied = set()
    for made in (maskplug.strategy("dynamic"), SOUND["sentinels"], SOUND["weights"]):
        report = check(made)
        applied |= {r.check for r in report.results} - {
            r.check for r in report.having("not applicable")
        }
    assert applied == {one.__name__ for one in CHECKS}


@pytest.mark.parametrize("seed", [1, 2])
def test_other_rows_and_draws_pass_as_well(seed: int) -> None:
    for name in ("dynamic", "span", "word_dropout"):
        passes(check(name, seed=seed))


def test_a_vocabulary_without_special_tokens_will_do() -> None:
    bare = maskplug.Vocabulary(size=50, mask_id=0)
    report = check("dynamic", vocab=bare)
    passes(report)
    assert "check_padding" in {r.check for r in report.having("not applicable")}


def test_layers_are_made_where_they_are_read() -> None:
    subject = Subject.of(SOUND["layer"])
    assert set(subject.batch.annotations) == {"score"}
    assert set(subject.batch.annotations["score"].tolist()) == {0, 1, 2, 3}
    given = Subject.of(SOUND["layer"], annotations=lambda tokens: {"score": 0 * tokens.ids})
    assert not given.batch.annotations["score"].any()


def test_exceptions_are_told_with_their_reason() -> None:
    report = check("none", known={"check_repr": "only here"}, checks=[check_repr, check_pickle])
    assert report.ok
    assert [r.outcome for r in report.results] == ["declared but passes", "passed"]
    assert str(report) == (
        "none@1: 1 declared but passes, 1 passed\ncheck_repr declared but passes: only here"
    )


@pytest.mark.parametrize(
    ("known", "said"),
    [({"check_reprs": "x"}, "did you mean 'check_repr'"), ({"check_repr": ""}, "without a reason")],
)
def test_an_exception_names_a_check_and_a_reason(known: dict[str, str], said: str) -> None:
    with pytest.raises(maskplug.OptionError, match=said):
        check("dynamic", known=known, checks=[])
    with pytest.raises(maskplug.OptionError, match=said):
        known_exceptions(**known)


def test_exceptions_of_built_ins_are_for_built_ins_and_checks() -> None:
    assert set(BUILT_IN) <= set(LABELS)
    names = {one.__name__ for one in CHECKS}
    assert all(set(reasons) <= names for reasons in BUILT_IN.values())


def test_an_unforeseen_error_becomes_a_failure_that_says_where() -> None:
    def check_nothing(subject: Subject) -> None:
        raise ZeroDivisionError("unlucky")

    report = check("dynamic", checks=[check_nothing])
    assert not report.ok
    assert "ZeroDivisionError: unlucky\n(raised in " in report.results[0].message


def test_the_kit_needs_no_pytest_and_no_numba_to_be_imported() -> None:
    code = (
        "import sys, maskplug.testing; print(sorted({'pytest', 'numba', 'rich'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_assertions_that_python_leaves_out_are_not_mistaken_for_passed_ones() -> None:
    code = "from maskplug.testing import check; check('dynamic')"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "python -O" in done.stderr


def test_the_codec_gives_back_what_it_is_given() -> None:
    vocab = rich_vocabulary()
    codec = vocab.codec
    assert codec is not None
    text = codec.decode(vocab.ordinary.tolist())
    for start in range(len(text)):
        assert codec.decode(codec.encode(text[start:])) == text[start:]
    with pytest.raises(ValueError, match="no piece spells 'É'"):
        codec.encode("É")


def test_the_vocabularies_of_kit_and_tests_name_the_same_tokens() -> None:
    vocab = rich_vocabulary()
    assert {text: vocab.named.get(text) for text in RICH.named} == RICH.named
    assert (vocab.sentinel_ids == RICH.sentinel_ids).all()
    assert set(CASES) <= set(LABELS)


def test_subjects_take_names_specs_and_strategies() -> None:
    made = maskplug.strategy("span", rate=0.4)
    for given in (made, made.spec):
        assert Subject.of(given).strategy.fingerprint == made.fingerprint
    assert Subject.of("span", options={"rate": 0.4}).strategy.fingerprint == made.fingerprint
    assert Subject.of(replace(made, label="ghost@1")).entry is None
