"""``maskplug attention``: who sees whom, as a picture in the terminal and in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from maskplug.attention import Pattern, pattern
from maskplug.attention.pictures.figure import ENDINGS, form_of
from maskplug.attention.pictures.picture import Picture
from maskplug.attention.site import ATTENTION_KINDS
from maskplug.cli.lengths import LENGTH, Asked, layers_of, pieces
from maskplug.cli.parameters import LARGEST, OutFile, SampleKey
from maskplug.errors import OptionError, TokenError
from maskplug.spec import options_from_json

#: Layers that are not one of a few numbers for each token, as a message shows them.
EXAMPLES: dict[str, Any] = {
    "links": [[[0, 0], [1, 2]]],
    "order": [-1, 1, -1, 0],
    "prefix_lengths": [2],
    "sources_read": [[1, 2, 2, 4]],
}

#: Whole numbers; the pattern itself tells which are too small.
WHOLE = click.IntRange(max=LARGEST)


@click.command("attention")
@click.argument("spec")
@click.option("--length", type=int, help=f"How many queries; {LENGTH} without it.")
@click.option("--keys", type=int, help="How many keys; as many as queries without it.")
@click.option(
    "--attention-kind",
    type=click.Choice(ATTENTION_KINDS),
    default="encoder",
    show_default=True,
    help="Self-attention of encoder or decoder, or cross attention.",
)
@click.option("--text", help="Tokens for the axes; in cross attention the queries'.")
@click.option("--source", help="The keys' tokens, in cross attention.")
@click.option("--tokenizer", metavar="PATH", help="As in show; without it words are tokens.")
@click.option(
    "--annotations", metavar="JSON", help="What the pattern reads: '{\"documents\": [0, 0, 1, 1]}'."
)
@click.option("--head", type=WHOLE, default=0, show_default=True, help="The head to show.")
@click.option("--heads", type=WHOLE, help="How many heads there are.")
@click.option(
    "--layer-idx", type=WHOLE, default=0, show_default=True, help="The model's layer, from 0."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--key", type=SampleKey(), default=0, show_default=True, help="The sample's key.")
@click.option("--time", "t", type=WHOLE, default=0, show_default=True, help="The training step.")
@click.option("--epoch", type=WHOLE, help="0 without it; in --times the time itself.")
@click.option("--progress", type=float, help="For schedules, 0 to 1.")
@click.option("--times", metavar="T,T,…", help="M(t) at several steps, side by side: 0,500,1000.")
@click.option("--total", type=WHOLE, help="Steps of the whole training, for schedules.")
@click.option("--compare", metavar="SPEC", help="Show the difference to this pattern.")
@click.option("--within", metavar="SPEC", help="Visible cells that this pattern hides are leaks.")
@click.option("--block", type=WHOLE, help="Outline blocks of this size.")
@click.option(
    "--out",
    type=OutFile(*ENDINGS),
    help="Write the picture to this .svg, .png or .pdf file as well.",
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
    """Show which keys each query sees: rows are queries, columns are keys.

    SPEC is a pattern, such as causal, window:left=4 or "document & (sink:n=2 | window:left=8)", or
    as JSON, as checkpoints keep it.
    Without --length, there are as many queries as the text or the layers have tokens.
    """
    if out is not None:
        form_of(out)
    shown = _pattern(spec, "SPEC")
    given = {name: value for name, value in more.items() if value is not None}
    for name in {"compare", "within"} & set(given):
        given[name] = _pattern(given[name], f"--{name}")
    given.setdefault("heads", max(given["head"], 0) + 1)
    given["keys"] = [key]
    if times is not None:
        given["times"] = _times(times)
    tokens = layers_of(annotations)
    sources = None if source is None else pieces(source, tokenizer)
    asked = Asked(given["attention_kind"], length, keys, pieces(text, tokenizer), sources)
    given |= asked.arguments(tokens)
    picture = _picture(shown, given, tokens)
    console = Console(highlight=False)
    console.print(Text(_moment(given, key), "dim"))
    console.print(picture)
    if out is not None:
        picture.save(out)


def _pattern(text: str, where: str) -> Pattern:
    """A pattern from an expression, or from its spec as JSON."""
    if not text.lstrip().startswith("{"):
        return pattern(text)
    return pattern(options_from_json(text, where, '{"name": "window", "left": 8}'))


def _picture(shown: Pattern, given: dict[str, Any], tokens: dict[str, Any]) -> Picture:
    """The picture; where a layer is missing, the message says how to give it here."""
    try:
        return shown.picture(**given, **tokens)
    except TokenError as error:
        others = [given[name] for name in ("compare", "within") if name in given]
        needed = [
            name
            for p in (shown, *others)
            for name in p.all_required_annotations
            if name not in tokens
        ]
        if not needed or repr(needed[0]) not in str(error):
            raise
        layer = {needed[0]: EXAMPLES.get(needed[0], [0, 0, 1, 1])}
        raise TokenError(f"{error}; say --layers '{json.dumps(layer)}'") from None


def _moment(given: dict[str, Any], key: int | str) -> str:
    """Where and when the pattern is looked at."""
    said = f"{given['q_len']} queries, {given['kv_len']} keys  {given['attention_kind']}  layer "
    said += f"{given['layer_idx']}  head {given['head']} of {given['heads']}  seed {given['seed']}"
    return f"{said}  key {key}" + ("" if "times" in given else f"  t {given['t']}")


def _times(text: str) -> list[int]:
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise OptionError(
            f"--times takes whole numbers, such as 0,500,1000, not {text!r}"
        ) from None
