"""A replacement of ``Trainer.compute_loss`` for weighted labels and for no labels at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from maskplug_torch.losses import Mean, check_mean, predicts_nothing, weighted_loss

from maskplug.errors import OptionError
from maskplug_hf.model import model_info

WEIGHTS = "loss_weights"
DIVISORS = "loss_divisors"


class WeightedLoss:
    """Compute a weighted loss for batches with weights, and 0 for batches without predictions.

    All other batches are left to the trainer. ``attach`` installs it with a mean over tokens,
    unless it is installed already.

    A mean over no labels is NaN, and so are the gradients. The gradients of the loss 0 are 0, and
    every process takes part in the step.

    Args:
        trainer: a ``transformers.Trainer``, whose ``compute_loss`` it replaces.
        mean: see :func:`maskplug_hf.weighted_loss`.
    """

    def __init__(self, trainer: Any, mean: Mean = "tokens") -> None:
        self.trainer = trainer
        self.mean = check_mean(mean)
        self.compute_loss = trainer.compute_loss
        self.accepts_loss_kwargs = trainer.model_accepts_loss_kwargs
        self.model = model_info(trainer.model)

    def __call__(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        """Return the loss, or (loss, outputs), like ``Trainer.compute_loss``."""
        taken = self.model.arguments or ()
        if WEIGHTS in inputs and WEIGHTS not in taken:
            loss, outputs = self._weighted(model, dict(inputs))
            return (loss, outputs) if return_outputs else loss
        if DIVISORS in inputs and DIVISORS not in taken:
            inputs = {name: value for name, value in inputs.items() if name != DIVISORS}
        self.trainer.model_accepts_loss_kwargs = self.accepts_loss_kwargs
        if not predicts_nothing(inputs.get("labels"), self.model.predicts_next):
            return self.compute_loss(model, inputs, return_outputs, *args, **kwargs)  # type: ignore[no-any-return]
        outputs = model(**inputs)
        loss = _zero(outputs.values() if isinstance(outputs, Mapping) else outputs, model)
        return (loss, outputs) if return_outputs else loss

    def _weighted(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, Any]:
        other_loss = trainer_loss(self.trainer)
        if other_loss:
            raise OptionError(
                f"the labels of the strategy have weights, which the trainer's {other_loss} "
                "ignores: leave it out, or train with a strategy without weights"
            )
        weights, labels = inputs.pop(WEIGHTS), inputs.pop("labels")
        divisors = inputs.pop(DIVISORS, None)
        outputs = model(**inputs)
        # The loss is a mean of this batch: Trainer must divide it by the number of accumulated
        # batches, which it does where the model takes no arguments for its loss.
        self.trainer.model_accepts_loss_kwargs = False
        loss = weighted_loss(
            outputs,
            labels,
            weights,
            inputs.get("attention_mask"),
            loss_divisors=divisors,
            document_ids=inputs.get("document_ids"),
            mean=self.mean,
            shift=self.model.predicts_next,
        )
        return loss, outputs


def trainer_loss(trainer: Any) -> str | None:
    """Return the argument with which a Trainer was given another loss, or None."""
    if trainer.compute_loss_func is not None:
        return "compute_loss_func"
    return None if trainer.label_smoother is None else "label_smoothing_factor"


def _zero(outputs: Iterable[Any], model: Any) -> torch.Tensor:
    """Return 0, with a gradient of 0 for all parameters that the outputs depend on."""
    tensors = [x for x in outputs if isinstance(x, torch.Tensor) and x.dim() and x.requires_grad]
    # Fused kernels of logits and loss return no logits; in evaluation nothing has a gradient.
    tensors = tensors or list(model.parameters())
    # A sum over an empty slice, because 0 times an infinite logit is NaN.
    return torch.stack([x.flatten()[:0].float().sum() for x in tensors]).sum()
