"""Generate docs/gallery.md, with one picture per built-in pattern, and check it is up to date.

``python tests/test_gallery.py`` writes the page; review the diff before you commit it.
"""

from __future__ import annotations

import inspect
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from maskplug.plugins import registry
from maskplug.registry import BUILTIN, Entry
from support.commands import succeeded

PAGE = Path(__file__).parents[1] / "docs" / "gallery.md"
HEAD = """# Gallery of attention patterns

One picture per pattern: rows are queries, columns are keys, and `██` means that the query may
attend to the key. The pictures are the output of the commands shown
(`python tests/test_gallery.py` generates this page). `maskplug list NAME` describes the options
of a pattern. `--out mask.svg` (or .png, .pdf) also writes the picture to a file, which needs
matplotlib (`pip install 'maskplug[viz]'`). In a notebook a pattern is displayed as a picture, and
`maskplug.viz.pattern.picture(pattern, q_len, kv_len, t, …)` takes the same options as the
command.
"""
#: Arguments of ``maskplug attention`` for each pattern, in the order of the page.
PICTURES = {
    "full": "full --length 8",
    "causal": "causal --length 12",
    "padding": """padding --annotations '{"valid": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0]}'""",
    "window": "'window(left=3, right=1)'",
    "dilated": "'dilated(left=2, right=2, dilation=3)'",
    "strided": "'(strided(stride=4) | window(left=3)) & causal'",
    "fixed": "'fixed(stride=4) & causal'",
    "chunked": "'chunked(size=4) & causal'",
    "sink": "'(sink(n=2) | window(left=3)) & causal'",
    "global_tokens": "'global_tokens(positions=[0,9]) | window(left=2, right=2)'",
    "bigbird": "'bigbird(block=1, random=2)'",
    "random": "'random(rate=0.3)' --length 10 --times 0,1,2",
    "prefix": "'prefix(length=5)' --length 12",
    "document": "'document & causal' "
    """--annotations '{"documents": [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]}'""",
    "sentence": """sentence --annotations '{"sentence_starts": [1, 0, 0, 1, 0, 1, 0, 0, 0, 1]}'""",
    "section": "section "
    """--annotations '{"section_starts": [1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]}'""",
    "unilm": """unilm --annotations '{"segments": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]}'""",
    "permutation": "'permutation(order=drawn, stream=content)' --length 10 --times 0,1",
    "block_diffusion": "'block_diffusion(block=2)' --length 16",
    "alternating": """'alternating(patterns=["full", "window(left=2)"])' """
    "--layer-idx 1 --length 8",
    "wait_k": "'wait_k(k=3)' --attention-kind cross --length 10 --keys 12",
    "monotonic": "monotonic --attention-kind cross --length 6 --keys 8 "
    """--annotations '{"sources_read": [[1, 1, 3, 4, 4, 8]]}'""",
    "aligned": "aligned --attention-kind cross "
    "--text 'the black cat sleeps' --source 'le chat noir dort' "
    """--annotations '{"links": [[[0, 0], [2, 1], [1, 2], [3, 3]]]}'""",
    "and": "'window(left=2, right=2) & ~sink(n=1)' --length 8",
    "or": "'window(left=1, right=1) | sink(n=1)' --length 8",
    "not": "'~sink(n=2) & causal' --length 8",
}
#: Other views: title, description, and arguments of the command.
VIEWS = (
    (
        "Masks at several iterations",
        "Patterns with schedules and clocks change during training. `--times` shows several "
        "iterations side by side, and `--total` sets the length of training.",
        "'window(left=linear(0, 8))' --length 12 --times 0,500,1000 --total 1000",
    ),
    (
        "Differences between two patterns",
        "Cells that are visible in only one of the patterns, with counts.",
        "'window(left=4)' --length 12 --compare 'window(left=2, right=1)'",
    ),
    (
        "Leaks",
        "Visible cells that another pattern hides (`--within`) and, if these annotations are "
        "given, visible cells across `documents` and at padding (`valid`).",
        """causal --annotations '{"documents": [0, 0, 0, 0, 1, 1, 1, 1, 1]}'""",
    ),
    (
        "Blocks",
        "A block-sparse kernel computes full blocks without a mask, applies the mask to each cell "
        "of partial blocks, and skips empty blocks.",
        "'window(left=6)' --length 16 --block 4",
    ),
    (
        "Long masks",
        "If there are too many cells, each cell of the picture shows the share of visible cells "
        "in a block.",
        "'(window(left=128) | sink(n=16)) & causal' --length 512",
    ),
)
RECEIVED = """
### Masks used by a model

`Picture.compare` compares a mask captured in a model with the requested mask, cell by cell.

```python
import numpy as np
import maskplug
from maskplug.viz.picture import Picture

expected = maskplug.pattern("document").dense(4, documents=[0, 0, 1, 1])
received = np.ones((1, 1, 4, 4), np.bool_)  # this model ignored the pattern
print(Picture.compare(expected, received))
```
```text
   0 1 2 3
 0 ████BBBB
 1 ████BBBB
 2 BBBB████
 3 BBBB████
only asked 0, only received 8, both 8, neither 0
visible: asked 50.0%; received 100.0%
empty rows: asked 0; received 0
██ both  AA only asked  BB only received  · neither
```
"""


def entries() -> dict[str, Entry]:
    return {e.name: e for e in registry().of_kind("pattern") if e.provider == BUILTIN}


def description(entry: Entry) -> str:
    """Return the docstring before its arguments as Markdown."""
    text = inspect.cleandoc(entry.factory.__doc__ or "")
    body = re.split(r"^(?:Args|Example|Raises|Source|Needs)\b", text, maxsplit=1, flags=re.M)[0]
    return body.strip().replace("``", "`")


def block(arguments: str) -> str:
    """Return the output of ``maskplug attention`` as a Markdown block."""
    command = f"attention {arguments}"
    output = succeeded(*shlex.split(command), columns=100).rstrip()
    return f"```console notest\n$ maskplug {command}\n{output}\n```\n"


def sections() -> Iterator[str]:
    yield HEAD
    yield "## Patterns\n"
    patterns = entries()
    for name, arguments in PICTURES.items():
        if name in patterns:
            yield f"### {name}\n\n{description(patterns[name])}\n\n{block(arguments)}"
    yield "## Other views\n"
    for title, text, arguments in VIEWS:
        yield f"### {title}\n\n{textwrap.fill(text, 108)}\n\n{block(arguments)}"
    yield RECEIVED.lstrip("\n")


def test_every_pattern_has_a_picture() -> None:
    missing = entries().keys() - PICTURES
    assert not missing, f"add {sorted(missing)} to PICTURES in tests/test_gallery.py"


def test_gallery_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == "\n".join(sections()), (
        "run python tests/test_gallery.py"
    )


if __name__ == "__main__":
    PAGE.write_text("\n".join(sections()), encoding="utf-8")
