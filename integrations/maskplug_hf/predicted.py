"""Batches in which nothing is predicted: models compute 0 / 0 of them, and their loss is 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from maskplug.strategy import Strategy
from maskplug.targets import IGNORE
from maskplug.types import UintArray
from maskplug.vocabulary import Vocabulary
from maskplug_hf.model import ModelFacts


def predicts_nothing(labels: Any, shifts: bool) -> bool:
    """Whether there are labels, whole numbers in an array or a tensor, and all of them are -100.

    Args:
        labels: of a batch, or None.
        shifts: whether the model predicts at each token the next one, so that first labels are
            not predicted.
    """
    if labels is None or labels.dtype not in (torch.int64, np.dtype(np.int64)):
        return False
    if shifts and labels.ndim > 1:
        labels = labels[:, 1:]
    return not bool((labels != IGNORE).any())


def predicts(strategy: Strategy, vocab: Vocabulary) -> bool:
    """Whether a strategy wants anything predicted at all; noise does not."""
    tries = [strategy.dry_run(vocab, seed) for seed in range(8)]  # some choose nothing by chance
    return any(
        tried.targets is not None
        or (tried.labels is not None and bool((tried.labels.values != IGNORE).any()))
        for tried in tries
    )


def nothing_predicted(keys: UintArray) -> str:
    """The warning for a loop of one's own, of a batch of samples with these keys."""
    return (
        f"nothing is predicted in a batch of {len(keys)} samples (the first has the key "
        f"{keys[0]}), and models give it the loss NaN: leave out samples without a token that may "
        "be masked, or skip such batches (if (batch['labels'] != -100).any())"
    )


class ZeroLoss:
    """Takes the place of a Trainer's ``compute_loss``: batches without predictions have loss 0.

    A mean over no labels is NaN, and so are the gradients of models that divide by the number of
    labels themselves. The gradients of this loss are 0; every process takes its part in the step.
    All other batches are left to the trainer.

    Args:
        trainer: a ``transformers.Trainer``.
    """

    def __init__(self, trainer: Any) -> None:
        self.others = trainer.compute_loss
        self.shifts = ModelFacts.of(trainer.model).shifts

    def __call__(
        self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        """The loss, or (loss, outputs), as ``Trainer.compute_loss`` gives it."""
        if not predicts_nothing(inputs.get("labels"), self.shifts):
            return self.others(model, inputs, *args, **kwargs)  # type: ignore[no-any-return]
        outputs = model(**inputs)
        loss = _zero(outputs.values() if isinstance(outputs, Mapping) else outputs, model)
        wanted = args[0] if args else kwargs.get("return_outputs", False)
        return (loss, outputs) if wanted else loss


def _zero(outputs: Iterable[Any], model: Any) -> torch.Tensor:
    """0, with a gradient of 0 for all that the outputs were made of."""
    tensors = [x for x in outputs if isinstance(x, torch.Tensor) and x.dim() and x.requires_grad]
    # Kernels that fuse logits and loss return no logits; in evaluation nothing has a gradient.
    tensors = tensors or list(model.parameters())
    # A sum over an empty slice, because 0 times an infinite logit is NaN.
    return torch.stack([x.flatten()[:0].float().sum() for x in tensors]).sum()
