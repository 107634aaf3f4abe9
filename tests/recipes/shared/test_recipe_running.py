"""Programs of a step: their lines, failures and processor time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from recipes.shared.errors import RecipeError
from recipes.shared.running import Stopwatch, lines_of


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_lines_are_yielded_and_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "new" / "log"
    assert list(lines_of(python("print('one'); print('two')"), log, 1)) == ["one\n", "two\n"]
    assert list(lines_of(python("print('three', end='')"), log, 1)) == ["three"]
    assert log.read_text() == "one\ntwo\nthree"


def test_a_line_is_yielded_as_soon_as_it_is_printed(tmp_path: Path) -> None:
    code = "import sys; print('begun'); print(sys.stdin.readline())"
    lines = lines_of(python(f"import time; {code}; time.sleep(60)"), tmp_path / "log", 1)
    assert next(lines) == "begun\n"
    assert (tmp_path / "log").read_text() == "begun\n"
    lines.close()


def test_programs_get_the_number_of_threads(tmp_path: Path) -> None:
    code = "import os; print(os.environ['OMP_NUM_THREADS'])"
    assert list(lines_of(python(code), tmp_path / "log", 3)) == ["3\n"]


def test_a_failure_quotes_the_last_lines(tmp_path: Path) -> None:
    code = "import sys; [print('line', i) for i in range(30)]; sys.exit('out of paper')"
    log = tmp_path / "log"
    with pytest.raises(RecipeError, match=r"^python\S* failed; see .*/log\n") as error:
        list(lines_of(python(code), log, 1))
    lines = error.value.message.splitlines()
    assert str(log) in lines[0]
    assert sorted(lines[1:]) == sorted([*(f"line {i}" for i in range(16, 30)), "out of paper"])


def test_an_interrupted_step_ends_its_program(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid()); time.sleep(60)"
    begun = time.monotonic()
    lines = lines_of(python(code), tmp_path / "log", 1)
    number = int(next(lines))
    os.kill(number, 0)
    with pytest.raises(KeyboardInterrupt):
        lines.throw(KeyboardInterrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert time.monotonic() - begun < 30


def compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_seconds_include_those_before_interruptions(tmp_path: Path) -> None:
    path = tmp_path / "seconds.json"
    for done in (0.1, 0.2):
        watch = Stopwatch(path)
        compute(0.1)
        assert watch.seconds == pytest.approx(done, abs=0.09)
        assert watch.seconds >= done - 0.05
        watch.keep()
        assert float(path.read_text()) == pytest.approx(watch.seconds, abs=0.1)


def test_seconds_count_children_but_not_waiting(tmp_path: Path) -> None:
    watch = Stopwatch(tmp_path / "seconds.json")
    time.sleep(0.3)
    assert watch.seconds < 0.2
    busy = "import time\nwhile time.process_time() < 0.25: pass"
    list(lines_of(python(busy), tmp_path / "log", 1))
    assert watch.seconds >= 0.19
