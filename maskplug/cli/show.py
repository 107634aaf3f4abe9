"""``maskplug show``: show the masks of a strategy on a text, epoch by epoch."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from maskplug.cli.parameters import LARGEST, OutFile, SampleKey, at_most_one, writing
from maskplug.cli.tokenizers import TOKENIZER, Reader, read
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
#: An example of --annotations for messages.
EXAMPLE = '{"salient": [0, 1, 1, 0]}'


@click.command("show")
@click.argument("name", required=False, metavar="[NAME[@V]]")
@click.option("--strategy", metavar="NAME[@V]", help="Same as NAME.")
@click.option("--options", default="{}", metavar="JSON", help="Options of the strategy.")
@click.option(
    "--tokenizer", metavar="PATH", help=f"{TOKENIZER}; if omitted, text is split on whitespace."
)
@click.option("--text", default=SAMPLE, help="Text to mask.  [default: an example]")
@click.option("--ids", help="Token ids instead of a text, such as '5 17 3'.")
@click.option(
    "--annotations", metavar="JSON", help=f"Annotations with one value per token: '{EXAMPLE}'."
)
@click.option("--key", type=SampleKey(), default=0, show_default=True, help="Key of the sample.")
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
    help="Training progress for schedules, 0 to 1.",
)
@click.option(
    "--out", type=OutFile(".svg", ".html"), help="Also write the output to a .svg or .html file."
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
    """Show the masks of a strategy, epoch by epoch.

    NAME is a strategy such as "span" or "span@1"; by default "dynamic".
    """
    at_most_one("name", "strategy")
    at_most_one("text", "ids")
    at_most_one("epoch", "epochs")
    if not text.strip():
        raise TokenError(f"--text is {text!r}: there is nothing to mask")
    label = next((label for label in (name, strategy) if label is not None), "dynamic")
    masker = build(label, **options_from_json(options, "--options"))
    reader = read(tokenizer, text)
    rows = [reader.encode(text) if ids is None else _ids(ids)]
    columns = {name: [values] for name, values in _annotations(annotations).items()}
    tokens = TokenBatch.from_lists(rows, keys=[key_of(key)], **columns)
    console = Console(highlight=False, record=out is not None)
    header = f"{masker.label}  {masker.options_json}  seed {moment['seed']}  key {key}"
    console.print(Text(header, "dim"))
    for e in range(epochs) if epoch is None else [epoch]:
        _show_epoch(console, reader, masker, tokens, e, moment)
    console.print(legend())
    if out is not None:
        _save(console, out)


def _show_epoch(
    console: Console,
    reader: Reader,
    masker: Strategy,
    tokens: TokenBatch,
    epoch: int,
    moment: dict[str, Any],
) -> None:
    masked: Masked = masker(tokens, reader.vocab, epoch=epoch, **moment)
    summary = _summary(report(tokens, masked, reader.vocab))
    console.print(Text.assemble((f"epoch {epoch}", "bold cyan"), (f"  {summary}", "dim")))
    for line in render(tokens, masked, reader.vocab, reader.piece):
        console.print(line)


def _summary(counts: Report) -> str:
    text = f"{counts.chosen} of {counts.maskable} tokens chosen ({counts.rate:.0%}): "
    outcomes = [(counts.masks, "masked"), (counts.randoms, "random"), (counts.kept, "kept")]
    outcomes += [(counts.removed, "removed")] if counts.removed else []
    text += ", ".join(f"{number} {name}" for number, name in outcomes)
    if counts.targets or counts.inputs != counts.tokens:
        text += f"; {counts.tokens} tokens → {counts.inputs} read"
    return text + (f", {counts.targets} generated" if counts.targets else "")


def _save(console: Console, out: Path) -> None:
    """Write the printed text as a picture or a page."""
    with writing(out):
        if out.suffix.lower() == ".svg":
            console.save_svg(str(out), title="maskplug show")
        else:
            console.save_html(str(out))


def _annotations(text: str | None) -> dict[str, list[Any]]:
    annotations = {} if text is None else options_from_json(text, "--annotations", EXAMPLE)
    for name, values in annotations.items():
        if name in inspect.signature(TokenBatch.from_lists).parameters:
            raise OptionError(f"--annotations: {name!r} is not the name of an annotation")
        if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
            raise TokenError(f"--annotations: {name!r} is {values!r}; expected a list of numbers")
    return annotations


def _ids(text: str) -> list[int]:
    try:
        ids = [int(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise TokenError(f"--ids takes whole numbers, such as '5 17 3': {error}") from None
    if not ids:
        raise TokenError(f"--ids is {text!r}: there is nothing to mask")
    return ids
