"""The command in real processes: pipes, encodings, narrow terminals, interrupts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ["list", "list wait_k", "show none", "attention causal", "fairseq-dir", "--help"]
ENVIRONMENTS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no columns": {"COLUMNS": "0"},
    "narrow": {"COLUMNS": "10"},
    "no colour": {"NO_COLOR": "1", "FORCE_COLOR": "1"},
}


def start(words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "maskplug", *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_terminal_gets_an_output(environment: str) -> None:
    for words in COMMANDS:
        process = start(words, **ENVIRONMENTS[environment])
        out, err = process.communicate()
        assert (process.returncode, err) == (0, ""), words
        assert out.strip()
        if environment == "no colour":
            assert not re.search(r"\x1b\[[\d;]*\b[349][0-7]\b", out)


@pytest.mark.parametrize("words", ["list", "show none --epochs 400", "attention causal"])
def test_a_pipe_that_is_closed_ends_the_command_quietly(words: str) -> None:
    process = start(words)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["list", "fairseq-dir", "show none"])
def test_a_full_disk_is_an_error_in_one_line(words: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "maskplug", *words.split()],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupt_leaves_no_traceback() -> None:
    process = start("show none --epochs 1000000", COLUMNS="80")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 1
    assert "Aborted!" in err
    assert "Traceback" not in err


def test_the_module_is_the_command() -> None:
    out, _ = start("--help").communicate()
    assert out.startswith("Usage: maskplug [OPTIONS] COMMAND")
