"""Results as tables of texts, which ``make bench`` prints and docs/performance.md shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """The columns after the first are figures."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def figure(value: Any, column: str = "") -> str:
    """A figure with three digits, a share in percent, and nothing where there is none."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(figure(item, column) for item in value)
    if isinstance(value, str | bool):
        return str(value)
    if "share" in column and "%" not in column:
        return f"{value * 100:.3g} %"
    if abs(value) >= 1e6:
        millions = value / 1e6
        return f"{millions:,.0f} M" if millions >= 100 else f"{millions:#.3g} M"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def comparisons(rows: list[dict[str, Any]]) -> Table:
    """Both sides, and whether the goal is reached."""
    head = ("peer", "work", "maskplug, tokens/s", "peer, tokens/s", "ratio", "goal",
            "peak memory, MiB: maskplug, peer")  # fmt: skip
    return Table(head, [tuple(_comparison(row)) for row in rows])


def _comparison(row: dict[str, Any]) -> Iterator[str]:
    yield row["peer"]
    yield row["what"]
    yield figure(row["maskplug, tokens/s"])
    yield figure(row["peer, tokens/s"])
    low, high = (figure(ratio) for ratio in row["middle half of ratios"])
    yield f"{figure(row['ratio'])}× ({low}–{high})"
    if row["goal"] is None:
        yield "–"
    else:
        yield f"{figure(row['goal'])}× {'✓' if row['ratio'] >= row['goal'] else '✗'}"
    yield f"{figure(row['maskplug, MiB'])}, {figure(row['peer, MiB'])}"


def growth(section: dict[str, Any]) -> Table:
    """The slopes only; the plot shows the rest."""
    columns = [(axis, kind) for axis in section for kind in ("time", "memory")]
    names = dict.fromkeys(name for found in section.values() for name in found)

    def slope(name: str, axis: str, kind: str) -> str:
        value = section[axis].get(name, {}).get(f"slope of {kind}")
        return "–" if value is None else f"{value:.2f}"

    return Table(
        ("strategy", *(f"{kind} by {axis}" for axis, kind in columns)),
        [(name, *(slope(name, *column) for column in columns)) for name in names],
    )


def grid(section: dict[str, Any]) -> Table:
    """Any nested mapping, or list of mappings: a row for each of the innermost ones.

    A row is named by the way there, except where it is the same for all.
    """
    leaves = list(_leaves(section, ()))
    if [path for path, _ in leaves] == [()]:
        return Table(("what", "figure"), [(k, figure(v, k)) for k, v in leaves[0][1].items()])
    columns = list(dict.fromkeys(column for _, leaf in leaves for column in leaf))
    rows = [tuple(figure(leaf[c], c) if c in leaf else "" for c in columns) for _, leaf in leaves]
    if len(leaves) > 1 and len({path for path, _ in leaves}) == 1:
        return Table(tuple(columns), rows)
    named = [(", ".join(path), *row) for (path, _), row in zip(leaves, rows, strict=True)]
    return Table(("what", *columns), named)


def _leaves(
    value: dict[str, Any] | list[dict[str, Any]], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
        return
    inner = {name: item for name, item in value.items() if _branches(item)}
    own = {name: item for name, item in value.items() if name not in inner}
    if own:
        yield path, own
    for name, item in inner.items():
        yield from _leaves(item, (*path, name))


def _branches(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def start_up(section: dict[str, Any]) -> list[Table]:
    """First batches; what else takes its time; and the kernels that take longest to compile."""
    batches = {name: found for name, found in section.items() if "cold, s" in found}
    kernels = section.get("compiling, s", {})
    rest = {
        f"{name}, {what}": value
        for name, found in section.items()
        if name not in batches and found is not kernels
        for what, value in found.items()
    }
    slowest = dict(list(kernels.items())[:SLOWEST])
    others = list(kernels.values())[SLOWEST:]
    if others:
        slowest[f"{len(others)} more, together"] = sum(others)
    kinds = {"first batch": batches, "what": rest, "kernel, to compile": slowest}
    grids = {first: grid(found) for first, found in kinds.items() if found}
    return [Table((first, *made.head[1:]), made.rows) for first, made in grids.items()]


#: How many of the kernels are listed.
SLOWEST = 10
#: Sections that are shown in a way of their own.
SPECIAL: dict[str, Callable[[Any], list[Table]]] = {
    "comparisons": lambda rows: [comparisons(rows)],
    "growth": lambda section: [growth(section)],
    "start-up": start_up,
}


def tables(name: str, section: Any) -> list[Table]:
    """The tables of a section of the results: one, as a rule."""
    return SPECIAL[name](section) if name in SPECIAL else [grid(section)]
