"""A run is compared with the checkpoint that it resumes, whatever the checkpoint holds."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import maskplug
from maskplug.checkpoint import compare
from maskplug.errors import SpecMismatchError
from support.rubbish import JSON, nested, tampered

STRATEGY = maskplug.strategy("span", rate=0.2)
RECORD = {"spec": STRATEGY.spec, "fingerprint": STRATEGY.fingerprint, "seed": 3}


def described(record: Any) -> str:
    return f"the strategy {record['spec'].get('strategy')} and the seed {record['seed']}"


def check(saved: Any, allow: bool = False, current: Any = RECORD, **options: Any) -> str | None:
    return compare(
        saved, current, described, checkpoint="step 5", allow=allow, override="--allow", **options
    )


def refused(saved: Any) -> str:
    """The message of the refusal; allowed, it is the warning."""
    before = copy.deepcopy(saved)
    with pytest.raises(SpecMismatchError) as error:
        check(saved)
    message = str(error.value)
    assert message.startswith("step 5 ")
    assert message.endswith("or allow the new ones: --allow")
    assert "\n" not in message
    warning = check(saved, allow=True)
    assert warning is not None
    assert warning.endswith("; continuing with the new ones")
    assert warning.split("; continuing")[0] == message.split(". Resume")[0]
    assert repr(saved) == repr(before)
    return message


def test_equal_records_pass_also_after_json() -> None:
    assert check(RECORD) is None
    assert check(json.loads(json.dumps(RECORD))) is None


@pytest.mark.parametrize(
    "saved",
    [
        np.zeros(3),
        {1, 2},
        b"bytes",
        object(),
        {**RECORD, "seed": 10**5000},
        {**RECORD, "spec": {"strategy": nested(5000)}},
        {**RECORD, "spec": {"strategy": np.zeros(3)}},
        {**RECORD, 5: "five"},
        {**RECORD, "more": {1, 2}},
    ],
    ids=lambda saved: type(saved).__name__,
)
def test_values_without_json_form(saved: Any) -> None:
    with pytest.raises(SpecMismatchError, match=r"holds a damaged masking spec.*--allow$"):
        check(saved)
    assert "damaged" in (check(saved, allow=True) or "")


def test_missing_record_is_refused() -> None:
    message = refused(None)
    assert "holds no masking spec" in message
    assert "this run has the strategy span@1 and the seed 3" in message


@given(JSON)
def test_any_value_but_the_record_is_refused(saved: Any) -> None:
    assert ("no masking spec" if saved is None else "a damaged masking spec") in refused(saved)


@given(tampered(RECORD))
def test_a_tampered_record_is_refused(saved: Any) -> None:
    refused(saved)


@pytest.mark.parametrize(("seed", "equal"), [(1, True), (True, False), (1.0, False), ("1", False)])
def test_types_are_compared(seed: Any, equal: bool) -> None:
    current = {**RECORD, "seed": 1}
    saved = {**RECORD, "seed": seed}
    if equal:
        assert check(saved, current=current) is None
    else:
        with pytest.raises(SpecMismatchError, match="its 'seed' is of type"):
            check(saved, current=current)


def test_differing_record_is_described() -> None:
    other = maskplug.strategy("dynamic")
    saved = {"spec": other.spec, "fingerprint": other.fingerprint, "seed": 4}
    message = refused(saved)
    assert "was trained with the strategy dynamic@1 and the seed 4; this run has the" in message


def test_missing_optional_names_differ() -> None:
    current = {**RECORD, "sentinels": 5}
    for saved, now in ((RECORD, current), (current, RECORD)):
        with pytest.raises(SpecMismatchError, match="was trained with"):
            check(saved, current=now, optional=("sentinels",))
