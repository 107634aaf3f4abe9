"""Arguments of the wrong type or shape: one clear line, whatever is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    """Fails at everything that a message might ask of it."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]


class Other:
    """Some other object; its ``repr`` is the same in every process, as pytest-xdist needs."""

    def __repr__(self) -> str:
        return "Other()"


OTHER = Other()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.15, "0.15"),
        ("a\nb", r"'a\nb'"),
        ("\ud800", r"'\ud800'"),
        ([1, "x"], "[1, 'x']"),
        (10**5000, "an integer of about 5,001 digits"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        (Hostile(), "<Hostile>"),
        ([Hostile()], "[<Hostile>]"),
    ],
    ids=lambda value: str(type(value)),
)
def test_values_in_messages(value: Any, text: str) -> None:
    assert shortened(value) == text


@pytest.mark.parametrize("value", ["a" * 10**6, list(range(10**6)), {i: i for i in range(9999)}])
def test_values_in_messages_are_short(value: Any) -> None:
    assert len(shortened(value)) <= 80


@pytest.mark.parametrize("rows", [None, 5, Hostile(), OTHER], ids=shortened)
def test_rows_that_are_none(rows: Any) -> None:
    with pytest.raises(TokenError, match=r"rows are .*; expected a sequence with one row of ids"):
        TokenBatch.from_lists(rows)


@pytest.mark.parametrize(
    "keys",
    ["abc", b"abc", {"a", "b", "c"}, {"a": 1, "b": 2, "c": 3}, 5, OTHER, Hostile()],
    ids=shortened,
)
def test_keys_that_are_no_sequence(keys: Any) -> None:
    with pytest.raises(TokenError, match=r"keys are .*; expected a sequence with one key"):
        TokenBatch.from_lists(ROWS, keys=keys)


@pytest.mark.parametrize(
    "key",
    [-1, 2**64, 10**5000, 1.0, np.float64(2), None, True, np.bool_(True), "\ud800", [1]],
    ids=shortened,
)
def test_keys_that_are_none(key: Any) -> None:
    for keys in ([1, key, 2], iter([1, key, 2])):
        with pytest.raises(TokenError, match="sample key"):
            TokenBatch.from_lists(ROWS, keys=keys)


@pytest.mark.parametrize(
    "keys",
    [np.array([1, -1, 2]), np.array([1.0, 2.0, 3.0]), np.ones((3, 1), np.uint64), np.array(3)],
    ids=shortened,
)
def test_arrays_that_are_no_keys(keys: Any) -> None:
    for make in (TokenBatch.from_lists, lambda rows, keys: TokenBatch([5], [0, 1, 1, 1], keys)):
        with pytest.raises(TokenError, match="key"):
            make(ROWS, keys=keys)


def test_keys_may_be_mixed_and_equal() -> None:
    mixed = keys_of([7, "7", b"7", np.int8(7), 7])
    assert mixed[0] == mixed[3] == mixed[4] != mixed[1] == mixed[2]
    assert keys_of([2**64 - 1]).tolist() == [2**64 - 1]


FLAGS = ["protected", "word_starts", "sentence_starts"]


@pytest.mark.parametrize("name", [*FLAGS, "scores"])
@pytest.mark.parametrize(
    "layer",
    [
        [["no", "no", "yes"], [], ["no"]],
        [[None, True, False], [], [True]],
        [[1, OTHER, 0], [], [1]],
        [["a"] * 3, [], [1]],
        ["abc", "", "d"],
        [[[1], [2], [3]], [], [[4]]],
        [[1j, 0, 0], [], [0]],
        [[1, 2, 2**64], [], [3]],
        [WRAPS, [], [1]],
        [1, 2, 3],
        None,
        "abc",
        Hostile(),
    ],
    ids=shortened,
)
def test_layers_that_are_no_numbers(name: str, layer: Any) -> None:
    with pytest.raises(TokenError, match=rf"layer '{name}' .*expected one "):
        TokenBatch.from_lists(ROWS, **{name: layer})


@pytest.mark.parametrize("name", FLAGS)
def test_flags_without_a_value_are_refused(name: str) -> None:
    with pytest.raises(TokenError, match=f"layer '{name}' has NaN among its values"):
        batch(ROWS, **{name: [[1.0, float("nan"), 0.0], [], [1.0]]})
    assert np.isnan(batch(ROWS, x=[[1.0, float("nan"), 0.0], [], [1.0]]).annotations["x"]).any()


def test_batches_without_samples_have_layers_without_values() -> None:
    for layer in ([], np.zeros((0, 3))):
        assert TokenBatch.from_lists([], x=layer).annotations["x"].size == 0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.uint64, np.float32])
def test_a_row_without_tokens_does_not_change_a_layer(dtype: Any) -> None:
    tokens = batch(ROWS, x=[np.ones(3, dtype), [], np.zeros(1, dtype)])
    assert tokens.annotations["x"].dtype == dtype


def test_integers_that_would_wrap_around() -> None:
    for make in (
        lambda: TokenBatch.from_flat(WRAPS, [0, 3]),
        lambda: TokenBatch.from_flat([5, 6, 7], np.array([0, 2**64 - 1], np.uint64)),
        lambda: TokenBatch.from_lists([WRAPS]),
        lambda: TokenBatch.from_lists([[5, 6, 2**63]]),
        lambda: Selection(WRAPS, [1, 1, 1], [0, 3], 9),
    ):
        with pytest.raises(TokenError, match=r"int|row 0"):
            make()
    fits = np.array([5, 6, 7], np.uint64)
    assert TokenBatch.from_flat(fits, [0, 3]).ids.tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    "fields",
    [
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
    ],
    ids=shortened,
)
def test_selections_of_something_else(fields: Any) -> None:
    with pytest.raises(TokenError):
        _ = Selection(*fields).mask


@pytest.mark.parametrize(
    "mask", [None, "abcd", ["a"] * 4, [0.5, None, 1, 1], np.ones((4, 1)), Hostile()], ids=shortened
)
def test_masks_of_something_else(mask: Any) -> None:
    with pytest.raises(TokenError, match="the mask"):
        Selection.from_mask(mask, batch(ROWS))


@pytest.mark.parametrize("name", ["seed", "epoch", "step", "progress"])
@pytest.mark.parametrize(
    "value",
    [
        *("x", "1", b"1", None, 1j, OTHER, Hostile(), [[0, 1]], [0, 1, 2], ["a", "b"], [0, [1]]),
        *(10**5000, [10**400, 1], float("nan"), np.array([2**64 - 1] * 3, np.uint64)),
    ],
    ids=shortened,
)
def test_times_of_something_else(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=rf"{name} (is|has)"):
        maskplug.strategy("dynamic")(equal_rows(2, 8), VOCAB, **{name: value})


IDS = ["mask_id", "pad_id", "bos_id", "eos_id"]


@pytest.mark.parametrize(
    "fields",
    [{"size": size} for size in (None, "9", 9.0, True, 0, -1, 2**40, 10**30, 10**5000, [9])]
    + [{name: value} for name in IDS for value in ("4", 4.0, True, [4], 10**5000, Hostile())]
    + [
        {name: value}
        for name in ("special_ids", "sentinel_ids")
        for value in (4, "4", ["4"], [4.0], [None], [[1], [2]], [True], [10**30], WRAPS, Hostile())
    ]
    + [
        {name: value}
        for name in ("word_start", "joins_next", "sentence_end")
        for value in ("abcdefghij", ["a"] * 10, [0.5] * 10, [None] * 10, 3, [[1]] * 10, Hostile())
    ]
    + [{"named": value} for value in (3, [1], {"a": "b"}, {"a": None}, {1: 2}, {"a": 10})],
    ids=shortened,
)
def test_fields_of_a_vocabulary(fields: dict[str, Any]) -> None:
    with pytest.raises(VocabularyError) as caught:
        Vocabulary(**{"size": 10, **fields})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pieces", [None, 3, "abc", [1, 2], ["a", None]], ids=shortened)
def test_pieces_of_something_else(pieces: Any) -> None:
    with pytest.raises(VocabularyError, match=r"piece"):
        Vocabulary.from_pieces(pieces)


ARGUMENTS: dict[str, list[Any]] = {
    "q_len": [None, "4", 4.0, -1, 2**40, 10**30, True, [4]],
    "kv_len": ["4", 4.0, -1, 2**40, 10**30],
    "heads": [None, "2", 2.0, 0, 2**40, 10**30],
    "offset": [None, "2", 0.5, -1, 2**40],
    "layer_idx": [None, "2", 0.5, -1, 2**40],
    "attention_kind": [None, 3, "here", ["encoder"], np.ones(2), Hostile()],
    "fallback": ["no", 3, ["self"], np.ones(2), Hostile()],
    "t": ["x", None, 0.5, -1, 2**64, Hostile()],
    "progress": ["x", None, [0.5, 0.5], Hostile()],
    "keys": [3, "a", [-1], [None], {1}],
    "documents": ["abcd", [0.5] * 4, [0, [1], 2, 3], np.array([2**64 - 1] * 4, np.uint64)],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in ARGUMENTS.items() for value in values],
    ids=shortened,
)
def test_arguments_of_patterns(name: str, value: Any) -> None:
    pattern = maskplug.pattern("document & ~full")
    arguments = {"q_len": 4, "kv_len": 4, "documents": [0, 0, 1, 1], "fallback": "self"}
    for render in (pattern.dense, pattern.intervals, pattern.additive):
        with pytest.raises(MaskplugError) as caught:
            render(**{**arguments, name: value})
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["x", int, "int32", object, Hostile()], ids=shortened)
def test_types_of_additive_masks(dtype: Any) -> None:
    with pytest.raises(OptionError, match="it must be a floating type"):
        maskplug.pattern("causal").additive(2, dtype=dtype)


@pytest.mark.parametrize(
    "size", [0, -1, "8", 2.5, 2**31, 10**30, (8,), (8, 0), None], ids=shortened
)
def test_sizes_of_blocks(size: Any) -> None:
    with pytest.raises(OptionError, match=r"block_size is"):
        maskplug.pattern("causal").block_mask(4, block_size=size, device="cpu")


def test_matrices_are_bounded() -> None:
    with pytest.raises(OptionError, match=r"cells; the limit is .* block_mask"):
        maskplug.pattern("causal").dense(2**17)


@pytest.mark.parametrize(
    "path",
    [
        *("a\0b", "\ud800", "~nouser/x", "/dev/zero", "a" * 5000, "no\nfile", Path("a\0b"), ""),
        {"path": 3, "digest": "x"},
        {"path": {"path": "x", "digest": "y"}, "digest": "z"},
    ],
    ids=shortened,
)
def test_paths_that_cannot_be_read(path: Any) -> None:
    for make in (Resource.of, lambda path: maskplug.strategy("pmi", ngrams=path)):
        with pytest.raises(OptionError, match=r"cannot be read|must be text") as caught:
            make(path)
        assert "\n" not in str(caught.value)
        str(caught.value).encode()
        assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "value",
    [np.array(["token"]), np.ones(3), ["token"], {"token"}, Hostile(), True, 1],
    ids=shortened,
)
def test_choices_of_something_else(value: Any) -> None:
    with pytest.raises(OptionError, match=r"'unit' is .*; it must be one of 'token'"):
        maskplug.strategy("dynamic", unit=value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"rate": 0.1, "rate": 0.2}', "--x: the key 'rate' is given twice"),
        ('{"clock": {"name": "every", "k": 2, "k": 3}}', "--x: the key 'k' is given twice"),
        ('{"rate": ' + "9" * 5000 + "}", "--x: the number .* has 5,000 digits"),
        ('{"rate": "' + "x" * 5000, "--x is not valid JSON: .* at column 10 of"),
        ("[" + "1," * 5000 + "1]", "--x must be a JSON object"),
        ("[" * 100_000, "--x: parts, lists or brackets are nested more than 50 deep"),
    ],
    ids=lambda text: text[:30],
)
def test_json_that_says_too_much(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        specs.options_from_json(text, "--x")
    assert len(str(caught.value)) < 300


def test_json_in_expressions_is_read_in_the_same_way() -> None:
    with pytest.raises(OptionError, match=r"cannot be read: the key 'end' is given twice"):
        maskplug.pattern('window:left={"name": "linear", "start": 1, "end": 2, "end": 3}')


@pytest.mark.parametrize("number", ["9" * 400, "9" * 999, "-" + "9" * 400, "1e400"])
def test_numbers_beyond_all_floats(number: str) -> None:
    for name in ("rate", "mask"):
        options = specs.options_from_json(f'{{"{name}": {number}}}', "--x")
        with pytest.raises(OptionError, match=f"option '{name}' is (an integer of|-?inf)"):
            maskplug.strategy("dynamic", **options)


@pytest.mark.parametrize(
    "name",
    [None, 3, "", " ", "\0", "\ud800", "a" * 10**6, "span@" + "9" * 5000, b"span", [], Hostile()],
)
def test_names_of_something_else(name: Any) -> None:
    for make in (maskplug.strategy, maskplug.pattern, lambda name: maskplug.part("clock", name)):
        with pytest.raises(MaskplugError) as caught:
            make(name)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1500
    with pytest.raises(MaskplugError, match="there is no kind"):
        maskplug.part(name, "epoch")


@pytest.mark.parametrize("name", [3, 10**5000, None, "\ud800", "a" * 10**6, b"rate"], ids=shortened)
def test_names_of_options_of_something_else(name: Any) -> None:
    with pytest.raises(OptionError, match="strategy 'dynamic@1' has no option") as caught:
        maskplug.strategy({"strategy": "dynamic", "options": {name: 1}})
    assert len(str(caught.value)) < 300
