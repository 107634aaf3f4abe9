"""Checkpoints of adaptive masks: a resumed run continues, and damaged losses are refused."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
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


@pytest.mark.parametrize(
    ("workers", "batch", "accumulation", "every"),
    [("0", 4, 1, 6), ("2", 2, 2, 4), ("persistent", 4, 1, 6)],
)
def test_resume_in_mid_round_equals_an_uninterrupted_run(
    tmp_path: Path, workers: str, batch: int, accumulation: int, every: int
) -> None:
    def train(workers: str, resume: int = 0, save: int = 0) -> Any:
        trainer = toy.trainer(
            tmp_path,
            every=every,
            workers=workers,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
        )
        trainer.add_callback(SaveAt(save))
        checkpoint = str(tmp_path / f"checkpoint-{resume}") if resume else None
        trainer.train(resume_from_checkpoint=checkpoint)
        return trainer

    whole = train("0", save=9)
    other = train(workers, resume=9, save=21)  # in mid-epoch and in mid-round
    again = train(workers, resume=21)
    assert whole.state.global_step == 32
    assert rows_of(other) == rows_of(whole, 9)
    assert rows_of(again) == rows_of(whole, 21)
    states = [toy.tracking(trainer).losses.state_dict() for trainer in (whole, again)]
    for name, value in states[0].items():
        assert np.array_equal(value, states[1][name]), name


def test_resume_from_checkpoint_true_loads_the_last_checkpoint(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, save_strategy="steps", save_steps=10)
    trainer.train()
    again = toy.trainer(tmp_path)
    (tmp_path / "checkpoint-32").rename(tmp_path / "other")
    again.train(resume_from_checkpoint=True)
    assert rows_of(again) == rows_of(trainer, 30)


@pytest.mark.parametrize("other", ["dynamic", "adaptive"])
def test_a_checkpoint_of_another_strategy_on_request(tmp_path: Path, other: str) -> None:
    every = None if other == "dynamic" else 4
    trainer = toy.trainer(tmp_path, strategy=other, every=every, max_steps=14)
    trainer.add_callback(SaveAt(14))
    trainer.train()
    again = toy.trainer(tmp_path)
    attach(again, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="masks are uniform at first"):
        again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-14"))
    easy, hard = toy.masked(one for one in again.trained if one.step < 24)
    assert easy + hard == 10 * 4 * 5
    tracking = toy.tracking(again)
    assert tracking.losses.round == 5
    assert not (tracking.tables.at(31) == 1.0).all()


# --- the file of the losses ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the second round."""
    folder = tmp_path_factory.mktemp("adaptive")
    trainer = toy.trainer(folder, max_steps=9)
    trainer.add_callback(SaveAt(8))
    trainer.train()
    return folder / "checkpoint-8"


@pytest.fixture
def copied(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / checkpoint.name))


def test_checkpoint_file_holds_plain_arrays(checkpoint: Path) -> None:
    with np.load(checkpoint / FILE, allow_pickle=False) as file:
        saved = {name: file[name] for name in file.files}
    assert {"every", "momentum", "by", "classes", "round", "scores", "sums", "tables"} == set(saved)
    assert saved["sums"][1].sum() == 2 * 4 * 5  # two steps of the second round, 5 tokens a row
    assert saved["round"] == 1


def test_resume_without_data_skip_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, ignore_data_skip=True)
    with pytest.raises(OptionError, match="ignore_data_skip returns"):
        trainer.train(resume_from_checkpoint=str(checkpoint))


def changed(name: str, change: Callable[[Any], Any] | None) -> Callable[[Path], None]:
    """A change of one array; None takes it away."""

    def write(path: Path) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        if change is None:
            del arrays[name]
        else:
            arrays[name] = change(arrays[name])
        np.savez(path, **arrays)

    return write


def array_file(path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    path.write_bytes(buffer.getvalue())


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "no array")


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("losses"),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "a bit": flipped,
    "one array": array_file,
    "another zip": other_zip,
    "objects": changed("scores", lambda a: np.array([{}], object)),
    "no scores": changed("scores", None),
    "no plan": changed("every", None),
    "other shape": changed("scores", lambda a: a[:-1]),
    "text for numbers": changed("scores", lambda a: a.astype(str)),
    "complex": changed("scores", lambda a: a.astype(complex)),
    "nan": changed("scores", lambda a: np.full_like(a, np.nan)),
    "negative scores": changed("scores", lambda a: a - 5.0),
    "negative sums": changed("sums", lambda a: a - 2**40),
    "sums of fractions": changed("sums", lambda a: a + 0.5),
    "wrapping sums": changed("sums", lambda a: a.astype(np.uint64) + np.uint64(2**63)),
    "infinite tables": changed("tables", lambda a: a + np.inf),
    "other tables": changed("tables", lambda a: a + 1.0),
    "negative round": changed("round", lambda a: a - 9),
    "later round": changed("round", lambda a: a + 7),
    "round of text": changed("round", lambda a: np.array("2")),
    "several rounds": changed("round", lambda a: np.array([1, 2])),
    "several plans": changed("every", lambda a: np.array([6, 6])),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_losses_are_refused(copied: Path, tmp_path: Path, kind: str) -> None:
    DAMAGE[kind](copied / FILE)
    trainer = toy.trainer(tmp_path, max_steps=9)
    with pytest.raises(SpecMismatchError, match="resume_other_spec=True") as error:
        trainer.train(resume_from_checkpoint=str(copied))
    assert "\n" not in str(error.value)
    assert (f"step 8 has no {FILE}" in str(error.value)) == (kind == "missing")
    assert trainer.seen == []


@pytest.mark.parametrize("kind", ["truncated", "nan"])
def test_damaged_losses_are_dropped_on_request(copied: Path, tmp_path: Path, kind: str) -> None:
    DAMAGE[kind](copied / FILE)
    trainer = toy.trainer(tmp_path, max_steps=9)
    attach(trainer, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="masks are uniform at first"):
        trainer.train(resume_from_checkpoint=str(copied))
    assert {one.step for one in trainer.seen} == {8}
