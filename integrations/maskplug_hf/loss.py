"""The loss of objectives whose labels have weights, for Trainer and for loops of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch.nn.functional import cross_entropy

from maskplug.errors import OptionError
from maskplug.targets import IGNORE
from maskplug_hf.model import ModelFacts

WEIGHTS = "loss_weights"
DIVISORS = "loss_divisors"
#: Of which the loss is a mean.
Mean = Literal["tokens", "samples"]


def weighted_loss(
    outputs: Any,
    labels: torch.Tensor,
    loss_weights: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    loss_divisors: torch.Tensor | None = None,
    document_ids: torch.Tensor | None = None,
    mean: Mean = "tokens",
    shift: bool = False,
) -> torch.Tensor:
    """The weighted sum of the labels' cross entropies, for each token that could have been masked.

    The weights of masked diffusion make up for how much was masked, so that the divisor must not
    depend on it. Nor must it depend on the prompt before an answer, which is never masked: with
    ``loss_divisors`` the loss is an unbiased estimate of the mean over all tokens that can be
    masked, however long their prompts are.

    Args:
        outputs: of the model; its ``logits``, or its first item where it is a tuple.
        labels: int64, -100 where nothing is predicted.
        loss_weights: floats of the shape of ``labels``.
        attention_mask: whose ones are counted where no divisors are given; without it all of
            ``labels`` are.
        loss_divisors: int64, how many tokens of each sample can be masked: of shape (rows,), or
            (rows, documents) for packed rows. The collators' column of this name.
        document_ids: of packed rows, for the mean over samples: the document of each label.
        mean: "tokens" divides the sum by the number of tokens: each token of the batch counts
            alike. "samples" divides each sample's sum by its own number, and takes the mean over
            the samples with any: each answer counts alike, as in the fine-tuning of LLaDA.
        shift: whether the model predicts at each token the next one, as causal models do.

    Returns:
        A scalar, float32; 0 where no token can be masked.

    Raises:
        OptionError: for a mean over samples without divisors, or over packed rows without
            ``document_ids``.

    Source: Nie et al., "Large language diffusion models" (LLaDA), 2025; Sahoo et al., "Simple and
    effective masked diffusion language models", 2024.

    Example:
        >>> logits = torch.zeros(1, 2, 4)
        >>> loss = weighted_loss((logits,), torch.tensor([[3, -100]]), torch.tensor([[2.0, 0.0]]))
        >>> round(loss.item(), 4)  # 2 · log(4) / 2
        1.3863
    """
    logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs[0]
    if _known(mean) == "samples":
        divisors = _per_sample(loss_divisors)
        loss_weights = loss_weights / _each(divisors, document_ids)
        count = (divisors > 0).sum()
    elif loss_divisors is not None:
        count = loss_divisors.sum()
    else:
        count = torch.tensor(labels.numel()) if attention_mask is None else attention_mask.sum()
    if shift:
        logits, labels, loss_weights = logits[:, :-1], labels[:, 1:], loss_weights[:, 1:]
    each = cross_entropy(
        logits.flatten(0, -2).float(), labels.flatten(), ignore_index=IGNORE, reduction="none"
    )
    loss: torch.Tensor = (each * loss_weights.flatten()).sum() / count.clamp(min=1)
    return loss


def _known(mean: Mean) -> Mean:
    if mean not in get_args(Mean):
        raise OptionError(f"mean is {mean!r}; choices: {', '.join(map(repr, get_args(Mean)))}")
    return mean


def _per_sample(divisors: torch.Tensor | None) -> torch.Tensor:
    if divisors is None:
        raise OptionError(
            'mean="samples" needs to know how many tokens of each sample can be masked: pass '
            'loss_divisors=batch["loss_divisors"]'
        )
    return divisors


def _each(divisors: torch.Tensor, document_ids: torch.Tensor | None) -> torch.Tensor:
    """The divisor of the sample of each label, of a shape that fits the labels."""
    if divisors.ndim == 1:
        return divisors.clamp(min=1)[:, None]
    if document_ids is None:
        raise OptionError(
            f"loss_divisors has the shape {tuple(divisors.shape)}, so that a row has several "
            'samples: mean="samples" needs document_ids=batch["document_ids"] as well'
        )
    return divisors.clamp(min=1).gather(1, document_ids.clamp(min=0))


class WeightedLoss:
    """Takes the place of a Trainer's ``compute_loss``: batches with weights get a weighted loss.

    All other batches are left to the trainer. ``attach`` does this with a mean over tokens, unless
    it was done before.

    Args:
        trainer: a ``transformers.Trainer``.
        mean: see :func:`weighted_loss`.
    """

    def __init__(self, trainer: Any, mean: Mean = "tokens") -> None:
        self.trainer = trainer
        self.mean = _known(mean)
        self.others = trainer.compute_loss
        self.accepts = trainer.model_accepts_loss_kwargs
        self.model = ModelFacts.of(trainer.model)

    def __call__(
        self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        """The loss, or (loss, outputs), as ``Trainer.compute_loss`` gives it."""
        takes = self.model.takes or ()
        if WEIGHTS not in inputs or WEIGHTS in takes:
            if DIVISORS in inputs and DIVISORS not in takes:
                inputs = {name: value for name, value in inputs.items() if name != DIVISORS}
            self.trainer.model_accepts_loss_kwargs = self.accepts
            return self.others(model, inputs, *args, **kwargs)  # type: ignore[no-any-return]
        self._check()
        given = dict(inputs)
        weights, labels = given.pop(WEIGHTS), given.pop("labels")
        divisors = given.pop(DIVISORS, None)
        outputs = model(**given)
        # It is a mean of this batch, and no model's own loss: Trainer must divide it by the number
        # of accumulated batches, and does so where the model takes no arguments for its loss.
        self.trainer.model_accepts_loss_kwargs = False
        loss = weighted_loss(
            outputs,
            labels,
            weights,
            given.get("attention_mask"),
            loss_divisors=divisors,
            document_ids=given.get("document_ids"),
            mean=self.mean,
            shift=self.model.shifts,
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
