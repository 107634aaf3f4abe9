"""Train a small translation model with masked sources, in fairseq and in Hugging Face.

Both read the same text with the same pieces and draw the same masks; the demonstration shows them.
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from maskplug.errors import MaskplugError, MaskplugWarning
from maskplug.spec import options_from_json
from maskplug.strategy import strategy as make_strategy
from recipes.translation import compare, corpus, fairseq_run, hf_run
from recipes.translation.prepare import Workspace, prepare
from recipes.translation.recorder import Recorder

console = Console(highlight=False)
PAIR = click.Path(path_type=Path)


@contextmanager
def step(title: str, total: float | None = None) -> Iterator[Callable[[float, str], None]]:
    """A line with a spinner, or with a bar when ``total`` is known; yields what moves it."""
    columns = [SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}")]
    moving = [BarColumn(bar_width=30), TextColumn("{task.fields[note]}")] if total else []
    with Progress(*columns, *moving, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(title, total=total or 1, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)
        progress.update(task, completed=total or 1)


def bleu(translations: list[str], references: list[str]) -> str:
    """The corpus BLEU and its signature, as text."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU()
    return (
        f"{metric.corpus_score(translations, [references]).score:.1f} [dim]{metric.get_signature()}"
    )


@click.command()
@click.option("--train", nargs=2, type=PAIR, help="Source and target file to train on.")
@click.option("--valid", nargs=2, type=PAIR, help="Source and target file to validate on.")
@click.option("--test", nargs=2, type=PAIR, help="Source and target file to translate.")
@click.option("--out", type=PAIR, default=Path("demo-run"), show_default=True)
@click.option("--strategy", default="dynamic", show_default=True)
@click.option("--options", default='{"rate": 0.15}', show_default=True, metavar="JSON")
@click.option("--epochs", default=3, show_default=True, type=click.IntRange(min=3))
@click.option("--vocab-size", default=3000, show_default=True)
@click.option("--seed", default=7, show_default=True, help="Of the masks.")
def main(out: Path, epochs: int, vocab_size: int, **given: Any) -> None:
    """Train on parallel text (the sample without files) in both frameworks, and compare masks."""
    begun = time.monotonic()
    masking = fairseq_run.Masking(given["strategy"], given["options"], given["seed"])
    try:
        made = make_strategy(masking.strategy, **options_from_json(masking.options, "--options"))
    except MaskplugError as error:
        raise click.ClickException(str(error)) from None
    files = {name: given[name] or corpus.sample()[name] for name in corpus.SPLITS}
    splits = {name: corpus.read_split(*pair) for name, pair in files.items()}
    console.print(f"[bold]maskplug[/]: {made.label}, {len(splits['train']):,} training pairs\n")
    work = Workspace(out)
    with step("SentencePiece, one dictionary for both frameworks, fairseq-preprocess"):
        prepare(work, splits, vocab_size)

    console.print(f"\n[dim]$ {shlex.join(fairseq_run.train_command(work, masking, epochs))}")
    with step("fairseq: train", epochs) as tell:
        fairseq_run.train(work, masking, epochs, tell)
    with step("fairseq: translate"):
        translations = fairseq_run.translate(work)
    console.print(f"  BLEU {bleu(translations, splits['test'].target)}")

    console.print("\n[dim]DataCollatorForMasking, Seq2SeqTrainer, attach(trainer)")
    with step("Hugging Face: train", epochs) as tell, Recorder(3) as recorder:
        trainer = hf_run.make_trainer(work, splits, masking, epochs, tell)
        trainer.train()
    with step("Hugging Face: translate"):
        translations = hf_run.translate(trainer, splits["test"])
    console.print(f"  BLEU {bleu(translations, splits['test'].target)}\n")

    fairseq_rows = compare.fairseq_rows(work, masking, 3)
    same = compare.report(console, fairseq_rows, recorder.rows, trainer.processing_class)
    console.print(
        f"[dim]{epochs} epochs on {len(splits['train']):,} sentences show that everything works "
        "together; good translations need more of both."
    )
    console.print(f"\nDone in {(time.monotonic() - begun) / 60:.1f} minutes; files are in {out}.")
    console.print(
        "Next: [bold]maskplug show --strategy span "
        f"--tokenizer {work.tokenizer}[/], or your own text: "
        "[bold]python -m recipes.translation.demo --help"
    )
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore")  # those of the frameworks
    warnings.simplefilter("default", MaskplugWarning)
    main()
