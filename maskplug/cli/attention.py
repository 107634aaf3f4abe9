"""``maskplug attention``: show a mask as a picture in the terminal, or save it to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from maskplug.attention import Pattern, pattern
from maskplug.attention.call import ATTENTION_KINDS
from maskplug.cli.lengths import LENGTH, Requested, annotations_of, pieces
from maskplug.cli.parameters import LARGEST, OutFile, SampleKey
from maskplug.errors import OptionError, TokenError
from maskplug.spec import options_from_json
from maskplug.viz.figure import ENDINGS, form_of
from maskplug.viz.pattern import picture
from maskplug.viz.picture import Picture

#: Examples of annotations for messages; others have one number per token.
EXAMPLES: dict[str, Any] = {
    "links": [[[0, 0], [1, 2]]],
    "order": [-1, 1, -1, 0],
    "prefix_lengths": [2],
    "sources_read": [[1, 2, 2, 4]],
}

#: Whole numbers; the pattern checks the lower bound.
WHOLE = click.IntRange(max=LARGEST)


@click.command("attention")
@click.argument("spec")
@click.option("--length", type=int, help=f"Number of queries; {LENGTH} if omitted.")
@click.option("--keys", type=int, help="Number of keys; as many as queries if omitted.")
@click.option(
    "--attention-kind",
    type=click.Choice(ATTENTION_KINDS),
    default="encoder",
    show_default=True,
    help="Self-attention of encoder or decoder, or cross attention.",
)
@click.option("--text", help="Text for the axes; in cross attention of the queries.")
@click.option("--source", help="Text of the keys, in cross attention.")
@click.option(
    "--tokenizer", metavar="PATH", help="As in show; if omitted, text is split on whitespace."
)
@click.option(
    "--annotations",
    metavar="JSON",
    help="Per-token data for the pattern: '{\"documents\": [0, 0, 1, 1]}'.",
)
@click.option("--head", type=WHOLE, default=0, show_default=True, help="Head to show.")
@click.option("--heads", type=WHOLE, help="Number of heads.")
@click.option(
    "--layer-idx",
    type=WHOLE,
    default=0,
    show_default=True,
    help="Index of the network layer, from 0.",
)
@click.option("--seed", default=0, show_default=True)
@click.option("--key", type=SampleKey(), default=0, show_default=True, help="Key of the sample.")
@click.option("--time", "t", type=WHOLE, default=0, show_default=True, help="Training step.")
@click.option("--epoch", type=WHOLE, help="0 if omitted; with --times, the time.")
@click.option("--progress", type=float, help="For schedules, from 0 to 1.")
@click.option("--times", metavar="T,T,…", help="M(t) at several steps, side by side: 0,500,1000.")
@click.option("--total", type=WHOLE, help="Total number of training steps, for schedules.")
@click.option("--compare", metavar="SPEC", help="Show the difference from this pattern.")
@click.option(
    "--within", metavar="SPEC", help="Mark visible cells that this pattern hides as leaks."
)
@click.option("--block", type=WHOLE, help="Size of the blocks to outline.")
@click.option(
    "--out",
    type=OutFile(*ENDINGS),
    help="Also write the picture to this .svg, .png or .pdf file.",
)
def attention_command(
    spec: str,
    length: int | None,
    keys: int | None,
    text: str | None,
    source: str | None,
    tokenizer: str | None,
    annotations: str | None,
    key: int | str,
    times: str | None,
    out: Path | None,
    **more: Any,
) -> None:
    """Show an attention mask: rows are queries, columns are keys.

    SPEC is a pattern, such as causal, window:left=4 or "document & (sink:n=2 | window:left=8)", or
    a spec as JSON, as in checkpoints.
    The default number of queries is the number of tokens in the text or the annotations.
    """
    if out is not None:
        form_of(out)
    shown = _pattern(spec, "SPEC")
    options = {name: value for name, value in more.items() if value is not None}
    for name in {"compare", "within"} & set(options):
        options[name] = _pattern(options[name], f"--{name}")
    options.setdefault("heads", max(options["head"], 0) + 1)
    options["keys"] = [key]
    if times is not None:
        options["times"] = _times(times)
    tokens = annotations_of(annotations)
    sources = None if source is None else pieces(source, tokenizer)
    kind = options["attention_kind"]
    requested = Requested(kind, length, keys, pieces(text, tokenizer), sources)
    options |= requested.arguments(tokens)
    result = _picture(shown, options, tokens)
    console = Console(highlight=False)
    console.print(Text(_heading(options, key), "dim"))
    console.print(result)
    if out is not None:
        result.save(out)


def _pattern(text: str, where: str) -> Pattern:
    """Return a pattern from an expression, or from a spec as JSON."""
    if not text.lstrip().startswith("{"):
        return pattern(text)
    return pattern(options_from_json(text, where, '{"name": "window", "left": 8}'))


def _picture(shown: Pattern, options: dict[str, Any], tokens: dict[str, Any]) -> Picture:
    """Return the picture; the error for a missing annotation says how to pass it."""
    try:
        return picture(shown, **options, **tokens)
    except TokenError as error:
        others = [options[name] for name in ("compare", "within") if name in options]
        names = [name for p in (shown, *others) for name in p.all_required_annotations]
        missing = [name for name in names if name not in tokens]
        if not missing or repr(missing[0]) not in str(error):
            raise
        example = {missing[0]: EXAMPLES.get(missing[0], [0, 0, 1, 1])}
        raise TokenError(f"{error}; pass --annotations '{json.dumps(example)}'") from None


def _heading(options: dict[str, Any], key: int | str) -> str:
    """Return the arguments of the pattern in one line."""
    return (
        "{q_len} queries, {kv_len} keys  {attention_kind}  layer {layer_idx}  head {head} of "
        "{heads}  seed {seed}  key {key}"
    ).format_map(options | {"key": key}) + ("" if "times" in options else f"  t {options['t']}")


def _times(text: str) -> list[int]:
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise OptionError(
            f"--times is {text!r}; it must be whole numbers, such as 0,500,1000"
        ) from None
