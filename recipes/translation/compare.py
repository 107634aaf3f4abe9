"""Did both frameworks draw the same masks? Counted over all rows, and shown for one sentence."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

import maskplug
from maskplug.cli.fairseq_dir import fairseq_dir
from maskplug.show import legend, render
from recipes.translation.fairseq_run import Masking, train_command
from recipes.translation.prepare import Workspace
from recipes.translation.recorder import Recorder, Row


def fairseq_rows(work: Workspace, masking: Masking, epochs: int) -> dict[tuple[int, int], Row]:
    """What fairseq's own task, data set and collater feed to the model: every row and epoch."""
    from fairseq import options, tasks, utils
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    command = train_command(work, masking, epochs)[1:]
    utils.import_user_module(Namespace(user_dir=str(fairseq_dir())))
    args = options.parse_args_and_arch(options.get_training_parser(), command)
    task = tasks.setup_task(convert_namespace_to_omegaconf(args).task)
    task.load_dataset("train")
    dataset = task.dataset("train")
    with Recorder(epochs) as recorder:
        for epoch in range(1, epochs + 1):
            dataset.set_epoch(epoch)
            for start in range(0, len(dataset), 100):
                rows = range(start, min(start + 100, len(dataset)))
                dataset.collater([dataset[i] for i in rows])
    return recorder.rows


def equal_rows(ours: dict[tuple[int, int], Row], theirs: dict[tuple[int, int], Row]) -> int:
    """How many (epoch, sample) pairs both hold with the same tokens and the same mask."""
    return sum(theirs.get(moment) == row for moment, row in ours.items())


def picture(
    fairseq: dict[tuple[int, int], Row], hugging_face: dict[tuple[int, int], Row], tokenizer: Any
) -> Panel:
    """One sentence's masks, epoch by epoch, as each framework drew them."""
    from maskplug_hf import vocabulary

    vocab = vocabulary(tokenizer)
    key = _telling_sentence(fairseq)
    lines = []
    for epoch in range(3):
        for name, rows in (("fairseq", fairseq), ("Hugging Face", hugging_face)):
            line = _line(rows[epoch, key], vocab, tokenizer)
            lines.append(Text.assemble((f"epoch {epoch + 1}  {name:13}", "cyan"), line))
        lines.append(Text())
    return Panel(Group(*lines, legend()), title=f"sentence {key + 1} of the training text")


def _telling_sentence(rows: dict[tuple[int, int], Row]) -> int:
    """The first sentence that fits on a line and whose mask changes in every epoch."""
    for (t, key), row in sorted(rows.items()):
        masks = {tuple(rows[epoch, key].inputs) for epoch in range(3)}
        if t == 0 and 8 <= len(row.original) <= 14 and len(masks) == 3:
            return key
    return 0


def _line(row: Row, vocab: maskplug.Vocabulary, tokenizer: Any) -> Text:
    tokens = maskplug.TokenBatch.from_lists([row.original], keys=[0])
    selection = maskplug.Selection.from_mask(np.array(row.chosen), tokens)
    masked = maskplug.Masked(maskplug.Ragged(np.array(row.inputs), tokens.offsets), selection)
    return render(tokens, masked, vocab, tokenizer.convert_ids_to_tokens)[0]


def report(
    console: Console,
    fairseq: dict[tuple[int, int], Row],
    hugging_face: dict[tuple[int, int], Row],
    tokenizer: Any,
) -> bool:
    """Print the picture and the count; returns whether all rows were equal."""
    console.print(picture(fairseq, hugging_face, tokenizer))
    equal = equal_rows(hugging_face, fairseq)
    same = equal == len(hugging_face) == len(fairseq)
    console.print(
        f"[bold]{equal:,} of {len(hugging_face):,}[/] masked rows (3 epochs, every training "
        "sentence) are the same in fairseq and in Hugging Face.",
        style="green" if same else "red",
    )
    return same
