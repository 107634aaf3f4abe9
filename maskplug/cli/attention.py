"""``maskplug attention``: show a mask as a picture in the terminal, or save it to a file."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.text import Text

from maskplug.attention import Pattern, pattern
from maskplug.attention.call import ATTENTION_KINDS
from maskplug.cli.parameters import LARGEST, OutFile, SampleKey
from maskplug.cli.show import SAMPLE
from maskplug.cli.tokenizers import read
from maskplug.errors import OptionError, TokenError
from maskplug.spec import options_from_json
from maskplug.viz.figure import ENDINGS, form_of
from maskplug.viz.pattern import picture
from maskplug.viz.picture import Picture
from maskplug.vocabulary.spelling import plain

#: The default number of queries.
LENGTH = 16
#: An example of --annotations, for messages.
LIKE = '{"documents": [0, 0, 1, 1]}'
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
    tokens = _annotations(annotations)
    queries = _pieces(text, tokenizer)
    if options["attention_kind"] == "cross":
        sources = None if source is None else _pieces(source, tokenizer)
        options |= _cross_lengths(length, keys, queries, sources, tokens)
    elif source is not None:
        raise OptionError("--source is for cross attention: add --attention-kind cross")
    else:
        options |= _self_lengths(length, keys, queries, tokens)
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


def _pieces(text: str | None, tokenizer: str | None) -> list[str] | None:
    """Return the tokens of a text; of a sample sentence if there is only a tokenizer."""
    if text is None and tokenizer is None:
        return None
    text = SAMPLE if text is None else text
    reader = read(tokenizer, text)
    return [plain(reader.piece(token), reader.vocab.word_mark) for token in reader.encode(text)]


def _annotations(text: str | None) -> dict[str, Any]:
    """Return annotations from a JSON object of lists, or of numbers for the whole sample."""
    annotations = {} if text is None else options_from_json(text, "--annotations", LIKE)
    taken = {
        name
        for function in (picture, Pattern.intervals)
        for name in inspect.signature(function).parameters
    }
    for name, values in annotations.items():
        if name in taken:
            raise OptionError(f"--annotations: {name!r} is not an annotation")
        try:
            annotations[name] = np.asarray(values)
        except ValueError:
            raise TokenError(f"--annotations: {name!r} has rows of different lengths") from None
        if annotations[name].dtype.kind not in "iub":
            raise TokenError(
                f"--annotations: {name!r} is {values!r}; it must be a list of integers"
            )
        if annotations[name].ndim > 1 and len(annotations[name]) != 1:
            raise TokenError(
                f"--annotations: {name!r} has rows for {len(annotations[name])} samples, but "
                "one is shown; put the rows of one sample in another pair of brackets"
            )
    return annotations


def _cross_lengths(
    length: int | None,
    keys: int | None,
    text: list[str] | None,
    source: list[str] | None,
    annotations: dict[str, Any],
) -> dict[str, Any]:
    """Return the numbers and texts of queries and keys, as arguments of ``picture``."""
    of_queries = {name: a for name, a in annotations.items() if "quer" in name}
    of_keys = {name: a for name, a in annotations.items() if name not in of_queries}
    q_len = _length("--length", length, "--text", text, of_queries, LENGTH)
    kv_len = _length("--keys", keys, "--source", source, of_keys, q_len)
    return {"q_len": q_len, "kv_len": kv_len, "queries": text, "key_texts": source}


def _self_lengths(
    length: int | None, keys: int | None, text: list[str] | None, annotations: dict[str, Any]
) -> dict[str, Any]:
    """Return numbers, offset and texts; the queries are the last of the keys."""
    option, number = ("--length", length) if keys is None else ("--keys", keys)
    kv_len = _length(option, number, "--text", text, annotations, LENGTH)
    q_len = kv_len if length is None else length
    if q_len > kv_len:
        raise OptionError(
            f"--length is {q_len} and --keys {kv_len}; in self-attention every query is one of "
            "the keys (not with --attention-kind cross)"
        )
    offset = kv_len - q_len
    texts = {"queries": text and text[offset:], "key_texts": text}
    return {"q_len": q_len, "kv_len": kv_len, "offset": offset, **texts}


def _length(
    option: str,
    number: int | None,
    other: str,
    tokens: list[str] | None,
    annotations: Mapping[str, Any],
    default: int,
) -> int:
    """Return a length from an option, a text, the longest annotation, or the default."""
    if number is not None and tokens is not None and number != len(tokens):
        raise OptionError(f"{option} is {number}, and {other} has {len(tokens)} tokens")
    if number is not None:
        return number
    if tokens is not None:
        return len(tokens)
    rows = [a.shape[-1] for a in annotations.values() if a.ndim in (1, 2) and a.shape[-1] > 1]
    return max(rows, default=default)


def _times(text: str) -> list[int]:
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise OptionError(
            f"--times is {text!r}; it must be whole numbers, such as 0,500,1000"
        ) from None
