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
    "ascii, no columns": {"PYTHONIOENCODING": "ascii", "COLUMNS": "0"},
    "C locale, narrow": {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "COLUMNS": "10",
    },
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
def test_every_command_prints_in_every_terminal(environment: str) -> None:
    code = f"""
import sys
from maskplug.cli import main
for words in {COMMANDS}:
    try:
        main(words.split(), prog_name="maskplug")
    except SystemExit as error:
        assert not error.code, words
    print("\\n#####")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **ENVIRONMENTS[environment]},
    )
    assert (done.returncode, done.stderr) == (0, "")
    outputs = done.stdout.split("\n#####\n")[:-1]
    assert len(outputs) == len(COMMANDS)
    assert all(output.strip() for output in outputs)
    if environment == "no colour":
        assert not re.search(r"\x1b\[[\d;]*\b[349][0-7]\b", done.stdout)


@pytest.mark.parametrize("words", ["list", "show none --epochs 400"])
def test_a_closed_pipe_ends_the_command_without_a_message(words: str) -> None:
    process = start(words)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["fairseq-dir", "show none"])
def test_a_full_disk_is_a_one_line_error(words: str) -> None:
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
