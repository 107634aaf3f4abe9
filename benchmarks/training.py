"""The share of a training step that masking takes, in Hugging Face and in fairseq.

``measure`` gives "steps": a list of dicts, one for each framework, model and side.

- "framework": "Hugging Face" (Trainer with BERT) or "fairseq" (its trainer with RoBERTa).
- "masking": "maskplug", or the peer: transformers' collator, fairseq's ``masked_lm``.
- "layers", "hidden": the model's; "batch": its batches, as "rows × length"; "device": its place.
- "seconds a step": from the end of one optimizer step to the end of the next, without workers, so
  that whatever it takes to make a batch is part of it.
- "of which masking": seconds. In Hugging Face those inside the collator, which masks and pads; in
  fairseq, whose peer masks while it reads, all that making the batch takes.
- "share, %": of the step.
- "tokens/s": of the whole training.

Both are clocked inside the very same steps: a difference of two runs would be noise. All figures
are medians over steps, after the first, in which everything is compiled and allocated. The model
has all cores (or a GPU, where there is one: its steps are shorter, and the share is larger);
masking has one thread, on either side.
"""

from __future__ import annotations

from typing import Any

from benchmarks.training_steps import Shape, Spent, all_cores, device

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
    found = []
    for shape in TOY if small else SHAPES:
        for framework, (train, peer) in frameworks.items():
            for masking in ("maskplug", peer):
                print(
                    f"training: {framework}, {shape.layers} layers, {masking}", end="", flush=True
                )
                found.append(row(framework, masking, shape, train))
                print(
                    ": {seconds a step:.3g} s a step, {share, %:.3g} % masking".format(**found[-1])
                )
    return {"steps": found}


def row(framework: str, masking: str, shape: Shape, train: Any) -> dict[str, Any]:
    """One dict of figures."""
    with all_cores():
        spent: Spent = train(shape, masking == "maskplug")
    return {
        "framework": framework,
        "masking": masking,
        "layers": shape.layers,
        "hidden": shape.hidden,
        "batch": f"{shape.rows} × {shape.length}",
        "device": device(),
        "seconds a step": spent.step,
        "of which masking": spent.masking,
        "share, %": 100 * spent.masking / spent.step,
        "tokens/s": shape.tokens / spent.step,
    }
