"""Which module may import which, how large files are, and what ``import maskplug`` loads."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "maskplug": ROOT / "maskplug",
    **{path.name: path for path in sorted((ROOT / "integrations").glob("maskplug_*"))},
    "benchmarks": ROOT / "benchmarks",
    "recipes": ROOT / "recipes",
}


@cache
def modules() -> dict[str, Path]:
    """Return the file of every module, by dotted name."""
    names = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            names[".".join(parts).removesuffix(".__init__")] = path
    return names


@cache
def imported_names(path: Path) -> frozenset[str]:
    """Return the dotted names that a file imports, wherever the statement stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: use absolute imports"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def imported_modules(name: str) -> set[str]:
    """Return the modules of this tree that a module imports."""
    known = modules()
    targets = set()
    for imported in imported_names(known[name]):
        parent = imported.rpartition(".")[0]
        targets |= {imported} if imported in known else {parent} & known.keys()
    return targets - {name}


CORE = [name for name in modules() if name.split(".")[0] == "maskplug"]
ADAPTERS = [name for name in modules() if name.startswith("maskplug_")]
FRAMEWORKS = {"torch", "transformers", "fairseq", "datasets", "accelerate", "tensorflow", "jax"}
#: The adapters from the one that needs least to those that are built on it.
LAYERS = ("maskplug_torch", "maskplug_hf", "maskplug_fairseq")
#: Core modules that may import torch: they make tensors on request.
MAKES_TENSORS = {"maskplug.attention.flex"}
#: Packages of the core that nothing else in the core imports.
OUTER = ("maskplug.cli", "maskplug.testing")


def folder(name: str) -> str:
    """Return the first two components of a module's name."""
    return ".".join(name.split(".")[:2])


def test_import_graph_is_read() -> None:
    assert len(CORE) > 100
    assert "maskplug.kernels.select" in imported_modules("maskplug.selectors.exact")


def test_no_import_cycles() -> None:
    imports = {name: imported_modules(name) for name in modules()}
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_core_imports_no_framework_and_no_adapter() -> None:
    for name in CORE:
        if name in MAKES_TENSORS or name.startswith("maskplug.cli"):
            continue  # the command line reports what is installed
        top = {imported.split(".")[0] for imported in imported_names(modules()[name])}
        assert not top & (FRAMEWORKS | {*LAYERS}), name


@pytest.mark.parametrize("package", LAYERS)
def test_adapters_import_only_adapters_below_them(package: str) -> None:
    allowed = {package} if package == "maskplug_torch" else {package, "maskplug_torch"}
    for name in ADAPTERS:
        if name.split(".")[0] == package:
            tops = {target.split(".")[0] for target in imported_modules(name)}
            assert tops <= allowed | {"maskplug"}, name


def test_adapters_import_only_the_declared_surface() -> None:
    page = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
    declared = set(re.findall(r"^\| `(maskplug[\w.]*)` \|", page, re.MULTILINE))
    used = {target for name in ADAPTERS for target in imported_modules(name)}
    used = {target for target in used if target.split(".")[0] == "maskplug"}
    assert used == declared


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("maskplug.selectors", {"replacements", "targets", "loss_tracking", "preprocessing"}),
        ("maskplug.replacements", {"selectors", "targets", "preprocessing"}),
        ("maskplug.targets", {"replacements", "selectors"}),
        ("maskplug.attention.patterns", {"attention", "clock", "preprocessing", "context"}),
    ],
)
def test_parts_import_only_tokens_vocabulary_and_draws(package: str, allowed: set[str]) -> None:
    common = {"errors", "kernels", "parts", "ragged", "rng", "schedule", "tokens", "types", "units"}
    common |= {"validation", "vocabulary", package.split(".")[1]}
    for name in CORE:
        if name.startswith(f"{package}."):
            targets = {target.split(".")[1] for target in imported_modules(name)}
            assert targets <= common | allowed, name


def test_kernels_are_serial_and_import_only_types() -> None:
    for name in CORE:
        if not name.startswith("maskplug.kernels"):
            continue
        tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
        keywords = {k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords}
        attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        assert "parallel" not in keywords, name
        assert not attributes & {"prange", "random"}, name
        allowed = {"maskplug.types", "maskplug.kernels", "maskplug.errors"}
        assert {folder(target) for target in imported_modules(name)} <= allowed, name


def test_only_the_command_line_imports_the_outer_packages() -> None:
    for name in CORE:
        if not name.startswith((*OUTER, "maskplug.__main__")):
            assert not any(target.startswith(OUTER) for target in imported_modules(name)), name


def test_root_of_the_core_is_small() -> None:
    assert len(list((ROOT / "maskplug").glob("*.py"))) <= 24


def test_no_file_is_longer_than_400_lines() -> None:
    paths = [*modules().values(), *(ROOT / "tests").rglob("*.py")]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {str(path): length for path, length in lengths.items() if length > 400} == {}


def loaded_modules(code: str) -> set[str]:
    """Return the top-level modules that are loaded after ``code`` ran in a new interpreter."""
    code += "; import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    environment = {**os.environ, "MASKPLUG_LOAD_PLUGINS": ""}
    command = [sys.executable, "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(process.stdout.split())


def test_import_and_building_a_strategy_load_nothing_heavy() -> None:
    loaded = loaded_modules("import maskplug; maskplug.strategy('span').spec")
    assert "numpy" in loaded
    heavy = {"numba", "rich", "click", "sentencepiece", "scipy", "pytest", "matplotlib"}
    assert not loaded & (FRAMEWORKS | heavy)


def test_torch_adapter_loads_no_transformers() -> None:
    assert "transformers" not in loaded_modules("import maskplug_torch")
