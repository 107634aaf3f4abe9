"""Kernels are compiled once, quickly, and for all processes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import maskplug
from maskplug.kernels.compilation import folder, kernels
from support.compiling import TESTS, kept, run, start

FILES = sorted(Path(maskplug.kernels.__file__).parent.glob("*.py"))
DECORATORS = {"kernel", "inlined", "compiled"}
CODE = """
import json, numpy as np, maskplug
from maskplug.kernels.compilation import watched
with watched() as compiled:
    tokens = maskplug.TokenBatch.from_lists([[5, 6], [7]]).take(np.array([1, 0]))
output = {"keys": tokens.keys.tolist(), "compiled": [c.name for c in compiled if c.is_maskplug]}
print(json.dumps(output))
"""
KEYS = maskplug.TokenBatch.from_lists([[7], [5, 6]]).keys.tolist()


def decorated() -> set[str]:
    """Return the names of all functions with a decorator of ``maskplug.kernels``."""
    return {
        f"{file.stem}.{node.name}"
        for file in FILES
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and {getattr(d, "id", None) for d in node.decorator_list} & DECORATORS
    }


def test_all_kernels_are_found() -> None:
    assert set(kernels()) == decorated()
    assert len(kernels()) > 50


def test_each_kernel_is_compiled_for_one_signature() -> None:
    script = str(TESTS / "support" / "kernel_uses.py")
    output = run(script)
    if output["compiled"]:  # then kernels have the signatures of their callers, too
        output = run(script)
    numbers = {name: len(signatures) for name, signatures in output["signatures"].items()}
    assert not {name for name, number in numbers.items() if number > 1}
    assert sum(number == 1 for number in numbers.values()) > 30


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_kernels_do_not_assign_slices(file: Path) -> None:
    """Numba compiles half of its text functions, for an error message, where a slice is copied."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and any(map(is_slice, node.targets)):
            assert not is_array(node.value), f"line {node.lineno}"


def is_slice(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and any(
        isinstance(part, ast.Slice) for part in ast.walk(node.slice)
    )


def is_array(node: ast.AST) -> bool:
    """Whether this may be an array: a slice, or something that was called."""
    return is_slice(node) or isinstance(node, ast.Call)


def test_processes_can_compile_concurrently(tmp_path: Path) -> None:
    both = [start("-c", CODE, cache=tmp_path) for _ in range(2)]
    for process in both:
        out, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        assert json.loads(out)["keys"] == KEYS
    files = kept(str(tmp_path))
    third = run("-c", CODE, cache=tmp_path)
    assert third["compiled"] == []
    assert kept(str(tmp_path)) == files
    assert len(files) > 4


def test_kernels_work_without_cache_folder_and_warn_once(tmp_path: Path) -> None:
    code = CODE.replace(
        "import json",
        "import warnings; warnings.simplefilter('always'); caught = []\n"
        "warnings.showwarning = lambda message, *more: caught.append(str(message))\nimport json",
    ).replace('"compiled": [', '"warnings": caught, "compiled": [')
    # A locator that takes nothing but zip files: as good as folders that nobody can write to.
    output = run("-c", code, cache=tmp_path, NUMBA_CACHE_LOCATOR_CLASSES="ZipCacheLocator")
    assert output["keys"] == KEYS
    assert len(output["compiled"]) > 1
    assert [text for text in output["warnings"] if "NUMBA_CACHE_DIR" in text] == output["warnings"]
    assert len(output["warnings"]) == 1
    assert kept(str(tmp_path)) == []


def test_cache_folder_is_reported() -> None:
    maskplug.pattern("causal").dense(2)
    where = folder()
    assert where is not None
    assert any(name.startswith("intervals.tidy") for name in kept(str(where)))


@pytest.mark.parametrize(("chosen", "told"), [("NOTSET", False), ("DEBUG", True)])
def test_numba_debug_output_works(chosen: str, told: bool, tmp_path: Path) -> None:
    code = f"""
import logging
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("numba").setLevel(logging.{chosen})
import numpy as np
from maskplug.ragged import ranges
ranges(np.array([1]), np.array([2]))
"""
    out, errors = start("-c", code, cache=tmp_path).communicate(timeout=600)
    assert ("bytecode dump" in errors) == told
    assert out == ""
    assert kept(str(tmp_path)), "nothing was compiled"
