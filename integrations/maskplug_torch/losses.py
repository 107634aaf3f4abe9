"""The loss of objectives with weighted labels, and batches in which nothing is predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from maskplug.errors import OptionError
from maskplug.targets import IGNORE

#: What the loss is a mean of.
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
    """Return the weighted sum of the labels' cross entropies, divided by the maskable tokens.

    The weights of masked diffusion compensate for the masking rate, so that the divisor must not
    depend on it, nor on the prompt before an answer, which is never masked: with ``loss_divisors``
    the loss is an unbiased estimate of the mean over all tokens that can be masked, whatever the
    length of the prompts.

    Args:
        outputs: of the model; its ``logits``, or its first item where it is a tuple.
        labels: int64, -100 where nothing is predicted.
        loss_weights: floats of the shape of ``labels``.
        attention_mask: its ones are counted if there are no divisors; without it all ``labels``.
        loss_divisors: int64, the number of maskable tokens of each sample: of shape (rows,), or
            (rows, documents) for packed rows. The collators' column of this name.
        document_ids: of packed rows, for the mean over samples: the document of each label.
        mean: "tokens" divides the sum by the number of maskable tokens: each token of the batch
            has the same weight. "samples" divides each sample's sum by its own number, and takes
            the mean over the samples with any, as in the fine-tuning of LLaDA.
        shift: whether the model predicts the next token at each token, as causal models do.

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
    if check_mean(mean) == "samples":
        if loss_divisors is None:
            raise OptionError(
                'mean="samples" needs the number of maskable tokens of each sample: pass '
                'loss_divisors=batch["loss_divisors"]'
            )
        loss_weights = loss_weights / _per_label(loss_divisors, document_ids)
        count = (loss_divisors > 0).sum()
    elif loss_divisors is not None:
        count = loss_divisors.sum()
    else:
        count = torch.tensor(labels.numel()) if attention_mask is None else attention_mask.sum()
    if shift:
        logits, labels, loss_weights = logits[:, :-1], labels[:, 1:], loss_weights[:, 1:]
    losses = cross_entropy(
        logits.flatten(0, -2).float(), labels.flatten(), ignore_index=IGNORE, reduction="none"
    )
    loss: torch.Tensor = (losses * loss_weights.flatten()).sum() / count.clamp(min=1)
    return loss


def check_mean(mean: Mean) -> Mean:
    """Return a valid ``mean``, or raise an `OptionError`."""
    if mean not in get_args(Mean):
        raise OptionError(f"mean is {mean!r}; choices: {', '.join(map(repr, get_args(Mean)))}")
    return mean


def _per_label(divisors: torch.Tensor, document_ids: torch.Tensor | None) -> torch.Tensor:
    """Return the divisor of each label's sample, in a shape that broadcasts to the labels."""
    if divisors.ndim == 1:
        return divisors.clamp(min=1)[:, None]
    if document_ids is None:
        raise OptionError(
            f"loss_divisors has the shape {tuple(divisors.shape)}, so that a row has several "
            'samples: mean="samples" needs document_ids=batch["document_ids"] as well'
        )
    return divisors.clamp(min=1).gather(1, document_ids.clamp(min=0))


def predicts_nothing(labels: Any, shifts: bool) -> bool:
    """Whether a batch has int64 labels, in an array or a tensor, and all of them are -100.

    Args:
        labels: of a batch, or None.
        shifts: whether the model predicts the next token at each token, so that first labels are
            not predicted.
    """
    if labels is None or labels.dtype not in (torch.int64, np.dtype(np.int64)):
        return False
    if shifts and labels.ndim > 1:
        labels = labels[:, 1:]
    return not bool((labels != IGNORE).any())
