"""What a strategy returns is well-formed: shapes, ids, what was chosen and what was left alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.targets.labels import in_place
from maskplug.testing.outcome import shown
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import BoolArray, IntArray


def where(tokens: TokenBatch, flags: BoolArray) -> str:
    """The first True of one value a token, for messages."""
    place = int(np.flatnonzero(flags)[0])
    row = int(np.searchsorted(tokens.offsets, place, side="right")) - 1
    return f"sample {row}, position {place - tokens.offsets[row]}, id {tokens.ids[place]}"


def _rows_are_sound(name: str, rows: Ragged, samples: int) -> None:
    assert rows.values.dtype == np.int64, (
        f"{name} are {rows.values.dtype}; they are int64, like the ids"
    )
    offsets = rows.offsets
    assert len(rows) == samples, f"{name} have {len(rows)} rows for {samples} samples"
    rising = offsets[0] == 0 and offsets[-1] == len(rows.values) and (rows.lengths >= 0).all()
    assert rising, (
        f"the offsets of {name} do not rise from 0 to {len(rows.values)}: {shown(offsets)}"
    )


def shapes(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Rows, layers and sources fit together."""
    inputs, labels, targets = masked.inputs, masked.labels, masked.targets
    for name, rows in (("inputs", inputs), ("labels", labels), ("targets", targets)):
        if rows is not None:
            _rows_are_sound(name, rows, len(tokens))
    if labels is not None:
        assert np.array_equal(labels.offsets, inputs.offsets), (
            "labels are not aligned with the inputs, one for each: use targets for predictions of "
            "another length"
        )
    if inputs.sources is None:
        assert np.array_equal(inputs.offsets, tokens.offsets), (
            "inputs have other lengths than the tokens, and no sources; a replacement that adds or "
            "leaves out tokens tells where each came from (see replacements/rewritten.py)"
        )
        return
    first, past = (
        np.repeat(edge, inputs.lengths) for edge in (tokens.offsets[:-1], tokens.offsets[1:])
    )
    sources = inputs.sources
    foreign = (sources != -1) & ((sources < first) | (sources >= past))
    assert not foreign.any(), (
        f"the source {sources[foreign][0]} of an input lies outside its sample; sources are "
        "positions in the flat array of the original, and -1 for a new token"
    )


def annotations_are_numeric(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Layers are numbers, one for each input or target."""
    for kind, given, rows in (
        ("layer", masked.annotations, masked.inputs),
        ("target layer", masked.target_annotations, masked.targets),
    ):
        for name, values in given.items():
            size = 0 if rows is None else len(rows.values)
            assert values.shape == (size,), (
                f"{kind} {name!r} has shape {values.shape}; it has one value for each id"
            )
            assert values.dtype.kind in "biuf", (
                f"{kind} {name!r} is {values.dtype}; layers are arrays of numbers, since adapters "
                "make tensors of them"
            )
            assert values.dtype.kind != "f" or np.isfinite(values).all(), (
                f"{kind} {name!r} holds values that are not finite"
            )


def ids_in_vocabulary(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Every id that the model is given or asked for exists."""
    size = subject.vocab.size
    for name, rows in (
        ("inputs", masked.inputs),
        ("labels", masked.labels),
        ("targets", masked.targets),
    ):
        if rows is None:
            continue
        bad = (rows.values < 0) | (rows.values >= size)
        if name == "labels":
            bad &= rows.values != IGNORE
        assert not bad.any(), (
            f"{name} hold {rows.values[bad][0]}, and ids run from 0 to {size - 1}"
            + (f" (or {IGNORE} where nothing is predicted)" if name == "labels" else "")
        )


def selection(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Chosen spans are sorted, disjoint, and inside their rows."""
    spans = masked.selection
    assert spans.size == len(tokens.ids), (
        f"the selection is one of {spans.size} tokens, and the batch has {len(tokens.ids)}: it "
        "tells what was chosen of the original"
    )
    assert len(spans) == len(tokens), f"{len(spans)} rows of spans for {len(tokens)} samples"
    assert len(spans.starts) == len(spans.lengths) == spans.offsets[-1], (
        f"{len(spans.starts)} starts, {len(spans.lengths)} lengths and offsets up to "
        f"{spans.offsets[-1]}: one of each for every span"
    )
    assert (spans.lengths >= 0).all(), "a span has a negative length"
    ends, rows = spans.starts + spans.lengths, spans.rows
    inside = (spans.starts >= tokens.offsets[rows]) & (ends <= tokens.offsets[rows + 1])
    assert inside.all(), (
        f"the span from {spans.starts[~inside][0]} to {ends[~inside][0]} is not inside its sample; "
        "starts are positions in the flat ids"
    )
    assert (spans.starts[1:] >= ends[:-1]).all(), (
        "spans are not sorted or overlap; build selections with candidates.take(chosen) or "
        "Selection.from_mask"
    )


def chosen_may_be_chosen(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Special and protected tokens are never chosen."""
    wrong = masked.selection.mask & ~subject.may_be_chosen(tokens)
    assert not wrong.any(), (
        f"a special or protected token is chosen ({where(tokens, wrong)}): choose among "
        "units(tokens, vocab)"
    )


def specials_are_not_produced(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """What is written is ordinary, or a token that is there to be written."""
    vocab, inputs = subject.vocab, masked.inputs
    sources = _sources(masked)
    new = sources < 0
    written = new.copy()
    written[~new] = inputs.values[~new] != tokens.ids[sources[~new]]
    writable = [vocab.mask_id, *vocab.sentinel_ids.tolist(), *vocab.named.values()]
    wrong = written & vocab.special[inputs.values] & ~_is(inputs.values, writable)
    wrong &= ~(new & _is(inputs.values, [vocab.bos_id, vocab.eos_id]))  # added, in no one's place
    assert not wrong.any(), (
        f"the special token {inputs.values[wrong][0]} is written into the inputs, and it is "
        "neither the mask nor a sentinel nor a named token: draw random tokens from vocab.ordinary"
    )


def _is(values: IntArray, ids: Sequence[int | None]) -> BoolArray:
    return np.isin(values, [i for i in ids if i is not None])


def _sources(masked: Masked) -> IntArray:
    """Where each input stood in the original, -1 for new ones."""
    inputs = masked.inputs
    return np.arange(len(inputs.values)) if inputs.sources is None else inputs.sources


def unchosen_tokens_stay(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """Tokens that were not chosen are read as they were, each once."""
    inputs, chosen, sources = masked.inputs, masked.selection.mask, _sources(masked)
    old = sources >= 0
    times = np.bincount(sources[old], minlength=len(tokens.ids))
    lost = ~chosen & (times != 1)
    assert not lost.any(), (
        f"a token that was not chosen ({where(tokens, lost)}) is in the inputs "
        f"{times[lost][0]} times, not once"
    )
    changed = np.zeros(len(tokens.ids), np.bool_)
    changed[sources[old]] = inputs.values[old] != tokens.ids[sources[old]]
    wrong = changed & ~chosen
    assert not wrong.any(), (
        f"a token that was not chosen ({where(tokens, wrong)}) is changed: put into the selection "
        "whatever is replaced"
    )


def lengths_within_bounds(subject: Subject, tokens: TokenBatch, masked: Masked) -> None:
    """No row is longer than the strategy said before it was masked."""
    bounds = subject.strategy.bounds(tokens.lengths)
    outputs = masked.labels if masked.targets is None else masked.targets
    for name, rows, bound in zip(
        ("inputs", "predictions"), (masked.inputs, outputs), bounds, strict=True
    ):
        if rows is None:
            continue
        over = rows.lengths > bound
        assert not over.any(), (
            f"{name} of sample {np.flatnonzero(over)[0]} have {rows.lengths[over][0]} tokens, and "
            f"the bound is {bound[over][0]}: batches would grow beyond what was planned. Override "
            "bound() in the part that adds tokens"
        )


#: All that holds for every batch, whatever its rows.
ALWAYS = (
    shapes,
    annotations_are_numeric,
    ids_in_vocabulary,
    selection,
    chosen_may_be_chosen,
    specials_are_not_produced,
    unchosen_tokens_stay,
    lengths_within_bounds,
)


def check_shapes(subject: Subject) -> None:
    """Inputs, labels, targets, sources and offsets fit together."""
    for masked in subject.samples:
        shapes(subject, subject.batch, masked)


def check_layers(subject: Subject) -> None:
    """Layers of the result are numbers, aligned with its ids."""
    if not any(masked.annotations or masked.target_annotations for masked in subject.samples):
        raise NotApplicable("the strategy returns no layers")
    for masked in subject.samples:
        annotations_are_numeric(subject, subject.batch, masked)


def check_ids_in_vocabulary(subject: Subject) -> None:
    """All ids of inputs, labels and targets are in the vocabulary."""
    for masked in subject.samples:
        ids_in_vocabulary(subject, subject.batch, masked)


def check_selection(subject: Subject) -> None:
    """The selection is sorted, disjoint, within rows, and one of the original."""
    for masked in subject.samples:
        selection(subject, subject.batch, masked)


def check_specials_are_not_chosen(subject: Subject) -> None:
    """Special tokens are never chosen."""
    for masked in subject.samples:
        chosen_may_be_chosen(subject, subject.batch, masked)


def check_protected_tokens_are_not_chosen(subject: Subject) -> None:
    """Tokens under the layer "protected" are never chosen, whatever else is true of them."""
    batch = subject.batch
    protected = np.arange(len(batch.ids)) % 3 == 0
    dressed = {
        **batch.annotations,
        "protected": protected | batch.annotations.get("protected", False),
    }
    tokens = TokenBatch(batch.ids, batch.offsets, batch.keys, dressed)
    for epoch in range(3):
        chosen_may_be_chosen(subject, tokens, subject.mask(tokens, epoch=epoch))


def check_specials_are_not_produced(subject: Subject) -> None:
    """No special token is written but the mask, sentinels and named tokens."""
    tokens = subject.equal_rows(np.arange(200, dtype=np.uint64))
    specials_are_not_produced(subject, tokens, subject.mask(tokens))


def check_unchosen_tokens_stay(subject: Subject) -> None:
    """Tokens that were not chosen are neither changed nor lost nor doubled."""
    for masked in subject.samples:
        unchosen_tokens_stay(subject, subject.batch, masked)


def check_lengths_within_bounds(subject: Subject) -> None:
    """Rows are no longer than ``strategy.bounds`` said."""
    tokens = subject.equal_rows(np.arange(200, dtype=np.uint64))
    lengths_within_bounds(subject, tokens, subject.mask(tokens))
    for masked in subject.samples:
        lengths_within_bounds(subject, subject.batch, masked)


def check_labels(subject: Subject) -> None:
    """In place, a label is the original id where that was chosen, and -100 elsewhere."""
    batch = subject.batch
    for masked in subject.samples:
        if masked.labels is None or not in_place(masked.inputs, batch):
            raise NotApplicable("nothing is predicted in place")
        labels, chosen = masked.labels.values, masked.selection.mask
        outside = (labels != IGNORE) & ~chosen
        assert not outside.any(), (
            f"a token that was not chosen has a label ({where(batch, outside)}); there it is "
            f"{IGNORE}"
        )
        other = (labels != IGNORE) & (labels != batch.ids)
        assert not other.any(), (
            f"a label is not the original token ({where(batch, other)}, label {labels[other][0]}): "
            "take labels from tokens.ids, never from the inputs"
        )
