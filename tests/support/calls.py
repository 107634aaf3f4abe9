"""Random calls of public entry points; each must return the same twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

import maskplug
from maskplug import Masked, Selection, TokenBatch, Vocabulary
from maskplug import spec as specs
from maskplug.attention.expression import parse
from maskplug.parts import Clock, Schedule
from maskplug.plugins import registry
from maskplug.preprocessing.resource import Resource
from maskplug.registry import KINDS
from maskplug.rng import key_of
from support.cases import RICH, case
from support.pools import (
    ENTRIES,
    NAMES,
    NEEDED,
    OPTIONS,
    TEXT,
    WHOLE,
    Random,
    changed,
    number,
    pick,
    value,
)

Call = Callable[[], Any]
ROWS = [[2, 17, 88, 31, 9, 40, 3], [2, 5, 3], [], [21, 22, 23, 24]]
BATCH = TokenBatch.from_lists(ROWS, keys=range(len(ROWS)))
LAYERS: dict[str, Any] = {
    "salient": BATCH.ids // 4 % 3,
    "languages": BATCH.ids // 30,
    "scores": BATCH.ids % 7 / 2,
    "losses": BATCH.ids % 5 / 10,
    "classes": BATCH.ids % 3,
}
FULL_BATCH = TokenBatch(BATCH.ids, BATCH.offsets, BATCH.keys, LAYERS)
SELF = {
    "valid": [1, 1, 1, 1],
    "documents": [0, 0, 1, 1],
    "order": [-1, 1, 0, 2],
    "segments": [0, 0, 1, 1],
    "sentence_starts": [1, 0, 1, 0],
    "section_starts": [1, 0, 0, 0],
    "global_tokens": [1, 0, 0, 0],
    "prefix_lengths": [2],
}
CROSS = {"query_documents": [0, 0, 1, 1], "sources_read": [1, 2, 3, 4], "links": [[(0, 0), (1, 2)]]}
STRATEGIES = [maskplug.strategy(name) for name in ("dynamic", "span", "t5", "mdlm", "bert")]
STRATEGIES += [maskplug.strategy("dynamic", rate={"name": "linear", "start": 0.1, "end": 0.9})]
PATTERNS = [maskplug.pattern(text) for text in ("causal", "random", "bigbird:block=1")]
PATTERNS += [maskplug.pattern("window(left=linear(1, 3)) & document"), maskplug.pattern("prefix")]


def result_of(masked: Masked) -> Any:
    """Return everything that a strategy returned, as text."""
    rows = [masked.inputs, masked.labels, masked.targets]
    lists = [None if r is None else (r.values.tolist(), r.offsets.tolist()) for r in rows]
    return repr((lists, masked.selection.mask.tolist(), masked.weights, masked.annotations))


def used(part: Any) -> Any:
    """Use a part that was built with random options, and return the results."""
    if isinstance(part, maskplug.Strategy):
        specs.to_json(part.spec)
        again = maskplug.strategy(json.loads(specs.to_json(part.spec)))
        assert again.fingerprint == part.fingerprint
        return repr(part), result_of(part(FULL_BATCH, RICH, seed=7, epoch=3, step=5, progress=0.5))
    if isinstance(part, maskplug.Pattern):
        return str(part), part.fingerprint, rendered(part)
    if isinstance(part, Schedule):
        return part(np.array([0.0, 0.3, 1.0])).tolist(), part.bounds
    if isinstance(part, Clock):
        return part(np.array([0, 9]), np.array([0, 2**40])).tolist()
    if part.kind == "selector":
        return used(maskplug.compose(part, clock="never"))
    return repr(part)


def rendered(pattern: maskplug.Pattern) -> Any:
    try:
        return pattern.dense(4, heads=2, **SELF).tolist()
    except maskplug.OptionError:  # for cross attention only
        return pattern.dense(4, heads=2, attention_kind="cross", **SELF, **CROSS).tolist()


def entries(rng: Random) -> Call:
    entry = pick(rng, ENTRIES)
    options = changed(rng, entry)
    if entry.kind == "strategy":
        return lambda: used(maskplug.strategy({"strategy": entry.label, "options": options}))
    return lambda: used(specs.resolve(entry.kind, {"name": entry.label, **options}))


def classes(rng: Random) -> Call:
    """Build parts in Python, where numbers are validated at once."""
    entry = pick(rng, [e for e in ENTRIES if isinstance(e.factory, type)])
    part = specs.resolve(entry.kind, {"name": entry.label, **NEEDED.get(entry.label, {})})
    hints = {f.name: str(f.type) for f in fields(part) if f.init}
    numeric = [name for name, hint in hints.items() if "int" in hint or "float" in hint]
    arguments = {name: number(rng) for name in numeric if rng.integers(2)}
    return lambda: used(replace(part, **arguments))


def names(rng: Random) -> Call:
    kind = value(rng) if rng.integers(4) == 0 else pick(rng, KINDS)
    name = value(rng) if rng.integers(2) else pick(rng, TEXT + NAMES + OPTIONS)
    which = rng.integers(3)
    if which == 0:
        return lambda: registry().find(kind, name).label
    if which == 1:
        return lambda: used(maskplug.strategy(name))
    return lambda: used(maskplug.pattern(name))


def texts(rng: Random) -> Call:
    """Parse JSON that was cut, doubled or filled with long numbers."""
    options = {pick(rng, OPTIONS): pick(rng, [1, 0.5, "x", None, [1], {"name": "epoch"}])}
    text = json.dumps(options)
    for _ in range(rng.integers(4)):
        at, end = sorted(int(i) for i in rng.integers(0, len(text) + 1, 2))
        new = pick(rng, ["", "[" * 900, "9" * 400, "9" * 5000, '{"a": 1, "a": 2}', ",", "NaN"])
        text = text[:at] + pick(rng, [new, text[at:end] * 2, pick(rng, TEXT)]) + text[end:]
    which = rng.integers(2)
    if which:
        return lambda: repr(specs.options_from_json(text, "--options"))
    return lambda: used(maskplug.strategy("dynamic", **specs.options_from_json(text, "here")))


PIECES = ["(", ")", "~", "&", "|", ",", ":", "=", "[", "]", "{", "}", " ", "null", "3", "-1", "0.5"]
PIECES += [
    "causal",
    "window",
    "left=4",
    "window:left=",
    "sink(2)",
    "linear(1, 9)",
    "document",
    "@1",
]
PIECES += ["9" * 400, "9" * 5000, '"a"', '{"name": "linear"}', "(" * 60, "~" * 60, "[" * 900, "é"]
PIECES += [" | ".join(["causal"] * 300), "alternating:patterns=", "(causal & ", "(full | "]
READABLE = ["causal", "window:left=4", "sink(2)", "~document", "(causal | full)", "prefix:length=1"]
READABLE += ["window(left=linear(1, 9))", "random(clock=never)", "alternating([causal, full])"]


def expressions(rng: Random) -> Call:
    text = "".join(pick(rng, PIECES) for _ in range(rng.integers(1, 9)))
    if rng.integers(2):  # operators between valid expressions
        names = [pick(rng, READABLE) for _ in range(rng.integers(1, 5))]
        text = "".join(f"{name} {pick(rng, ['&', '|', '& ~', ')', '&&'])} " for name in names)
        text += pick(rng, [*READABLE, text])
    if rng.integers(2):
        return lambda: used(maskplug.pattern(text))
    return lambda: repr(parse(text))


def vocabularies(rng: Random) -> Call:
    arguments: dict[str, Any] = {"size": 20, "mask_id": 4}
    every = ["size", "mask_id", "pad_id", "bos_id", "eos_id", "special_ids", "word_start"]
    every += ["joins_next", "sentinel_ids", "sentence_end", "named"]
    for _ in range(rng.integers(3)):
        arguments[pick(rng, every)] = pick(rng, [number, value])(rng)
    pieces = pick(rng, [["a", "▁b", "<mask>"], value(rng)])
    by_pieces = rng.integers(4) == 0

    def call() -> Any:
        ids = {"mask_id": arguments["mask_id"]}
        vocab = Vocabulary.from_pieces(pieces, **ids) if by_pieces else Vocabulary(**arguments)
        return vocab.special.sum(), len(vocab.ordinary), vocab.has_words

    return call


def batches(rng: Random) -> Call:
    rows = value(rng) if rng.integers(3) == 0 else pick(rng, [ROWS, [np.arange(3), [4]], [[7]]])
    keys = value(rng) if rng.integers(2) else pick(rng, [None, range(4), "ab", ["a", 1, b"c", "d"]])
    names = ["protected", "word_starts", "sentence_starts", "x"]
    shaped = [[[True] * 7, [0, 1, 0], [], [1] * 4], BATCH.ids > 9, [["a"] * 7, "abc", "", "abcd"]]
    annotations = (
        {pick(rng, names): pick(rng, [value(rng), pick(rng, shaped)])} if rng.integers(2) else {}
    )
    flat = pick(rng, [BATCH.ids, [1, 2], BATCH.ids.astype(np.uint64), value(rng)])
    offsets = pick(rng, [BATCH.offsets, [0, 2], value(rng)])

    def show(tokens: TokenBatch) -> Any:
        taken = tokens.take(np.arange(len(tokens))[::-1])
        return tokens.ids.tolist(), tokens.keys.tolist(), taken.lengths.tolist(), tokens.annotations

    if hasattr(rows, "__next__") or hasattr(keys, "__next__"):  # can be iterated only once
        rows, keys = ROWS, None
    if rng.integers(3):
        return lambda: repr(show(TokenBatch.from_lists(rows, keys, **annotations)))
    if rng.integers(2):
        return lambda: repr(show(TokenBatch.from_flat(flat, offsets, keys, annotations)))
    return lambda: repr(show(TokenBatch(flat, offsets, keys, annotations)))


def selections(rng: Random) -> Call:
    spans = [[0, 2], [1, 2], [0, 2, 2, 2, 2], len(BATCH.ids)]
    for _ in range(rng.integers(3)):
        spans[int(rng.integers(4))] = pick(rng, [value(rng), pick(rng, WHOLE), [0, -1], [1, 99]])
    mask = value(rng) if rng.integers(2) else BATCH.ids > 9

    def call() -> Any:
        selection = Selection(*spans)
        selection.check(BATCH)
        return selection.mask.tolist(), selection.numbers.tolist()

    if rng.integers(3):
        return call
    if rng.integers(2):
        return lambda: sum(Selection(*spans[:3], 99).mask)
    if rng.integers(2):
        return lambda: Selection(*spans).size
    return lambda: Selection.from_mask(mask, BATCH).mask.tolist()


def times(rng: Random) -> Call:
    """Mask with any seed, epoch, step and progress."""
    strategy = pick(rng, STRATEGIES)
    names = ["seed", "epoch", "step", "progress"]
    arguments = {name: pick(rng, [value, number])(rng) for name in names if rng.integers(2)}
    return lambda: result_of(strategy(BATCH, RICH, **arguments))


def annotations(rng: Random) -> Call:
    """Mask with any annotation, for strategies that require some."""
    label = pick(rng, ["salient@1", "tlm@1", "weighted@1", "self_evolution@1", "whole_word@1"])
    strategy = case(label).make(label)
    names = [*strategy.required_annotations, "protected", "word_starts"]
    new = pick(
        rng, [value(rng), np.full(len(BATCH.ids), number(rng)), np.full(len(BATCH.ids), np.inf)]
    )
    added = {**LAYERS, pick(rng, names): new}
    return lambda: result_of(
        strategy(TokenBatch.from_flat(BATCH.ids, BATCH.offsets, None, added), RICH)
    )


def renderers(rng: Random) -> Call:
    pattern = pick(rng, PATTERNS)
    arguments: dict[str, Any] = {"q_len": 4, "kv_len": 4, **SELF}
    every = ["q_len", "kv_len", "t", "epoch", "progress", "seed", "keys", "heads", "offset"]
    every += ["attention_kind", "layer_idx", "fallback", "documents", "valid", "prefix_lengths"]
    for _ in range(rng.integers(3)):
        arguments[pick(rng, every)] = pick(rng, [value, number])(rng)
    which = rng.integers(4)
    if which == 0:
        return lambda: pattern.intervals(**arguments).to_lists()
    if which == 1:
        return lambda: pattern.dense(**arguments).tolist()
    dtype = pick(rng, [np.float32, "float16", value(rng)])
    block = pick(rng, [2, (3, 1), value(rng)])
    if which == 2:
        return lambda: pattern.additive(**arguments, dtype=dtype).tolist()
    return lambda: repr(pattern.block_mask(**arguments, block_size=block, device="cpu"))


def keys(rng: Random) -> Call:
    key = value(rng)
    return lambda: key_of(key)


def files(rng: Random) -> Call:
    path = value(rng)
    return lambda: Resource.of(path).digest


CALLS: dict[str, Callable[[Random], Call]] = {
    make.__name__: make
    for make in (entries, entries, classes, names, texts, expressions, vocabularies, batches)
}
CALLS |= {make.__name__: make for make in (selections, times, annotations, renderers, keys, files)}
