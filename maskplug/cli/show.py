"""``maskplug show``: a strategy's masks on a text, iteration by iteration."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from maskplug.cli.parameters import LARGEST, OutFile, SampleKey, at_most_one, writing
from maskplug.cli.tokenizers import Reader, read
from maskplug.errors import OptionError, TokenError
from maskplug.rng import key_of
from maskplug.spec import options_from_json
from maskplug.strategy import Strategy
from maskplug.strategy import strategy as build
from maskplug.tokens import Masked, TokenBatch
from maskplug.viz.statistics import Report, report
from maskplug.viz.text import legend, render

SAMPLE = (
    "The quick brown fox jumps over the lazy dog . The dog , who had been dreaming of foxes , does "
    "not even wake up . Foxes are quick ."
)
#: What --layers looks like, for messages.
LIKE = '{"salient": [0, 1, 1, 0]}'


@click.command("show")
@click.argument("name", required=False, metavar="[NAME[@V]]")
@click.option("--strategy", metavar="NAME[@V]", help="The same as NAME.")
@click.option("--options", default="{}", metavar="JSON", help="Options of the strategy.")
@click.option(
    "--tokenizer",
    metavar="PATH",
    help="Hugging Face folder, SentencePiece .model "
    "or fairseq dict.txt; without it words are tokens.",
)
@click.option("--text", default=SAMPLE, help="What to mask; a sentence of ours without it.")
@click.option("--ids", help="Token ids instead of a text: '5 17 3'.")
@click.option("--annotations", metavar="JSON", help=f"Layers, one value a token: '{LIKE}'.")
@click.option("--key", type=SampleKey(), default=0, show_default=True, help="The sample's key.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--epochs",
    type=click.IntRange(1, LARGEST),
    default=3,
    show_default=True,
    help="Show epochs 0 to N-1.",
)
@click.option("--epoch", type=click.IntRange(0, LARGEST), help="Show this epoch only.")
@click.option("--step", type=click.IntRange(0, LARGEST), default=0, show_default=True)
@click.option(
    "--progress",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="For schedules, 0 to 1.",
)
@click.option(
    "--out",
    type=OutFile(".svg", ".html"),
    help="Write the picture to this .svg or .html file as well.",
)
def show_command(
    name: str | None,
    strategy: str | None,
    options: str,
    tokenizer: str | None,
    text: str,
    ids: str | None,
    annotations: str | None,
    key: int | str,
    epochs: int,
    epoch: int | None,
    out: Path | None,
    **moment: Any,
) -> None:
    """Show what a strategy hides, epoch by epoch.

    NAME is a strategy ("span", "span@1"); dynamic without it.
    """
    at_most_one("name", "strategy")
    at_most_one("text", "ids")
    at_most_one("epoch", "epochs")
    if not text.strip():
        raise TokenError(f"--text is {text!r}: there is nothing to mask")
    label = next((given for given in (name, strategy) if given is not None), "dynamic")
    made = build(label, **options_from_json(options, "--options"))
    reader = read(tokenizer, text)
    rows = [reader.encode(text) if ids is None else _ids(ids)]
    given = {name: [values] for name, values in _layers(annotations).items()}
    tokens = TokenBatch.from_lists(rows, keys=[key_of(key)], **given)
    console = Console(highlight=False, record=out is not None)
    console.print(
        Text(f"{made.label}  {made.options_json}  seed {moment['seed']}  key {key}", "dim")
    )
    for e in range(epochs) if epoch is None else [epoch]:
        _show_epoch(console, reader, made, tokens, e, moment)
    console.print(legend())
    if out is not None:
        _save(console, out)


def _show_epoch(
    console: Console,
    reader: Reader,
    made: Strategy,
    tokens: TokenBatch,
    epoch: int,
    moment: dict[str, Any],
) -> None:
    masked: Masked = made(tokens, reader.vocab, epoch=epoch, **moment)
    figures = _figures(report(tokens, masked, reader.vocab))
    console.print(Text.assemble((f"epoch {epoch}", "bold cyan"), (f"  {figures}", "dim")))
    for line in render(tokens, masked, reader.vocab, reader.piece):
        console.print(line)


def _figures(counts: Report) -> str:
    said = f"{counts.chosen} of {counts.maskable} tokens chosen ({counts.rate:.0%}): "
    became = [(counts.masks, "masked"), (counts.randoms, "random"), (counts.kept, "kept")]
    became += [(counts.removed, "removed")] if counts.removed else []
    said += ", ".join(f"{number} {what}" for number, what in became)
    if counts.targets or counts.inputs != counts.tokens:
        said += f"; {counts.tokens} tokens → {counts.inputs} read"
    return said + (f", {counts.targets} generated" if counts.targets else "")


def _save(console: Console, out: Path) -> None:
    """Write what was printed as a picture."""
    with writing(out):
        if out.suffix.lower() == ".svg":
            console.save_svg(str(out), title="maskplug show")
        else:
            console.save_html(str(out))


def _layers(text: str | None) -> dict[str, list[Any]]:
    annotations = {} if text is None else options_from_json(text, "--annotations", LIKE)
    for name, values in annotations.items():
        if name in inspect.signature(TokenBatch.from_lists).parameters:
            raise OptionError(f"--layers: no layer is called {name!r}")
        if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
            raise TokenError(f"--layers: {name!r} is {values!r}; it is a list of numbers")
    return annotations


def _ids(text: str) -> list[int]:
    try:
        ids = [int(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise TokenError(f"--ids takes whole numbers, such as '5 17 3': {error}") from None
    if not ids:
        raise TokenError(f"--ids is {text!r}: there is nothing to mask")
    return ids
