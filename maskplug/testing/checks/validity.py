"""Results are well-formed: shapes, ids, the selection, unchosen tokens and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

import numpy as np

from maskplug.errors import ResultError
from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.targets.labels import in_place
from maskplug.testing.outcome import shown
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import BoolArray, IntArray

Rule = Callable[[Subject, TokenBatch, Masked], None]
#: The rules for every masked batch.
RULES: list[Rule] = []


def _rule(rule: Rule) -> Callable[[Subject], None]:
    """Add a rule, and return the check that applies it to batches of the subject."""
    RULES.append(rule)

    @wraps(rule)
    def check(subject: Subject) -> None:
        for tokens, masked in subject.masked_batches:
            rule(subject, tokens, masked)

    return check


def where(tokens: TokenBatch, flags: BoolArray) -> str:
    """Return the position of the first True, given one flag per token, for messages."""
    index = int(np.flatnonzero(flags)[0])
    row = int(np.searchsorted(tokens.offsets, index, side="right")) - 1
    return f"sample {row}, position {index - tokens.offsets[row]}, id {tokens.ids[index]}"


@_rule
def check_shapes(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Inputs, labels, targets, sources and offsets have matching shapes."""
    inputs, labels, targets = masked.inputs, masked.labels, masked.targets
    for name, rows in (("inputs", inputs), ("labels", labels), ("targets", targets)):
        if rows is not None:
            _check_rows(name, rows, len(tokens))
    if labels is not None:
        assert np.array_equal(labels.offsets, inputs.offsets), (
            "labels are not aligned with the inputs, one per input: use targets for predictions of "
            "another length"
        )
    if inputs.sources is None:
        assert np.array_equal(inputs.offsets, tokens.offsets), (
            "inputs have other lengths than the tokens, but no sources; a replacement that adds or "
            "removes tokens must return the source of each (see replacements/rewritten.py)"
        )
        return
    first, past = (
        np.repeat(edge, inputs.lengths) for edge in (tokens.offsets[:-1], tokens.offsets[1:])
    )
    sources = inputs.sources
    foreign = (sources != -1) & ((sources < first) | (sources >= past))
    assert not foreign.any(), (
        f"the source {sources[foreign][0]} of an input is outside its sample; sources are "
        "positions in the flat array of the original, and -1 for a new token"
    )


def _check_rows(name: str, rows: Ragged, samples: int) -> None:
    assert rows.values.dtype == np.int64, f"{name} are {rows.values.dtype}; they must be int64"
    offsets = rows.offsets
    assert len(rows) == samples, f"{name} have {len(rows)} rows for {samples} samples"
    rising = offsets[0] == 0 and offsets[-1] == len(rows.values) and (rows.lengths >= 0).all()
    assert rising, (
        f"the offsets of {name} do not increase from 0 to {len(rows.values)}: {shown(offsets)}"
    )


def check_annotations(subject: Subject) -> None:
    """Annotations of the result are numbers, aligned with its ids."""
    if not any(masked.annotations or masked.target_annotations for masked in subject.samples):
        raise NotApplicable("the strategy returns no annotations")
    for tokens, masked in subject.masked_batches:
        _check_annotations(subject, tokens, masked)


def _check_annotations(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    for kind, columns, rows in (
        ("annotation", masked.annotations, masked.inputs),
        ("target annotation", masked.target_annotations, masked.targets),
    ):
        for name, values in columns.items():
            size = 0 if rows is None else len(rows.values)
            assert values.shape == (size,), (
                f"the {kind} {name!r} has shape {values.shape}; it must have one value per id"
            )
            assert values.dtype.kind in "biuf", (
                f"the {kind} {name!r} is {values.dtype}; annotations must be numeric arrays, since "
                "adapters convert them to tensors"
            )
            assert values.dtype.kind != "f" or np.isfinite(values).all(), (
                f"the {kind} {name!r} has values that are not finite"
            )


RULES.append(_check_annotations)


@_rule
def check_ids_in_vocabulary(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """All ids of inputs, labels and targets are in the vocabulary."""
    size = subject.vocab.size
    for name in ("inputs", "labels", "targets"):
        rows = getattr(masked, name)
        if rows is None:
            continue
        bad = (rows.values < 0) | (rows.values >= size)
        if name == "labels":
            bad &= rows.values != IGNORE
        assert not bad.any(), (
            f"{name} contain {rows.values[bad][0]}, but ids range from 0 to {size - 1}"
            + (f" (or {IGNORE} where nothing is predicted)" if name == "labels" else "")
        )


@_rule
def check_selection(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """The selection refers to the original; its spans are sorted, disjoint and within rows."""
    try:
        masked.selection.check(tokens)
    except ResultError as error:
        raise AssertionError(str(error)) from error


@_rule
def check_specials_are_not_chosen(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Special tokens are never chosen."""
    _check_chosen(subject, tokens, masked)


def _check_chosen(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    wrong = masked.selection.mask & ~subject.may_be_chosen(tokens)
    assert not wrong.any(), (
        f"a special or protected token is chosen ({where(tokens, wrong)}): choose among "
        "units(tokens, vocab)"
    )


def check_protected_tokens_are_not_chosen(subject: Subject) -> None:
    """Tokens with the annotation "protected" are never chosen."""
    batch = subject.batch
    protected = np.arange(len(batch.ids)) % 3 == 0
    protected |= batch.annotations.get("protected", np.False_)
    annotations = {**batch.annotations, "protected": protected}
    tokens = TokenBatch(batch.ids, batch.offsets, batch.keys, annotations)
    for epoch in range(3):
        _check_chosen(subject, tokens, subject.mask(tokens, epoch=epoch))


@_rule
def check_specials_are_not_produced(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """No special tokens are written except the mask, sentinels and named tokens."""
    vocab, inputs, sources = subject.vocab, masked.inputs, _sources(masked)
    new = sources < 0
    written = new.copy()
    written[~new] = inputs.values[~new] != tokens.ids[sources[~new]]
    writable = [vocab.mask_id, *vocab.sentinel_ids.tolist(), *vocab.named.values()]
    wrong = written & vocab.special[inputs.values] & ~_is_in(inputs.values, writable)
    wrong &= ~(new & _is_in(inputs.values, [vocab.bos_id, vocab.eos_id]))  # may be inserted
    assert not wrong.any(), (
        f"the special token {inputs.values[wrong][0]} is written into the inputs, but it is "
        "neither the mask nor a sentinel nor a named token: draw random tokens from vocab.ordinary"
    )


def _is_in(values: IntArray, ids: Sequence[int | None]) -> BoolArray:
    return np.isin(values, [i for i in ids if i is not None])


def _sources(masked: Masked) -> IntArray:
    """Return the position of each input in the original, -1 for new tokens."""
    inputs = masked.inputs
    return np.arange(len(inputs.values)) if inputs.sources is None else inputs.sources


@_rule
def check_unchosen_tokens_stay(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Tokens that are not chosen appear in the inputs once, unchanged."""
    inputs, chosen, sources = masked.inputs, masked.selection.mask, _sources(masked)
    old = sources >= 0
    counts = np.bincount(sources[old], minlength=len(tokens.ids))
    lost = ~chosen & (counts != 1)
    assert not lost.any(), (
        f"a token that was not chosen ({where(tokens, lost)}) is in the inputs "
        f"{counts[lost][0]} times, not once"
    )
    changed = np.zeros(len(tokens.ids), np.bool_)
    changed[sources[old]] = inputs.values[old] != tokens.ids[sources[old]]
    wrong = changed & ~chosen
    assert not wrong.any(), (
        f"a token that was not chosen ({where(tokens, wrong)}) is changed: add everything that is "
        "replaced to the selection"
    )


@_rule
def check_lengths_within_bounds(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Rows are not longer than ``strategy.bounds`` predicts."""
    bounds = subject.strategy.bounds(tokens.lengths)
    outputs = masked.labels if masked.targets is None else masked.targets
    for name, rows, bound in zip(
        ("inputs", "predictions"), (masked.inputs, outputs), bounds, strict=True
    ):
        if rows is None:
            continue
        over = rows.lengths > bound
        assert not over.any(), (
            f"{name} of sample {np.flatnonzero(over)[0]} have {rows.lengths[over][0]} tokens, but "
            f"the bound is {bound[over][0]}: batches would exceed the planned size. Override "
            "bound() in the part that adds tokens"
        )


def check_labels(subject: Subject) -> None:
    """Labels in place are the original ids at chosen tokens, and -100 elsewhere."""
    batch = subject.batch
    for masked in subject.samples:
        if masked.labels is None or not in_place(masked.inputs, batch):
            raise NotApplicable("nothing is predicted in place")
        labels, chosen = masked.labels.values, masked.selection.mask
        outside = (labels != IGNORE) & ~chosen
        assert not outside.any(), (
            f"a token that was not chosen has a label ({where(batch, outside)}); it must be "
            f"{IGNORE}"
        )
        other = (labels != IGNORE) & (labels != batch.ids)
        assert not other.any(), (
            f"a label is not the original token ({where(batch, other)}, label {labels[other][0]}): "
            "take labels from tokens.ids, never from the inputs"
        )
