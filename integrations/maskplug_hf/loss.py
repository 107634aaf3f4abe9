"""The loss of objectives whose labels have weights, for Trainer and for loops of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from maskplug.errors import OptionError
from maskplug.targets import IGNORE
from maskplug_hf.model import ModelFacts

WEIGHTS = "loss_weights"


def weighted_loss(
    outputs: Any,
    labels: torch.Tensor,
    loss_weights: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    shift: bool = False,
) -> torch.Tensor:
    """The weighted sum of the labels' cross entropies, for each token that the model sees.

    The weights of masked diffusion make up for how much was masked, so that the divisor must not
    depend on it: it is the number of tokens, not that of labels.

    Args:
        outputs: of the model; its ``logits``, or its first item where it is a tuple.
        labels: int64, -100 where nothing is predicted.
        loss_weights: floats of the shape of ``labels``.
        attention_mask: whose ones are counted; without it all of ``labels`` are.
        shift: whether the model predicts at each token the next one, as causal models do.

    Returns:
        A scalar, float32.

    Source: Nie et al., "Large language diffusion models" (LLaDA), 2025; Sahoo et al., "Simple and
    effective masked diffusion language models", 2024.

    Example:
        >>> logits = torch.zeros(1, 2, 4)
        >>> loss = weighted_loss((logits,), torch.tensor([[3, -100]]), torch.tensor([[2.0, 0.0]]))
        >>> round(loss.item(), 4)  # 2 · log(4) / 2
        1.3863
    """
    logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs[0]
    tokens = labels.numel() if attention_mask is None else attention_mask.sum().clamp(min=1)
    if shift:
        logits, labels, loss_weights = logits[:, :-1], labels[:, 1:], loss_weights[:, 1:]
    each = cross_entropy(
        logits.flatten(0, -2).float(), labels.flatten(), ignore_index=IGNORE, reduction="none"
    )
    loss: torch.Tensor = (each * loss_weights.flatten()).sum() / tokens
    return loss


class WeightedLoss:
    """Takes the place of a Trainer's ``compute_loss``: batches with weights get a weighted loss.

    All other batches are left to the trainer.

    Args:
        trainer: a ``transformers.Trainer``.
    """

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        self.others = trainer.compute_loss
        self.accepts = trainer.model_accepts_loss_kwargs
        self.model = ModelFacts.of(trainer.model)

    def __call__(
        self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        """The loss, or (loss, outputs), as ``Trainer.compute_loss`` gives it."""
        if WEIGHTS not in inputs or WEIGHTS in (self.model.takes or ()):
            self.trainer.model_accepts_loss_kwargs = self.accepts
            return self.others(model, inputs, *args, **kwargs)  # type: ignore[no-any-return]
        self._check()
        given = dict(inputs)
        weights, labels = given.pop(WEIGHTS), given.pop("labels")
        outputs = model(**given)
        # It is a mean of this batch, and no model's own loss: Trainer must divide it by the number
        # of accumulated batches, and does so where the model takes no arguments for its loss.
        self.trainer.model_accepts_loss_kwargs = False
        loss = weighted_loss(
            outputs, labels, weights, given.get("attention_mask"), shift=self.model.shifts
        )
        wanted = args[0] if args else kwargs.get("return_outputs", False)
        return (loss, outputs) if wanted else loss

    def _check(self) -> None:
        own = [
            name
            for name, there in (
                ("compute_loss_func", self.trainer.compute_loss_func is not None),
                ("label_smoothing_factor", self.trainer.label_smoother is not None),
            )
            if there
        ]
        if own:
            raise OptionError(
                f"the strategy gives its labels weights, and the trainer's {own[0]} knows nothing "
                "of them: leave it out, or train with a strategy without weights"
            )
