"""Adaptive masks after an interruption, from a checkpoint, and on two processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskplug import OptionError
from maskplug.errors import MaskplugWarning, SpecMismatchError
from maskplug_hf import attach
from maskplug_hf.loss_tracking import FILE
from support import feedback_runs as toy
from support.feedback_runs import rows_of
from support.hf_runs import SaveAt


@pytest.mark.parametrize("workers", ["0", "2", "persistent"])
@pytest.mark.parametrize(("batch", "accumulation", "every"), [(4, 1, 6), (2, 2, 4)])
def test_resume_in_mid_round_equals_an_uninterrupted_run(
    tmp_path: Path, workers: str, batch: int, accumulation: int, every: int
) -> None:
    def train(workers: str, resume: int = 0, save: int = 0) -> Any:
        made = toy.trainer(
            tmp_path,
            every=every,
            workers=workers,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
        )
        made.add_callback(SaveAt(save))
        made.train(
            resume_from_checkpoint=str(tmp_path / f"checkpoint-{resume}") if resume else None
        )
        return made

    whole = train("0", save=9)
    other = train(workers, resume=9, save=21)  # in mid-epoch and in mid-round
    again = train(workers, resume=21)
    assert whole.state.global_step == 32
    assert rows_of(other) == rows_of(whole, 9)
    assert rows_of(again) == rows_of(whole, 21)
    states = [toy.feedback(made).losses.state_dict() for made in (whole, again)]
    for name, value in states[0].items():
        assert np.array_equal(value, states[1][name]), name


def test_resume_from_checkpoint_true_loads_the_last_checkpoint(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, save_strategy="steps", save_steps=10)
    made.train()
    again = toy.trainer(tmp_path)
    (tmp_path / "checkpoint-32").rename(tmp_path / "other")
    again.train(resume_from_checkpoint=True)
    assert rows_of(again) == rows_of(made, 30)


def test_checkpoint_file_holds_plain_arrays(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, max_steps=9)
    made.add_callback(SaveAt(8))
    made.train()
    with np.load(tmp_path / "checkpoint-8" / FILE, allow_pickle=False) as file:
        saved = {name: file[name] for name in file.files}
    assert {"every", "momentum", "by", "classes", "round", "scores", "sums", "tables"} == set(saved)
    assert saved["sums"][1].sum() == 2 * 4 * 5  # two steps of the second round, 5 tokens a row
    assert saved["round"] == 1


def test_resume_without_data_skip_or_losses_is_refused(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, max_steps=9)
    made.add_callback(SaveAt(8))
    made.train()
    checkpoint = tmp_path / "checkpoint-8"
    again = toy.trainer(tmp_path, ignore_data_skip=True)
    with pytest.raises(OptionError, match="ignore_data_skip returns"):
        again.train(resume_from_checkpoint=str(checkpoint))
    (checkpoint / FILE).unlink()
    again = toy.trainer(tmp_path)
    with pytest.raises(SpecMismatchError, match=rf"step 8 has no {FILE}"):
        again.train(resume_from_checkpoint=str(checkpoint))
    assert again.seen == []


@pytest.mark.parametrize("other", ["dynamic", "adaptive"])
def test_a_checkpoint_of_another_strategy_on_request(tmp_path: Path, other: str) -> None:
    every = None if other == "dynamic" else 4
    made = toy.trainer(tmp_path, strategy=other, every=every)
    made.add_callback(SaveAt(14))
    made.train()
    again = toy.trainer(tmp_path)
    attach(again, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="masks are uniform at first"):
        again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-14"))
    easy, hard = toy.masked(one for one in again.trained if one.step < 24)
    assert easy + hard == 10 * 4 * 5
    heard = toy.feedback(again)
    assert heard.losses.round == 5
    assert not (heard.tables.at(31) == 1.0).all()


# --- two processes -------------------------------------------------------------------------------


@pytest.fixture(name="ranks")
def _ranks(ranks: Any) -> Any:
    """The adaptive runs of two processes."""
    return [rank["losses"] for rank in ranks]


@pytest.mark.xdist_group("hf-table")
def test_two_processes_have_the_same_scores(ranks: Any, tmp_path: Path) -> None:
    for run in ranks[0]:
        for name in ("scores", "sums", "tables"):
            assert ranks[0][run][name] == ranks[1][run][name]
    first = [rank["first round"] for rank in ranks]
    # The same samples in each step, and the same model in all.
    one = toy.trainer(tmp_path, every=5, max_steps=5, learning_rate=0.0)
    one.train()
    scores = toy.feedback(one).losses.scores
    assert np.allclose(scores, first[0]["scores"], atol=1e-3)
    assert (scores > 0).sum() > 30
    assert [len(rank["rows"]) for rank in first] == [10, 10]


@pytest.mark.xdist_group("hf-table")
def test_two_processes_resume_in_mid_round(ranks: Any) -> None:
    for rank in ranks:
        whole = [row for row in rank["whole"]["rows"] if row[0] >= 13]
        assert rank["cut"]["rows"] == whole
        assert rank["cut"]["tables"] == rank["whole"]["tables"]
