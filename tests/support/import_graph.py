"""The import graph of the source tree, imports in functions and under TYPE_CHECKING included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


def cycles() -> Iterator[list[str]]:
    """Yield every group of modules that import each other (Tarjan's algorithm)."""
    graph = {name: sorted(imported_modules(name)) for name in modules()}
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(name: str) -> Iterator[list[str]]:
        numbers[name] = lowest[name] = len(numbers)
        stack.append(name)
        for target in graph[name]:
            if target not in numbers:
                yield from visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], numbers[target])
        if lowest[name] == numbers[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                yield sorted(group)

    for name in graph:
        if name not in numbers:
            yield from visit(name)
