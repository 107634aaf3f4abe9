"""The wheel and the sdist: complete, and used from another folder than the checkout."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

pytestmark = pytest.mark.xdist_group("distribution")  # built once

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "maskplug": ROOT / "maskplug",
    "maskplug_torch": ROOT / "integrations" / "maskplug_torch",
    "maskplug_hf": ROOT / "integrations" / "maskplug_hf",
    "maskplug_fairseq": ROOT / "integrations" / "maskplug_fairseq",
}
#: What building needs of the checkout.
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "maskplug", "integrations")

MASKS = """
import maskplug
rows = maskplug.TokenBatch.from_lists([[5, 6, 7, 8, 9], [4]], keys=[1, 2])
vocab = maskplug.Vocabulary(size=20, mask_id=0)
masked = maskplug.strategy("dynamic", rate=0.5)(rows, vocab, seed=1, epoch=0)
print(maskplug.__file__, masked.inputs.to_lists())
"""


def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def files_of(name: str) -> set[str]:
    """The files of a package and of all below it, by their paths once installed."""
    return {
        f"{name}/{path.relative_to(FOLDERS[name]).as_posix()}"
        for path in FOLDERS[name].rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_setup_lists_every_package() -> None:
    packages = {
        Path(file).parent.as_posix().replace("/", ".")
        for name in FOLDERS
        for file in files_of(name)
        if file.endswith(".py")
    }
    assert set(setup()["options"]["packages"].split()) == packages


def versions(lines: str) -> set[tuple[str, str, Version]]:
    """The one version of each line with its name and its marker."""
    wanted = [Requirement(line) for line in lines.splitlines() if re.match(r"\w", line)]
    return {(r.name, str(r.marker), Version(next(iter(r.specifier)).version)) for r in wanted}


@pytest.mark.parametrize(
    ("file", "section", "option"),
    [
        ("lowest.txt", "options", "install_requires"),
        ("lowest-hf.txt", "options.extras_require", "hf"),
    ],
)
def test_lowest_allowed_versions_are_tested(file: str, section: str, option: str) -> None:
    tested = versions((ROOT / "requirements" / file).read_text(encoding="utf-8"))
    assert tested == versions(setup()[section][option])


def test_tested_pythons_are_claimed() -> None:
    tested = re.search(r"PYTHONS = \[(.*)\]", (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    assert tested is not None
    claimed = re.findall(r"Python :: (3\.\d+)", setup()["metadata"]["classifiers"])
    assert claimed == re.findall(r"3\.\d+", tested[1])
    assert setup()["options"]["python_requires"] == f">={claimed[0]}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist, built from a copy of the checkout."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, copy / name, ignore=skip)
        else:
            shutil.copy(ROOT / name, copy / name)
    code = f"from setuptools.build_meta import build_sdist; build_sdist({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    sdist = next(out.glob("*.tar.gz"))
    # From the sdist: what it lacks is missing from the wheel as well.
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(out), str(sdist))
    return out


def pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", *arguments, "--no-index"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is installed in."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", str(folder), str(next(built.glob("*.whl"))))
    return folder


def python(installed: Path, folder: Path, *arguments: str) -> str:
    """What Python prints in another folder, with the installed copy before any other."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"},
    )  # fmt: skip
    return done.stdout


def test_wheel_contains_every_file(built: Path) -> None:
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    files = set().union(*map(files_of, FOLDERS))
    assert {name for name in names if ".dist-info/" not in name} == files
    assert any(name.endswith("LICENSE") for name in names)


def test_sdist_contains_every_file_for_the_build(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE"} <= names
    for name, folder in FOLDERS.items():
        place = folder.relative_to(ROOT).as_posix()
        assert {file.replace(name, place, 1) for file in files_of(name)} <= names


@pytest.mark.slow  # imports both frameworks; the test of the commands is its small form
def test_installed_copy_masks_and_its_adapters_can_be_imported(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(MASKS, {})
    masks = capsys.readouterr().out.partition(" ")[2]
    code = f"{MASKS}import maskplug_hf, maskplug_fairseq\n"
    code += "print(maskplug_hf.__file__, maskplug_fairseq.__file__)"
    output = python(installed, tmp_path, "-c", code)
    assert output.startswith(f"{installed / 'maskplug' / '__init__.py'} {masks}")
    modules = [installed / name / "__init__.py" for name in ("maskplug_hf", "maskplug_fairseq")]
    assert output.splitlines()[-1] == f"{modules[0]} {modules[1]}"


def test_commands_work_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert "dynamic@1" in python(installed, tmp_path, "-m", "maskplug", "list")
    script = str(installed / "bin" / "maskplug")
    assert "epoch 0" in python(installed, tmp_path, script, "show", "dynamic")
    output = python(installed, tmp_path, script, "fairseq-dir")
    assert Path(output.strip()) == installed / "maskplug_fairseq"
