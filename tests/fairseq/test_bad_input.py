"""What is wrong is said before training starts, with the culprit, the value and the choices."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskplug.errors import MaskplugError
from support.fairseq_runs import Corpus, task_of, train

CASES = {
    "strategy": (("--masking-plugin", "dynamik"), "'dynamik'.*did you mean 'dynamic'"),
    "version": (("--masking-plugin", "dynamic@9"), "'dynamic' has no version 9.*dynamic@1"),
    "option": (("--masking-args", '{"rat": 0.2}'), "no option 'rat'.*did you mean 'rate'"),
    "type": (("--masking-args", '{"mask": "much"}'), "'mask' is 'much'; it must be a number"),
    "range": (("--masking-args", '{"rate": 1.2}'), "1.2.*from 0 to 1"),
    "nan": (("--masking-args", '{"rate": NaN}'), "nan.*from 0 to 1"),
    "json": (("--masking-args", '{"rate" 0.2}'), "--masking-args is not valid JSON"),
    "no object": (("--masking-args", "[0.2]"), "must be a JSON object"),
    "seed": (("--masking-seed", "-1"), "seed is -1.*from 0 to"),
    "symbol": (("--masking-symbol", "<mask>"), "'<mask>'.*madeupword0000, <unk>.*'add'"),
    "no symbol": (("--masking-symbol", "w1"), "'w1'.*madeupword0000, <unk>"),
}


@pytest.mark.parametrize("case", CASES)
def test_while_the_task_is_set_up(corpus: Corpus, case: str) -> None:
    flags, message = CASES[case]
    with pytest.raises(MaskplugError, match=message):
        task_of(corpus, *flags)


def test_an_unknown_side(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        task_of(corpus, "--masking-side", "middle")
    assert "invalid choice: 'middle'" in capsys.readouterr().err


def test_a_schedule_without_max_epoch(corpus: Corpus, tmp_path: Path) -> None:
    rate = '{"rate": {"name": "linear", "start": 0.3, "end": 0.1}}'
    flags = ("--masking-args", rate, "--max-update", "10")
    with pytest.raises(MaskplugError, match="--max-epoch is 0"):
        train(corpus, tmp_path, *flags, max_epoch=0)
    assert not list(tmp_path.iterdir())


def test_steps_with_several_data_folders(corpus: Corpus) -> None:
    task = task_of(corpus, "--masking-args", '{"clock": "step"}')
    task.cfg.data = f"{corpus.data}:{corpus.data}"
    with pytest.raises(MaskplugError, match=r"Step\(\).*epoch, cycle"):
        task.load_dataset("train")


def test_epochs_with_several_data_folders(corpus: Corpus) -> None:
    task = task_of(corpus)
    task.cfg.data = f"{corpus.data}:{corpus.data}"
    task.load_dataset("train", epoch=2)
    assert len(task.dataset("train")) == 64
