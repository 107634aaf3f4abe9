"""Values that stand where a checkpoint's record should be: foreign, damaged or tampered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st


def nested(depth: int) -> Any:
    """Lists within lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


#: What no record is, as JSON may hold it.
FOREIGN: dict[str, Any] = {
    "zero": 0,
    "number": 7,
    "fraction": 0.5,
    "nan": float("nan"),
    "true": True,
    "false": False,
    "text": "dynamic@1",
    "empty text": "",
    "list": [1, 2],
    "empty list": [],
    "list of records": [{"seed": 3}],
    "empty": {},
    "other names": {"version": 2, "state": {"seed": 3}},
    "nested": {"seed": nested(30)},
}

#: Any JSON value.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def tampered(draw: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of which a name is missing, added, or has another value."""
    name = draw(st.sampled_from([*record, "added"]))
    if name != "added" and draw(st.booleans()):
        return {key: value for key, value in record.items() if key != name}
    value = draw(JSON.filter(lambda new: name not in record or not _same(new, record[name])))
    return {**record, name: value}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
