"""What a checkpoint holds of its masks is checked before a run resumes, whatever it holds."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from maskplug_torch import SharedEpoch
from transformers import TrainerState

from maskplug.errors import MaskplugWarning, SpecMismatchError
from maskplug_hf import attach
from maskplug_hf.attention import use_attention
from maskplug_hf.callback import MaskingCallback
from maskplug_hf.loss_tracking import FILE
from support import feedback_runs as toy
from support import hf_runs as runs
from support.hf_runs import SaveAt
from support.rubbish import FOREIGN, tampered

STEP = 3


def saving(folder: Path, **options: Any) -> Any:
    """A trainer that saves one checkpoint, attached and with an attention pattern."""
    made = runs.trainer(folder, data=runs.dataset(16), max_steps=STEP + 1, **options)
    use_attention(made.model, "window:left=2").follow(made)
    attach(made)
    made.add_callback(SaveAt(STEP))
    return made


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masked")
    saving(folder).train()
    return folder / f"checkpoint-{STEP}"


def with_record(checkpoint: Path, folder: Path, name: str, record: Any) -> Path:
    """A copy of the checkpoint that holds another record."""
    copy = folder / checkpoint.name
    shutil.copytree(checkpoint, copy)
    path = copy / "trainer_state.json"
    state = json.loads(path.read_text())
    state["stateful_callbacks"][name] = record
    path.write_text(json.dumps(state))
    return copy


@pytest.mark.parametrize("kind", [*FOREIGN, "missing"])
@pytest.mark.parametrize("name", ["maskplug", "maskplug_attention"])
def test_a_foreign_record_is_refused_before_the_first_step(
    checkpoint: Path, tmp_path: Path, name: str, kind: str
) -> None:
    copy = with_record(checkpoint, tmp_path, name, FOREIGN.get(kind))
    made = saving(tmp_path)
    fault = "no" if kind == "missing" else "a damaged"
    with pytest.raises(SpecMismatchError, match=f"step 3 holds {fault} masking spec") as error:
        made.train(resume_from_checkpoint=str(copy))
    assert made.seen == []
    assert "resume_other_spec=True" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["number", "empty", "missing"])
def test_a_foreign_record_is_accepted_on_request(
    checkpoint: Path, tmp_path: Path, kind: str
) -> None:
    copy = with_record(checkpoint, tmp_path, "maskplug", FOREIGN.get(kind))
    made = saving(tmp_path)
    attach(made, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="masking spec.*continuing with the new ones"):
        made.train(resume_from_checkpoint=str(copy))
    assert len(made.trained) == 8


CALLBACK = MaskingCallback(runs.collator(), SharedEpoch(), resume_other_spec=False)


@given(tampered(CALLBACK.record))
def test_a_tampered_record_is_refused(record: Any) -> None:
    state = TrainerState(global_step=5, stateful_callbacks={"maskplug": record})
    with pytest.raises(SpecMismatchError, match="the checkpoint of step 5"):
        CALLBACK.on_train_begin(None, state, None)


# --- the losses of adaptive strategies -----------------------------------------------------------


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of an adaptive run in its second round."""
    folder = tmp_path_factory.mktemp("adaptive")
    made = toy.trainer(folder, max_steps=9)
    made.add_callback(SaveAt(8))
    made.train()
    return folder / "checkpoint-8"


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
def test_damaged_losses_are_refused(heard: Path, tmp_path: Path, kind: str) -> None:
    copy = tmp_path / heard.name
    shutil.copytree(heard, copy)
    DAMAGE[kind](copy / FILE)
    made = toy.trainer(tmp_path, max_steps=9)
    with pytest.raises(SpecMismatchError, match="resume_other_spec=True") as error:
        made.train(resume_from_checkpoint=str(copy))
    assert "\n" not in str(error.value)
    assert made.seen == []


@pytest.mark.parametrize("kind", ["truncated", "nan"])
def test_damaged_losses_are_dropped_on_request(heard: Path, tmp_path: Path, kind: str) -> None:
    copy = tmp_path / heard.name
    shutil.copytree(heard, copy)
    DAMAGE[kind](copy / FILE)
    made = toy.trainer(tmp_path, max_steps=9)
    attach(made, resume_other_spec=True)
    with pytest.warns(MaskplugWarning, match="masks are uniform at first"):
        made.train(resume_from_checkpoint=str(copy))
    assert {one.step for one in made.seen} == {8}
