"""What a model takes and how it predicts, and the objectives that do not fit it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from transformers.loss.loss_utils import LOSS_MAPPING, ForCausalLMLoss, ForMaskedLMLoss

from maskplug.errors import OptionError
from maskplug.tokens import Masked
from maskplug_hf.decoder import Shift, shift_of

IN_PLACE = "'dynamic', 'whole_word', 'span'"
WITH_TARGETS = "'t5', 'bart', 'mass', 'gap_sentences'"


@dataclass(frozen=True)
class ModelFacts:
    """A model as the collator sees it; small, so that it travels to workers in place of the model.

    Attributes:
        name: of its class.
        takes: the names of its arguments, or None where they cannot be told.
        known: whether it has a config, which tells whether there is a decoder.
        decoder: whether it generates with a decoder.
        shift: how it makes the decoder's inputs of labels; why it cannot; or None: unknown.
        embeddings: how many ids it has an embedding for, or None where that cannot be told.
        language: whether it predicts tokens, so that it needs no labels but those of masking.
        shifts: whether its loss compares each output with the label of the next token.
        bidirectional: whether it is made to predict tokens in place, all others in view.
        first_position: what its position ids count from.
    """

    name: str
    takes: frozenset[str] | None
    known: bool
    decoder: bool
    shift: Shift | str | None
    embeddings: int | None
    language: bool
    shifts: bool
    bidirectional: bool
    first_position: int

    @classmethod
    def of(cls, model: Any) -> ModelFacts:
        """Look at a model, or at the base of an adapter of peft."""
        model = base_model(model)
        config = getattr(model, "config", None)
        decoder = bool(getattr(config, "is_encoder_decoder", False))
        loss = LOSS_MAPPING.get(getattr(model, "loss_type", None) or "", _default_loss(model))
        return cls(
            type(model).__name__,
            _named(model),
            config is not None,
            decoder,
            shift_of(model) if decoder else None,
            _embeddings(model),
            _predicts_tokens(model),
            loss is ForCausalLMLoss and not decoder,
            loss is ForMaskedLMLoss and not decoder,
            _first_position(model),
        )

    @property
    def per_token(self) -> bool:
        """Whether a sequence of labels has one for each token."""
        return self.known and not self.decoder

    def accepts(self, name: str) -> bool:
        """Whether the model has an argument of this name, as far as can be told."""
        # Many models of transformers swallow unknown arguments without a word: only names count.
        return self.takes is None or name in self.takes


def base_model(model: Any) -> Any:
    """The model itself, without an adapter of peft around it."""
    return model.get_base_model() if callable(getattr(model, "get_base_model", None)) else model


def arguments(model: Any) -> frozenset[str]:
    """The names of all arguments of a model's ``forward``."""
    return frozenset(inspect.signature(base_model(model).forward).parameters)


def _named(model: Any) -> frozenset[str] | None:
    names = arguments(model) if hasattr(model, "forward") else frozenset()
    return names if "input_ids" in names else None  # a wrapper that passes everything on


def _default_loss(model: Any) -> Any:
    """The loss of a model whose class's name tells none: GPT2LMHeadModel, for example."""
    forward = inspect.unwrap(getattr(type(model), "forward", _default_loss))
    return ForCausalLMLoss if "loss_function" in forward.__code__.co_names else None


def _embeddings(model: Any) -> int | None:
    """The size of the table of input embeddings; None where ids are hashed, as CANINE does."""
    try:
        table = model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    size = getattr(table, "num_embeddings", None)
    if size is None:  # an embedding within an adapter, or of another class
        weight = getattr(table, "weight", None)
        size = len(weight) if isinstance(weight, torch.Tensor) and weight.dim() == 2 else None
    return size if isinstance(size, int) and size > 0 else None


def _predicts_tokens(model: Any) -> bool:
    head = getattr(model, "get_output_embeddings", None)
    return callable(head) and head() is not None


def _first_position(model: Any) -> int:
    """RoBERTa and its like count positions from behind the one that stands for padding."""
    for module in model.modules() if callable(getattr(model, "modules", None)) else ():
        table = getattr(module, "position_embeddings", None)
        padding = getattr(table, "padding_idx", None)
        if padding is not None:
            return int(padding) + 1
    return 0


def refuse_early(masked: Masked, model: ModelFacts, who: str) -> None:
    """Refuse what no feature can make good: see :func:`refuse`.

    A model with a decoder, or one that predicts no tokens, may get features with labels of their
    own; whether it does is known with the first batch.

    Args:
        masked: what the strategy made of the tokens on which it was tried out.
        model: what is known of the model.
        who: the strategy's label.

    Raises:
        OptionError: naming the strategy, the model's class and the choices that fit.
    """
    if not model.language or model.decoder:
        return
    refuse(masked, model, who)
    if model.bidirectional and predicts_every_input(masked):
        raise OptionError(
            f"strategy {who!r} predicts each token from those before it, and {model.name} sees "
            "them all and would copy its inputs: choose a causal model (Llama, GPT-2), or another "
            f"strategy ({IN_PLACE})"
        )


def refuse(masked: Masked, model: ModelFacts, who: str) -> None:
    """Refuse an objective whose predictions the model cannot make.

    Args:
        masked: what the strategy made, for features without labels of their own.
        model: what is known of the model.
        who: the strategy's label.

    Raises:
        OptionError: naming the strategy, the model's class and the choices that fit.
    """
    if masked.targets is not None and not model.decoder:
        own = "'fim'" if model.shifts else IN_PLACE
        raise OptionError(
            f"strategy {who!r} makes targets to generate, and {model.name} has no decoder to "
            f"generate them: choose a strategy for such models ({own}), or a model with a decoder "
            "(T5, BART)"
        )
    if masked.targets is None and model.decoder:
        raise OptionError(
            f"strategy {who!r} predicts its inputs in place, and {model.name} generates with a "
            f"decoder: choose a strategy with targets ({WITH_TARGETS}, or "
            "compose(…, target='original')), or give the features labels of their own"
        )
    if "order" in masked.annotations and not model.accepts("perm_mask"):
        raise OptionError(
            f"strategy {who!r} predicts in a random order, and {model.name} takes no 'perm_mask' "
            f"to keep it: choose a model that does (XLNet), or another strategy ({IN_PLACE})"
        )


def predicts_every_input(masked: Masked) -> bool:
    """Whether every input is to be predicted as it stands there."""
    labels = masked.labels
    return (
        labels is not None
        and len(labels.values) >= 8  # fewer may be kept as they are by chance
        and bool((labels.values == masked.inputs.values).all())
    )
