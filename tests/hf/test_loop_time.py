"""Training loops without attach: epochs, progress, evaluation, and the warnings about them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import maskplug
from maskplug.errors import MaskplugWarning, OptionError
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking
from support import hf_tokenizers as tokenizers
from support.hf_runs import no_warning

TOKENIZER = tokenizers.bert()
ROWS = [TOKENIZER(text)["input_ids"] for text in tokenizers.TEXT[:5]]
LINEAR = {"name": "linear", "start": 0.1, "end": 0.9}
STEP = {"clock": "step"}
ADAPTIVE = {"strategy": "adaptive"}
NEW = "masks change on every call"


def padding(**options: Any) -> Any:
    return DataCollatorForMasking(TOKENIZER, **{"seed": 3, "rate": 0.5, **options})


def packing(**options: Any) -> Any:
    return DataCollatorForPacking(TOKENIZER, max_length=64, **{"seed": 3, "rate": 0.5, **options})


def loader(collator: Any, **options: Any) -> Any:
    options = {"batch_size": 2, "num_workers": 1, "persistent_workers": True, **options}
    return DataLoader(ROWS, collate_fn=collator, **options)  # type: ignore[arg-type]


def masks(collator: Any) -> Any:
    return collator(ROWS)["labels"].tolist()


def unpadded(labels: Any) -> Any:
    return [row[: len(ids)] for row, ids in zip(labels, ROWS, strict=True)]


def warned(call: Callable[[], Any]) -> list[str]:
    """The messages of our warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if one.category is MaskplugWarning]


# --- evaluation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, STEP, {"rate": LINEAR}, ADAPTIVE], ids=str)
@pytest.mark.parametrize("make", [padding, packing])
def test_evaluation_masks_are_frozen_while_training_masks_change(make: Any, options: Any) -> None:
    collator = make(**options)
    evaluation = collator.for_evaluation()
    fixed = maskplug.strategy(collator.strategy)
    tokens = maskplug.TokenBatch.from_lists(ROWS)
    masked = fixed(tokens, collator.vocabulary, seed=3)
    for epoch in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MaskplugWarning)
            collator.set_epoch(epoch, epoch / 2)
            training = masks(collator)
        with no_warning():
            evaluation.set_epoch(epoch + 5)
        labels = evaluation(ROWS)["labels"]
        expected = masked.labels.values[masked.labels.values != -100]
        assert sorted(labels[labels != -100].tolist()) == sorted(expected.tolist())
        assert labels.tolist() == masks(evaluation)
        if epoch:
            assert training != labels.tolist()


def test_evaluation_does_not_mask_samples_with_labels() -> None:
    rows = [{"input_ids": row, "label": 1} for row in ROWS]
    collator = padding()
    collator.set_epoch(0)
    clean = collator.for_evaluation()(rows)["input_ids"]
    assert [[i for i in row if i] for row in clean.tolist()] == ROWS
    assert collator(rows)["input_ids"].tolist() != clean.tolist()


@pytest.mark.parametrize("persistent", [False, True])
def test_evaluation_in_workers(persistent: bool) -> None:
    collator = padding()
    options = {"persistent_workers": persistent}
    loaders = [loader(one, **options) for one in (collator, collator.for_evaluation())]
    seen = []
    for epoch in range(2):
        collator.set_epoch(epoch)
        seen.append([[batch["labels"].tolist() for batch in each] for each in loaders])
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] == seen[1][1]


# --- set_epoch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_set_epoch_reaches_persistent_workers(context: str) -> None:
    collator, expected = padding(), padding()
    batches = loader(collator, multiprocessing_context=context)
    for epoch in (0, 1, 5):
        collator.set_epoch(epoch)
        expected.set_epoch(epoch)
        rows = [row for batch in batches for row in batch["labels"].tolist()]
        assert unpadded(rows) == unpadded(masks(expected))


@pytest.mark.parametrize("epoch", [7, np.int64(7), np.array(7), torch.tensor(7)], ids=type)
def test_epochs_of_every_whole_type(epoch: Any) -> None:
    one, other = padding(), padding()
    one.set_epoch(7)
    other.set_epoch(epoch)
    assert masks(one) == masks(other)


@pytest.mark.parametrize("progress", [0, 1, 0.5, np.float32(0.5), torch.tensor(0.25)], ids=type)
def test_progress_of_every_number_type_reaches_the_schedule(progress: Any) -> None:
    collator = padding(rate=LINEAR)
    collator.set_epoch(1, progress)
    tokens = maskplug.TokenBatch.from_lists(ROWS)
    time = {"epoch": 1, "progress": float(progress)}
    masked = collator.strategy(tokens, collator.vocabulary, seed=3, **time)
    assert unpadded(masks(collator)) == masked.labels.to_lists()


NOT_EPOCHS = [-1, 1.5, 1.0, "1", True, np.True_, None, [1], np.array([1, 2]), 10**30, 10**5000]
NOT_PROGRESS = [-0.1, 1.1, 2, float("inf"), "x", "0.5", b"1", True, [0.5], 1j, 10**5000]


@pytest.mark.parametrize(
    ("time", "message"),
    [
        *(((epoch,), "^epoch is .*; it must be a whole number from 0") for epoch in NOT_EPOCHS),
        *(((2, share), "^progress is .*; it must be a number from 0 ") for share in NOT_PROGRESS),
        ((float("nan"),), "^epoch is nan"),
        ((2, float("nan")), "^progress is nan"),
    ],
    ids=lambda value: type(value[-1]).__name__,
)
def test_other_epochs_and_progress_are_refused(time: tuple[Any, ...], message: str) -> None:
    collator = padding(rate=LINEAR)
    collator.set_epoch(1, 1.0)
    before = masks(collator)
    with pytest.raises(OptionError, match=message) as error:
        collator.set_epoch(*time)
    assert "\n" not in str(error.value)
    assert masks(collator) == before


# --- warnings ------------------------------------------------------------------------------------


def mask_ten_times(collator: Any) -> tuple[list[str], list[Any]]:
    """The warnings, and the masks."""
    seen: list[Any] = []
    return warned(lambda: seen.extend(masks(collator) for _ in range(10))), seen


@pytest.mark.parametrize(
    ("options", "epoch", "remedy", "parts"),
    [
        (
            {},
            None,
            "collator.set_epoch(epoch) before each epoch",
            ["epoch of strategy 'dynamic@1' was never set", NEW],
        ),
        ({"rate": LINEAR}, None, "collator.set_epoch(epoch)", [NEW, "its schedule stays"]),
        ({"rate": LINEAR, "clock": "never"}, None, "collator.set_epoch(epoch)", ["its schedule"]),
        (STEP, None, "a clock that counts epochs", ["by step (Step)", "neither was set", NEW]),
        (STEP, 0, "a clock that counts epochs", ["by step (Step)", "sets only the epoch", NEW]),
        ({"clock": {"name": "every", "k": 9, "of": "step"}}, 3, "counts epochs", ["(Every)", NEW]),
        ({"rate": LINEAR, **STEP}, 0, "counts epochs", ["sets only the epoch", NEW]),
        (ADAPTIVE, 0, "attach(trainer)", ["losses of the model", "as if all losses were equal"]),
    ],
    ids=str,
)
def test_missing_time_warns_once_and_starts_with_the_remedy(
    options: Any, epoch: int | None, remedy: str, parts: list[str]
) -> None:
    collator = padding(**options)
    if epoch is not None:
        collator.set_epoch(epoch, 0.0)
    (message,), seen = mask_ten_times(collator)
    assert (seen[0] != seen[-1]) == (NEW in parts)
    assert message.startswith("Call maskplug_hf.attach(trainer)")
    assert remedy in message[:100]
    assert f"'{collator.strategy.label}'" in message
    assert all(part in message for part in parts)
    assert "\n" not in message
    assert "<maskplug" not in message
    assert (NEW in message) == (NEW in parts)


def test_schedules_without_progress_warn_once() -> None:
    collator = padding(rate=LINEAR)
    (message,) = warned(lambda: [collator.set_epoch(epoch) for epoch in range(3)])
    assert message.startswith("Call set_epoch(epoch, progress) with progress from 0 to 1: ")
    assert "'dynamic@1' has a schedule" in message
    assert mask_ten_times(collator)[0] == []


@pytest.mark.parametrize("options", [{}, STEP, {"clock": "never"}], ids=str)
def test_without_a_schedule_no_progress_is_needed(options: Any) -> None:
    assert warned(lambda: padding(**options).set_epoch(4)) == []
    assert warned(lambda: padding(rate=LINEAR).set_epoch(4, 0.5)) == []


def test_static_strategies_do_not_warn() -> None:
    for collator in (padding(strategy="static"), DataCollatorForMasking(TOKENIZER, "none")):
        messages, seen = mask_ten_times(collator)
        assert messages == []
        assert seen == seen[:1] * 10


def test_masks_of_the_first_calls_without_an_epoch_are_reproducible() -> None:
    assert mask_ten_times(padding()) == mask_ten_times(padding())


@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_without_an_epoch_do_not_repeat_masks(persistent: bool) -> None:
    options = {"batch_size": 1, "num_workers": 2, "persistent_workers": persistent}
    batches = loader(padding(), **options)
    epochs = [[batch["input_ids"].tolist() for batch in batches] for _ in range(3)]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert sum(x != y for x, y in zip(epochs[a], epochs[b], strict=True)) >= 4
