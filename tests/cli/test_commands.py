"""``maskplug list``, ``plugins``, ``doctor`` and ``fairseq-dir``."""

from __future__ import annotations

import json
import logging
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import maskplug
from maskplug.cli import doctor
from maskplug.plugins import registry
from maskplug.registry import KINDS
from support.commands import refused, run, succeeded


def test_list_shows_every_kind_and_every_entry() -> None:
    output = succeeded("list")
    assert all(entry.label in output for entry in registry().entries)
    assert all(kind in output for kind in KINDS)
    clocks = succeeded("list", "clock")
    assert "cycle@1" in clocks
    assert "dynamic@1" not in clocks


@pytest.mark.parametrize("name", ["span", "span@1"])
def test_list_describes_one_entry_with_its_options(name: str) -> None:
    output = succeeded("list", name)
    assert "Joshi" in output
    assert "max_length: int = 10" in output


def test_list_wraps_docstrings_but_not_examples() -> None:
    lines = run("list", "wait_k", columns=60).output.splitlines()
    assert all(">>> " in line for line in lines if len(line) > 60)
    assert any(len(line) > 60 for line in lines)
    first = next(i for i, line in enumerate(lines) if line.startswith("    k: "))
    assert lines[first + 1].startswith("    ")
    assert lines[first + 1].strip()


def test_list_suggests_a_name() -> None:
    assert "did you mean 'span'" in refused("list", "spann")


def test_doctor_finds_no_problem_and_restores_logging() -> None:
    before = logging.root.manager.disable
    assert "No problems found" in succeeded("doctor")
    assert logging.root.manager.disable == before


def test_doctor_prints_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor.Finding("kernel cache", "broken", "repair it")
    monkeypatch.setattr(doctor, "findings", lambda: iter([finding]))
    result = run("doctor")
    assert result.exit_code == 1
    assert "kernel cache: repair it" in result.output


@pytest.mark.parametrize(
    ("name", "version", "body", "remedy"),
    [
        ("torchaudio", "2.0", "raise OSError('no libcudart')", "pip uninstall torchaudio"),
        ("fairseq", "0.12.2", "raise ValueError('mutable default')", "--no-deps fairseq-fixed"),
    ],
)
def test_doctor_finds_libraries_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, version: str, body: str, remedy: str
) -> None:
    info = tmp_path / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    finding = getattr(doctor, name)()
    assert f"cannot be imported: {body.split(chr(39))[1]}" in finding.state
    assert remedy in finding.remedy


def test_fairseq_dir_is_the_folder_of_the_package() -> None:
    folder = Path(succeeded("fairseq-dir").strip())
    assert folder.name == "maskplug_fairseq"
    assert (folder / "__init__.py").exists()


def test_plugins_shows_the_example_and_what_it_registers() -> None:
    output = succeeded("plugins")
    assert "maskplug-example" in output
    assert "strategy periodic@1" in output


class Broken(maskplug.Selector):
    def select(self, tokens, vocab, rng):  # type: ignore[no-untyped-def]
        if 13 in tokens.ids:
            raise ZeroDivisionError("unlucky")
        return maskplug.Selection.from_mask(tokens.ids < 0, tokens)


def test_command_in_an_error_message_runs() -> None:
    broken = replace(maskplug.strategy("dynamic", rate=0.5), selector=Broken())
    vocab = maskplug.Vocabulary(size=20, mask_id=0)
    tokens = maskplug.TokenBatch.from_lists([[1, 2], [3, 13]], keys=[5, 6])
    with pytest.raises(maskplug.MaskplugError, match="unlucky") as caught:
        broken(tokens, vocab, seed=3, epoch=2)
    command = str(caught.value).split("reproduce it with: maskplug ")[1]
    arguments = shlex.split(command.splitlines()[0])
    assert arguments[arguments.index("--key") + 1] == "6"
    assert json.loads(arguments[arguments.index("--options") + 1])["rate"] == 0.5
    assert "no such option" not in run(*arguments).output.lower()
