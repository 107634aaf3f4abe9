"""The share of a training step that masking takes, in Hugging Face and in fairseq.

``measure`` gives "steps": a list of dicts, one for each framework, model and side.

- "framework": "Hugging Face" (Trainer with BERT) or "fairseq" (its trainer with RoBERTa).
- "masking": "maskplug", or the peer: transformers' collator, fairseq's ``masked_lm``.
- "layers", "hidden": the model's; "batch": its batches, as "rows × length"; "device": its place.
- "of which masking": seconds. In Hugging Face those inside the collator, which masks and pads; in
  fairseq, whose peer masks while it reads, all that making the batch takes.
- "seconds a step": from the end of one optimizer step to the end of the next, without workers, so
  that whatever it takes to make a batch is part of it.
- "share, %": of the step.
- "tokens/s": of the whole training.

Masking is clocked inside the very steps: the difference of two runs would be noise. What is left of
a step is the same model's work on both sides, and so it is the same figure on both: the least of
all their steps. Otherwise a busy moment in one of the runs would pass for a smaller share.

The first step, in which everything is compiled and allocated, does not count. The model has all
cores (or a GPU, where there is one: its steps are shorter, and the share is larger); masking has
one thread, on either side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.training_steps import Shape, Spent, all_cores, device

Train = Callable[[Shape, bool], Spent]

SHAPES = (
    Shape(layers=2, hidden=128, heads=2, steps=6),
    Shape(layers=12, hidden=768, heads=12, steps=2),
)
TOY = (Shape(layers=1, hidden=16, heads=2, rows=2, length=16, words=500, steps=3),)


def measure(small: bool) -> dict[str, Any]:
    """Every run, one after the other."""
    from benchmarks import training_fairseq, training_hf

    frameworks = {
        "Hugging Face": (training_hf.train, "transformers"),
        "fairseq": (training_fairseq.train, "fairseq masked_lm"),
    }
    return {
        "steps": [
            row
            for shape in (TOY if small else SHAPES)
            for framework, (train, peer) in frameworks.items()
            for row in rows(framework, peer, shape, train)
        ]
    }


def rows(framework: str, peer: str, shape: Shape, train: Train) -> list[dict[str, Any]]:
    """Both sides of a framework, a dict of figures each."""
    spent: dict[str, Spent] = {}
    for masking in ("maskplug", peer):
        print(f"training: {framework}, {shape.layers} layers, {masking}", flush=True)
        with all_cores():
            spent[masking] = train(shape, masking == "maskplug")
    rest = min(side.rest for side in spent.values())
    return [
        {
            "framework": framework,
            "masking": masking,
            "layers": shape.layers,
            "hidden": shape.hidden,
            "batch": f"{shape.rows} × {shape.length}",
            "device": device(),
            "seconds a step": rest + side.masking,
            "of which masking": side.masking,
            "share, %": 100 * side.masking / (rest + side.masking),
            "tokens/s": shape.tokens / (rest + side.masking),
        }
        for masking, side in spent.items()
    ]
