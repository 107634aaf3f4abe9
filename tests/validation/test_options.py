"""Arguments of the wrong type, shape or range: one error in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import maskplug
from maskplug import Selection, TokenBatch, Vocabulary
from maskplug import spec as specs
from maskplug.errors import MaskplugError, OptionError, TokenError, VocabularyError, shortened
from maskplug.preprocessing.resource import Resource
from maskplug.rng import keys_of
from support.batches import VOCAB, batch, equal_rows

ROWS = [[5, 6, 7], [], [8]]
WRAPS = np.array([5, 6, 2**64 - 1], np.uint64)


class Hostile:
    """An object whose ``repr`` and comparison fail."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]


class Other:
    """An object with the same ``repr`` in every process, as pytest-xdist needs."""

    def __repr__(self) -> str:
        return "Other()"


OTHER, HOSTILE = Other(), Hostile()


class Refused(NamedTuple):
    """A call that refuses each of some values with an error."""

    call: Callable[[Any], Any]
    values: Iterable[Any]
    error: type[MaskplugError]
    message: str


def refused_field(name: str, values: Iterable[Any]) -> Refused:
    """Values that a field of a vocabulary refuses."""
    return Refused(lambda v: Vocabulary(**{"size": 10, name: v}), values, VocabularyError, "")


def named(name: str) -> Callable[[Any], Any]:
    return lambda annotation: TokenBatch.from_lists(ROWS, **{name: annotation})


def mask_at(name: str) -> Callable[[Any], Any]:
    return lambda v: maskplug.strategy("dynamic")(equal_rows(2, 8), VOCAB, **{name: v})


FLAGS = ["protected", "word_starts", "sentence_starts"]
NOT_ANNOTATIONS = [
    [["no", "no", "yes"], [], ["no"]],
    [[None, True, False], [], [True]],
    [[1, OTHER, 0], [], [1]],
    [["a"] * 3, [], [1]],
    ["abc", "", "d"],
    [[[1], [2], [3]], [], [[4]]],
    [[1j, 0, 0], [], [0]],
    [[1, 2, 2**64], [], [3]],
    [WRAPS, [], [1]],
    *([1, 2, 3], None, "abc", HOSTILE),
]
NOT_KEYS = [-1, 2**64, 10**5000, 1.0, np.float64(2), None, True, np.bool_(True), "\ud800", [1]]
NOT_TIMES = ["x", "1", b"1", None, 1j, OTHER, HOSTILE, [[0, 1]], [0, 1, 2], ["a", "b"], [0, [1]]]
NOT_TIMES += [10**5000, [10**400, 1], float("nan"), np.array([2**64 - 1] * 3, np.uint64)]
NOT_SELECTIONS = [
    (None, [1], [0, 1], 3),
    ([0.5], [1], [0, 1], 3),
    ([0], ["a"], [0, 1], 3),
    ([0], [1], [], 3),
    ([0], [1], [0, 1], -1),
    ([0], [1], [0, 1], 2.0),
    ([0], [1], [0, 1], 10**5000),
    ([0], [9], [0, 1], 3),
    ([-1], [1], [0, 1], 3),
    ([2**63 - 1], [2**63 - 1], [0, 1], 3),
    ([0, 1], [1], [0, 2], 3),
]
NOT_PATHS = ["a\0b", "\ud800", "~nouser/x", "/dev/zero", "a" * 5000, "no\nfile", Path("a\0b"), ""]
NOT_PATHS += [{"path": 3, "digest": "x"}, {"path": {"path": "x", "digest": "y"}, "digest": "z"}]
NOT_IDS = [4, "4", ["4"], [4.0], [None], [[1], [2]], [True], [10**30], WRAPS, HOSTILE]
NOT_TABLES = ["abcdefghij", ["a"] * 10, [0.5] * 10, [None] * 10, 3, [[1]] * 10, HOSTILE]
CALLS: dict[str, Refused] = {
    "rows": Refused(
        TokenBatch.from_lists,
        [None, 5, HOSTILE, OTHER],
        TokenError,
        "rows are .*; expected a sequence with one row of ids",
    ),
    "keys": Refused(
        lambda keys: TokenBatch.from_lists(ROWS, keys=keys),
        ["abc", b"abc", {"a", "b", "c"}, {"a": 1, "b": 2, "c": 3}, 5, OTHER, HOSTILE],
        TokenError,
        "keys are .*; expected a sequence with one key",
    ),
    "key": Refused(
        lambda key: TokenBatch.from_lists(ROWS, keys=[1, key, 2]),
        NOT_KEYS,
        TokenError,
        "sample key",
    ),
    "array of keys": Refused(
        lambda keys: TokenBatch.from_lists(ROWS, keys=keys),
        [np.array([1, -1, 2]), np.array([1.0, 2, 3]), np.ones((3, 1), np.uint64), np.array(3)],
        TokenError,
        "key",
    ),
    **{
        name: Refused(named(name), NOT_ANNOTATIONS, TokenError, f"'{name}' .*expected one ")
        for name in [*FLAGS, "scores"]
    },
    "selection": Refused(lambda v: Selection(*v).mask, NOT_SELECTIONS, TokenError, ""),
    "mask": Refused(
        lambda mask: Selection.from_mask(mask, batch(ROWS)),
        [None, "abcd", ["a"] * 4, [0.5, None, 1, 1], np.ones((4, 1)), HOSTILE],
        TokenError,
        "the mask",
    ),
    **{
        name: Refused(mask_at(name), NOT_TIMES, OptionError, f"{name} (is|has)")
        for name in ("seed", "epoch", "step", "progress")
    },
    "size": refused_field("size", [None, "9", 9.0, True, 0, -1, 2**40, 10**30, 10**5000, [9]]),
    **{
        name: refused_field(name, ["4", 4.0, True, [4], 10**5000, HOSTILE])
        for name in ("mask_id", "pad_id", "bos_id", "eos_id")
    },
    **{name: refused_field(name, NOT_IDS) for name in ("special_ids", "sentinel_ids")},
    **{
        name: refused_field(name, NOT_TABLES)
        for name in ("word_start", "joins_next", "sentence_end")
    },
    "named": refused_field("named", [3, [1], {"a": "b"}, {"a": None}, {1: 2}, {"a": 10}]),
    "pieces": Refused(
        Vocabulary.from_pieces, [None, 3, "abc", [1, 2], ["a", None]], VocabularyError, "piece"
    ),
    "dtype": Refused(
        lambda dtype: maskplug.pattern("causal").additive(2, dtype=dtype),
        ["x", int, "int32", object, HOSTILE],
        OptionError,
        "it must be a floating type",
    ),
    "block size": Refused(
        lambda size: maskplug.pattern("causal").block_mask(4, block_size=size, device="cpu"),
        [0, -1, "8", 2.5, 2**31, 10**30, (8,), (8, 0), None],
        OptionError,
        "block_size is",
    ),
    "matrix": Refused(
        maskplug.pattern("causal").dense, [2**17], OptionError, "cells; the limit is .* block_mask"
    ),
    "path": Refused(Resource.of, NOT_PATHS, OptionError, "cannot be read|must be text"),
    "path of ngrams": Refused(
        lambda path: maskplug.strategy("pmi", ngrams=path),
        NOT_PATHS,
        OptionError,
        "cannot be read|must be text",
    ),
    "choice": Refused(
        lambda value: maskplug.strategy("dynamic", unit=value),
        [np.array(["token"]), np.ones(3), ["token"], {"token"}, HOSTILE, True, 1],
        OptionError,
        "'unit' is .*; it must be one of 'token'",
    ),
    "name of an option": Refused(
        lambda name: maskplug.strategy({"strategy": "dynamic", "options": {name: 1}}),
        [3, 10**5000, None, "\ud800", "a" * 10**6, b"rate"],
        OptionError,
        "strategy 'dynamic@1' has no option",
    ),
}


def check_refused(call: Callable[[Any], Any], value: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message or None) as caught:
        call(value)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 1500
    text.encode()


@pytest.mark.parametrize("name", CALLS)
def test_values_are_refused(name: str) -> None:
    call, values, error, message = CALLS[name]
    for value in values:
        check_refused(call, value, error, message)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.15, "0.15"),
        ("a\nb", r"'a\nb'"),
        ("\ud800", r"'\ud800'"),
        ([1, "x"], "[1, 'x']"),
        (10**5000, "an integer of about 5,001 digits"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        (HOSTILE, "<Hostile>"),
        ([HOSTILE], "[<Hostile>]"),
    ],
    ids=lambda value: str(type(value)),
)
def test_values_in_messages(value: Any, text: str) -> None:
    assert shortened(value) == text


@pytest.mark.parametrize("value", ["a" * 10**6, list(range(10**6)), {i: i for i in range(9999)}])
def test_values_in_messages_are_short(value: Any) -> None:
    assert len(shortened(value)) <= 80


def test_keys_may_have_mixed_types_and_be_equal() -> None:
    mixed = keys_of([7, "7", b"7", np.int8(7), 7])
    assert mixed[0] == mixed[3] == mixed[4] != mixed[1] == mixed[2]
    assert keys_of([2**64 - 1]).tolist() == [2**64 - 1]


@pytest.mark.parametrize("name", FLAGS)
def test_flags_must_not_be_nan(name: str) -> None:
    values = [[1.0, float("nan"), 0.0], [], [1.0]]
    with pytest.raises(TokenError, match=f"'{name}' has NaN among its values"):
        batch(ROWS, **{name: values})
    assert np.isnan(batch(ROWS, x=values).annotations["x"]).any()


def test_batches_without_samples_have_empty_annotations() -> None:
    for values in ([], np.zeros((0, 3))):
        assert TokenBatch.from_lists([], x=values).annotations["x"].size == 0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.uint64, np.float32])
def test_a_row_without_tokens_does_not_change_the_dtype(dtype: Any) -> None:
    tokens = batch(ROWS, x=[np.ones(3, dtype), [], np.zeros(1, dtype)])
    assert tokens.annotations["x"].dtype == dtype


def test_integers_must_fit_into_64_bits() -> None:
    for call in (
        lambda: TokenBatch.from_flat(WRAPS, [0, 3]),
        lambda: TokenBatch.from_flat([5, 6, 7], np.array([0, 2**64 - 1], np.uint64)),
        lambda: TokenBatch.from_lists([WRAPS]),
        lambda: TokenBatch.from_lists([[5, 6, 2**63]]),
        lambda: Selection(WRAPS, [1, 1, 1], [0, 3], 9),
    ):
        with pytest.raises(TokenError, match=r"int|row 0"):
            call()
    fits = np.array([5, 6, 7], np.uint64)
    assert TokenBatch.from_flat(fits, [0, 3]).ids.tolist() == [5, 6, 7]


ARGUMENTS: dict[str, list[Any]] = {
    "q_len": [None, "4", 4.0, -1, 2**40, 10**30, True, [4]],
    "kv_len": ["4", 4.0, -1, 2**40, 10**30],
    "heads": [None, "2", 2.0, 0, 2**40, 10**30],
    "offset": [None, "2", 0.5, -1, 2**40],
    "layer_idx": [None, "2", 0.5, -1, 2**40],
    "attention_kind": [None, 3, "here", ["encoder"], np.ones(2), HOSTILE],
    "fallback": ["no", 3, ["self"], np.ones(2), HOSTILE],
    "t": ["x", None, 0.5, -1, 2**64, HOSTILE],
    "progress": ["x", None, [0.5, 0.5], HOSTILE],
    "keys": [3, "a", [-1], [None], {1}],
    "documents": ["abcd", [0.5] * 4, [0, [1], 2, 3], np.array([2**64 - 1] * 4, np.uint64)],
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_patterns(name: str) -> None:
    pattern = maskplug.pattern("document & ~full")
    arguments = {"q_len": 4, "kv_len": 4, "documents": [0, 0, 1, 1], "fallback": "self"}
    for value in ARGUMENTS[name]:
        for render in (pattern.dense, pattern.intervals, pattern.additive):
            check_refused(lambda v: render(**{**arguments, name: v}), value, MaskplugError, "")  # noqa: B023


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"rate": 0.1, "rate": 0.2}', "--x: duplicate key 'rate' in a JSON object"),
        ('{"clock": {"name": "every", "k": 2, "k": 3}}', "--x: duplicate key 'k' in a JSON object"),
        ('{"rate": ' + "9" * 5000 + "}", "--x: the number .* has 5,000 digits"),
        ('{"rate": "' + "x" * 5000, "--x is not valid JSON: .* at column 10 of"),
        ("[" + "1," * 5000 + "1]", "--x must be a JSON object"),
        ("[" * 100_000, "--x: parts, lists or brackets are nested more than 50 deep"),
        ("{rate: 0.1}", r"--x is not valid JSON: .* at column 2 of '\{rate: 0.1\}'"),
        ("", "--x is not valid JSON"),
        ("[1]", r"--x must be a JSON object such as .*, not \[1\]"),
        ("0.15", "must be a JSON object"),
    ],
    ids=lambda text: text[:30],
)
def test_invalid_json_options(text: str, message: str) -> None:
    check_refused(lambda text: specs.options_from_json(text, "--x"), text, OptionError, message)
    assert specs.options_from_json('{"rate": 0.2}', "--x") == {"rate": 0.2}


def test_json_in_expressions_is_validated_too() -> None:
    with pytest.raises(OptionError, match=r"cannot be read.*duplicate key 'end'"):
        maskplug.pattern('window:left={"name": "linear", "start": 1, "end": 2, "end": 3}')


@pytest.mark.parametrize("number", ["9" * 400, "9" * 999, "-" + "9" * 400, "1e400"])
def test_numbers_that_do_not_fit_into_a_float(number: str) -> None:
    for name in ("rate", "mask"):
        options = specs.options_from_json(f'{{"{name}": {number}}}', "--x")
        with pytest.raises(OptionError, match=f"option '{name}' is (an integer of|-?inf)"):
            maskplug.strategy("dynamic", **options)


NOT_NAMES = [None, 3, "", " ", "\0", "\ud800", "a" * 10**6, "span@" + "9" * 5000, b"span", []]


@pytest.mark.parametrize("name", [*NOT_NAMES, HOSTILE], ids=shortened)
def test_invalid_names(name: Any) -> None:
    for call in (maskplug.strategy, maskplug.pattern, lambda n: maskplug.part("clock", n)):
        check_refused(call, name, MaskplugError, "")
    with pytest.raises(MaskplugError, match="there is no kind"):
        maskplug.part(name, "epoch")
