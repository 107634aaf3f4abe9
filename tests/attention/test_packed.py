"""Every pattern combined with document: a packed document has the mask that it has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.attention.documents import Documents
from maskplug.errors import TokenError
from maskplug.types import BoolArray
from support.attention_cases import CASES
from support.packed_rows import Rows, rows
from support.scale import scenes
from support.scenes import Case, attention_call

pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")
#: Every built-in pattern, except those that need the annotation documents.
EVERY = [case for case in CASES if "documents" not in case.pattern.all_required_annotations]
every = pytest.mark.parametrize("case", EVERY, ids=[case.text for case in EVERY])


def joined(case: Case, number: int) -> Pattern:
    """Return the pattern of a case, its complement, or a combination."""
    pattern = case.pattern
    if number % 3 == 1:
        return ~pattern
    return (pattern | ~maskplug.pattern("sink:n=2")) if number % 3 == 2 else pattern


def check(pattern: Pattern, packed: Rows, dense: BoolArray) -> None:
    """Compare packed rows with the masks of single documents; other cells are hidden."""
    for text in packed.texts:
        alone = pattern.dense(**packed.alone(text))[0]
        row = dense[min(text.row, len(dense) - 1)][:, text.queries]
        heads = max(len(row), len(alone))
        row, alone = (np.broadcast_to(one, (heads, *one.shape[1:])) for one in (row, alone))
        others = np.delete(row, text.keys, axis=2)
        assert (row[:, :, text.keys] == alone).all(), (str(pattern), packed, text)
        assert not others.any(), (str(pattern), packed, text)


@every
@pytest.mark.parametrize("together", [True, False], ids=["together", "scattered"])
def test_packed_equals_alone(case: Case, together: bool) -> None:
    rng = np.random.default_rng(len(case.text))
    for number in range(scenes(6, 12)):
        pattern, packed = joined(case, number), rows(case, rng, together)
        dense = (pattern & maskplug.pattern("document")).dense(**packed.arguments)
        check(pattern, packed, dense)


@every
def test_a_cache_gives_the_last_rows(case: Case) -> None:
    rng = np.random.default_rng(len(case.text))
    for number in range(scenes(3, 6)):
        pattern = joined(case, number) & maskplug.pattern("document")
        packed = rows(case, rng)
        if packed.attention_kind == "encoder" or not case.offsets:
            continue
        whole = pattern.dense(**packed.arguments)
        offset = int(rng.integers(0, packed.queries))
        shorter = {**packed.arguments, "q_len": packed.queries - offset, "offset": offset}
        assert (pattern.dense(**shorter) == whole[:, :, offset:]).all()


def test_fallbacks_stay_in_the_document() -> None:
    pattern = maskplug.pattern("~causal & document")
    documents = [0, 0, 1, 1, 1]
    first = pattern.dense(5, documents=documents, fallback="first")[0, 0]
    assert np.flatnonzero(first[4]).tolist() == [2]
    assert np.flatnonzero(first[1]).tolist() == [0]
    filled = pattern.dense(5, documents=documents, fallback="self")[0, 0]
    assert np.flatnonzero(filled[4]).tolist() == [4]


def test_patterns_not_combined_with_document_count_in_the_row() -> None:
    documents = np.repeat([0, 1], 3)
    for text in ("sink:n=1", "sink:n=1 | document", "~(causal & document)"):
        assert maskplug.pattern(text).dense(6, documents=documents)[0, 0, 5, 0], text
        assert not maskplug.pattern(f"({text}) & document").dense(6, documents=documents)[
            0, 0, 5, 0
        ]


@pytest.mark.parametrize(
    ("text", "separates"),
    [
        ("document", True),
        ("document & window:left=2", True),
        ("window:left=2 & (document | causal & document)", True),
        ("alternating:patterns=[document] & causal", True),
        ("window:left=2", False),
        ("document | sink", False),
        ("~document", False),
        ("alternating(patterns=[full, document])", False),
    ],
)
def test_separates(text: str, separates: bool) -> None:
    assert maskplug.pattern(text).separates is separates


def test_documents_draw_by_their_own_or_their_row_s_key() -> None:
    pattern, documents = maskplug.pattern("random:rate=0.5 & document"), np.repeat([0, 1], 6)
    by_row = pattern.dense(12, documents=documents, seed=3, keys=[5])[0, 0]
    alone = maskplug.pattern("random:rate=0.5").dense(6, seed=3, keys=[5])[0, 0]
    assert (by_row == np.kron(np.eye(2, dtype=bool), alone)).all()
    keys = np.repeat(np.array([5, 2**64 - 1], np.uint64), 6)
    by_document = pattern.dense(12, documents=documents, seed=3, document_keys=keys)[0, 0]
    last = maskplug.pattern("random:rate=0.5").dense(6, seed=3, keys=[2**64 - 1])[0, 0]
    assert (by_document[:6, :6] == alone).all()
    assert (by_document[6:, 6:] == last).all()


@pytest.mark.parametrize(
    ("text", "attention_kind", "annotations", "message"),
    [
        ("block_diffusion:block=1", "encoder", {}, "document 1 of sample 0 has 3 tokens"),
        (
            "prefix",
            "encoder",
            {"prefix_lengths": [[1, 1, 2, 2, 1]]},
            "'prefix_lengths' is 1 at key 4 of sample 0, but 2 at the first token",
        ),
        ("aligned", "cross", {"links": [[(1, 2)]]}, "the pair 1-2 .* joins two documents"),
        ("aligned", "cross", {"links": [[(9, 2)]]}, "the pair 9-2 .* is outside the row"),
        ("monotonic", "cross", {"sources_read": [1, 2, 3, 4, 1]}, "document 1 of sample 0: .* 4"),
        ("unilm", "encoder", {"segments": [0, 1, 0, 5, 0]}, "'segments' is 5 at key 1 of document"),
        ("random", "encoder", {"document_keys": [1, 1, 1, 2, 2]}, "'document_keys' is 2 at key 3"),
    ],
)
def test_messages_name_the_document(
    text: str, attention_kind: str, annotations: dict[str, Any], message: str
) -> None:
    annotations = {"documents": [0, 0, 1, 1, 1], **annotations}
    if attention_kind == "cross":
        annotations["query_documents"] = [0, 0, 1, 1, 1]
    with pytest.raises(TokenError, match=message):
        maskplug.pattern(f"{text} & document").dense(
            5, attention_kind=attention_kind, **annotations
        )


def test_values_per_sample_are_used_for_all_documents_of_the_row() -> None:
    annotations = {"documents": [[0, 0, 0, 1, 1, 1]] * 2, "prefix_lengths": [2, 3]}
    packed = maskplug.pattern("prefix & document").dense(6, **annotations)
    for row, length in enumerate((2, 3)):
        alone = maskplug.pattern("prefix", length=length).dense(3)[0, 0]
        assert (packed[row, 0] == np.kron(np.eye(2, dtype=bool), alone)).all()


def test_rows_without_tokens_or_documents() -> None:
    pattern = maskplug.pattern("causal & document")
    assert pattern.dense(0, documents=[]).shape == (1, 1, 0, 0)
    assert not pattern.dense(
        2, 0, attention_kind="cross", documents=[], query_documents=[0, 1]
    ).size
    padding = pattern.dense(3, documents=[[-1, -1, -1]], valid=[[0, 0, 0]])
    assert padding.shape == (1, 1, 3, 3)


def test_third_party_patterns_are_computed_per_document() -> None:
    class Halves(Pattern):
        """A query attends to its own half of the sample."""

        def rows(self, call: AttentionCall) -> Intervals:
            marks = call.per_token("marks", "halves")
            assert marks.shape[1] == call.kv_len
            half = call.lengths[:, None, None] // 2
            return call.intervals(
                (np.where(call.q < half, 0, half), np.where(call.q < half, half, call.kv_len))
            )

    annotations = {"documents": [0, 0, 0, 0, 1, 1], "marks": [1, 2, 3, 4, 5, 6]}
    packed = (Halves() & maskplug.pattern("document")).dense(6, **annotations)[0, 0]
    runs = np.array([0, 0, 1, 1, 2, 3])
    assert (packed == (runs[:, None] == runs)).all()


def test_documents_of_very_different_lengths_share_no_call() -> None:
    documents = np.repeat(np.arange(301), [30_000, *[7] * 300])
    pattern = maskplug.pattern("(sink:n=1 | window:left=2) & document")
    call = attention_call(len(documents), len(documents), annotations={"documents": documents})
    assert len(Documents.of(call).calls) > 1
    mask = pattern.intervals(len(documents), documents=documents)
    assert mask.to_lists()[0][0][30_012] == [(30_007, 30_008), (30_010, 30_013)]
