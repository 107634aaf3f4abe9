"""Who may know whom, read from the import lines; and what importing maskplug imports."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import maskplug

ROOT = Path(maskplug.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
FRAMEWORKS = {"torch", "transformers", "fairseq", "datasets", "accelerate", "tensorflow", "jax"}
FRAMEWORKS |= {"maskplug_hf", "maskplug_fairseq"}
#: What a selector, a replacement or a target may import of the core.
PARTS_MAY = {"arrays", "errors", "kernels", "limits", "parts", "rng", "schedule", "tokens", "units"}
PARTS_MAY |= {
    "feedback",
    "ragged",
    "resource",
    "vocabulary",
    "selectors",
    "replacements",
    "targets",
}


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, wherever the line stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_files_are_found() -> None:
    assert len(FILES) > 30
    assert "maskplug.kernels.select.exact_tokens" in imports(ROOT / "selectors" / "exact.py")


#: The one room of the core that makes tensors, for those who ask for them.
MAKES_TENSORS = {ROOT / "attention" / "flex.py": {"torch"}}


# The command line may look at what is installed.
@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.parent.name != "cli"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_core_imports_no_framework(path: Path) -> None:
    allowed = MAKES_TENSORS.get(path, set())
    assert not {name.split(".")[0] for name in imports(path)} & (FRAMEWORKS - allowed)


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if p.parent.name in ("selectors", "replacements", "targets")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_parts_know_tokens_vocabulary_and_draws(path: Path) -> None:
    own = {name.split(".")[1] for name in imports(path) if name.startswith("maskplug.")}
    assert own <= PARTS_MAY
    assert "maskplug" not in imports(path)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "attention" / "patterns").glob("*.py")), ids=lambda p: p.name
)
def test_patterns_know_their_site(path: Path) -> None:
    own = {name.split(".")[1] for name in imports(path) if name.startswith("maskplug.")}
    may = {"arrays", "attention", "clock", "errors", "kernels", "limits", "parts", "resource"}
    assert own <= may | {"rng", "schedule"}
    assert "maskplug" not in imports(path)


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").glob("*.py")), ids=lambda p: p.name)
def test_kernels_are_serial_and_know_arrays_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    keywords = {k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords}
    names = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert "parallel" not in keywords
    assert not names & {"prange", "random"}
    own = {name.split(".")[1] for name in imports(path) if name.startswith("maskplug.")}
    assert own <= {"arrays", "kernels"} | ({"errors"} if path.stem == "__init__" else set())


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if "testing" in p.relative_to(ROOT).parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_kit_knows_the_core_only_and_does_without_pytest(path: Path) -> None:
    top = [n for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.stmt)]
    named = {alias.name for n in top if isinstance(n, ast.Import) for alias in n.names}
    named |= {n.module for n in top if isinstance(n, ast.ImportFrom) and n.module}
    assert not {name.split(".")[0] for name in named} & {"pytest", "hypothesis", "scipy", "rich"}
    own = {name.split(".")[1] for name in imports(path) if name.startswith("maskplug.")}
    assert not own & {"cli", "selectors", "replacements", "strategies", "collate"}


def test_nothing_but_the_command_line_knows_the_kit() -> None:
    for path in FILES:
        if not {"testing", "cli"} & set(path.relative_to(ROOT).parts):
            assert not any(name.startswith("maskplug.testing") for name in imports(path)), path


def test_importing_maskplug_imports_nothing_heavy() -> None:
    code = "import sys, maskplug; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & (FRAMEWORKS | {"numba", "rich", "click", "sentencepiece", "scipy"})


def test_building_a_strategy_compiles_nothing() -> None:
    code = "import sys, maskplug; maskplug.strategy('span').spec; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MASKPLUG_LOAD_PLUGINS": ""},
    )
    assert done.stdout.strip() == "False"
