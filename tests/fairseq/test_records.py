"""What a checkpoint holds of its masks is checked before a run resumes, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given

from maskplug.errors import MaskplugError, SpecMismatchError
from maskplug.loss_tracking import LossTrackingConfig
from maskplug_fairseq import checkpoint
from maskplug_fairseq.feedback import Heard
from support.fairseq_runs import Corpus, Run, task_of, train
from support.rubbish import FOREIGN, JSON, tampered
from support.texts import Text
from support.texts import task_of as text_task

ALLOW = "--masking-allow-other-spec"
FLAGS = ("--num-workers", "0", "--disable-validation", "--no-save")


@pytest.fixture(scope="module")
def task(corpus: Corpus) -> Any:
    return task_of(corpus)


@pytest.fixture(scope="module")
def adaptive(text: Text) -> Any:
    """A task whose masks follow losses, and that has a place in its data."""
    options = json.dumps({"rate": 0.3, "every": 4})
    cut = ("--masking-plugin", "adaptive", "--masking-args", options, "--sample-break-mode", "eos")
    made = text_task(text, "maskplug_masked_lm", *cut, "--num-workers", "0")
    made.load_dataset("train")
    made.get_batch_iterator(made.dataset("train"), max_sentences=4, data_buffer_size=0)
    return made


def saved_by(task: Any) -> dict[str, Any]:
    (record,) = task.get_checkpoint_dict().values()
    return record  # type: ignore[no-any-return]


def refused(task: Any, saved: Any) -> None:
    """It is refused in one line, and gone on with when the user allows it."""
    with pytest.raises(SpecMismatchError, match=ALLOW) as error:
        task.set_checkpoint_dict(saved)
    assert "\n" not in str(error.value)
    task.cfg.masking_allow_other_spec = True
    try:
        task.set_checkpoint_dict(saved)
    finally:
        task.cfg.masking_allow_other_spec = False


def test_the_own_record_fits(task: Any, adaptive: Any) -> None:
    for made in (task, adaptive):
        made.set_checkpoint_dict(saved_by(made))


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_records(task: Any, kind: str) -> None:
    refused(task, FOREIGN[kind])


def test_tampered_records(task: Any) -> None:
    @given(tampered(saved_by(task)))
    def check(saved: Any) -> None:
        refused(task, saved)

    check()


@given(JSON)
def test_values_that_fairseq_might_have_saved(saved: Any) -> None:
    own = {"strategy": "s@1", "options": "{}", "fingerprint": "f", "seed": 7, "symbols": "<mask>"}
    with pytest.raises(SpecMismatchError, match=ALLOW):
        checkpoint.check(saved, own, allow=False)
    checkpoint.check(saved, own, allow=True)


@pytest.mark.parametrize(
    "change",
    [
        {"scores": torch.ones(3)},
        {"scores": torch.full((9,), float("nan"))},
        {"sums": torch.ones(2, 9)},
        {"sums": -torch.ones(2, 9, dtype=torch.int64)},
        {"tables": torch.ones(30, dtype=torch.bfloat16)},
        {"tables": torch.ones(30).to_sparse()},
        {"tables": [[1.0], 2.0]},
        {"round": -1},
        {"round": 10**5000},
        {"round": True},
        {"every": torch.ones(2)},
        {"momentum": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_damaged_losses_of_a_heard_model(change: dict[str, Any]) -> None:
    heard = Heard(LossTrackingConfig(every=2), 9, pad=1)
    state = heard.state_dict()
    heard.load_state_dict(state, allow=False)
    with pytest.raises(SpecMismatchError, match=ALLOW):
        heard.load_state_dict({**state, **change}, allow=False)
    assert all((heard.state_dict()[name] == state[name]).all() for name in ("scores", "tables"))


@pytest.mark.parametrize("kind", [*FOREIGN, "missing"])
def test_foreign_losses(adaptive: Any, kind: str) -> None:
    refused(adaptive, {**saved_by(adaptive), "feedback": FOREIGN.get(kind)})


# --- real runs -----------------------------------------------------------------------------------


def with_record(trained: Run, name: str, folder: Path, record: Any) -> None:
    """A checkpoint that holds another record, or none."""
    state = torch.load(trained.folder / name, weights_only=True)
    del state["extra_state"]["MaskplugTranslationTask"]
    if record is not None:
        state["extra_state"]["MaskplugTranslationTask"] = record
    torch.save(state, folder / "checkpoint_last.pt")


@pytest.mark.parametrize(
    ("name", "record"),
    [("checkpoint_1_8.pt", None), ("checkpoint1.pt", None), ("checkpoint1.pt", 0)],
)
def test_a_missing_record_stops_a_run(
    corpus: Corpus, trained: Run, tmp_path: Path, name: str, record: Any, caplog: Any
) -> None:
    with_record(trained, name, tmp_path, record)
    with pytest.raises(SpecMismatchError, match=rf"holds no masking spec.*{ALLOW}"):
        train(corpus, tmp_path, *FLAGS)
    run = train(corpus, tmp_path, *FLAGS, ALLOW)
    assert len(run.fed) == (24 if "_8" in name else 16)
    assert "holds no masking spec" in caplog.text
    assert "going on with the new ones" in caplog.text


@pytest.mark.parametrize("record", [7, "dynamic@1", [1], True], ids=str)
def test_a_foreign_record_stops_a_run(
    corpus: Corpus, trained: Run, tmp_path: Path, record: Any
) -> None:
    with_record(trained, "checkpoint1.pt", tmp_path, record)
    with pytest.raises(MaskplugError, match="holds a damaged masking spec"):
        train(corpus, tmp_path, *FLAGS)


def test_a_run_that_starts_anew_is_not_compared(
    corpus: Corpus, trained: Run, tmp_path: Path
) -> None:
    with_record(trained, "checkpoint1.pt", tmp_path, None)
    anew = ("--reset-dataloader", "--reset-optimizer", "--reset-lr-scheduler", "--reset-meters")
    assert len(train(corpus, tmp_path, *FLAGS, *anew, max_epoch=1).fed) == 16
