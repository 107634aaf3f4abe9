"""Models in which tokens meet outside of attention, where no pattern keeps documents apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from maskplug.attention.patterns.document import Document
from maskplug.errors import OptionError
from maskplug_hf.attention.handle import PatternAttention
from maskplug_hf.attention.places import spots
from maskplug_hf.model import arguments

#: Modules of transformers in which a token depends on others, by the names of their classes:
#: convolutions, recurrence, and keys that are pooled or chosen among those of the row.
MIXING = re.compile(
    r"shortconv|mixer|deltanet|deltaattention|linearattention|lightningattention|recurrentblock"
    r"|rglru|rwkvselfattention|hyena|retention|fourier|compressor|indexer",
    re.I,
)
#: What the parts of a model that read no text are called.
NO_TEXT = re.compile(r"vision|visual|image|audio|speech|video|conformer", re.I)
#: Documents of the probe have so many tokens.
TOKENS = 4
#: On the CPU, larger models are not probed.
MOST = 1_000_000_000


def check_documents(model: Any) -> None:
    """Refuse a model that is known to mix tokens outside of attention.

    Raises:
        OptionError: naming the module.
    """
    if (mixes := known_mixer(model)) is not None:
        raise OptionError(mixes)


def known_mixer(model: Any) -> str | None:
    """The message that refuses a model known to mix tokens; None for other models."""
    part = _mixer(model) if "input_ids" in arguments(model) else None
    return None if part is None else mixes_tokens(model, part)


def probe_documents(model: Any) -> None:
    """Run a model on two tiny documents and see whether the second one depends on the first.

    It gets two rows that differ in their first documents alone, without gradients, in evaluation
    mode and with its random generator put back. A model that cannot be run so is not judged: one
    without memory for its weights, one above a billion parameters on the CPU, or one that needs
    more than ``input_ids``.

    Args:
        model: without patterns.

    Raises:
        OptionError: when it does.
    """
    inner = model.base_model
    if not any(True for _ in spots(inner)) or not _runs(inner):
        return
    states = _states(inner)
    if any(not torch.isfinite(state).all() for state in states):
        return
    for state in states:
        one, other = state[:, TOKENS:].float()
        limit = max(2e-6, 2 * torch.finfo(state.dtype).eps) * float(state.abs().max())
        if float((one - other).abs().max()) > limit:
            raise OptionError(mixes_tokens(model, "a probe of two short documents found it"))


def mixes_tokens(model: Any, part: str) -> str:
    """The message about a model in which this part mixes tokens."""
    return (
        f"{type(model).__name__} mixes tokens outside of attention ({part}), where no pattern can "
        "keep documents apart: packed ones change each other. Give each its own row "
        "(DataCollatorForMasking), without 'document' in the pattern"
    )


def _mixer(model: Any) -> str | None:
    """The part of a model that is known to mix the tokens of a text, or None."""
    for name, module in _of_text(model, ""):
        if getattr(module, "token_dropout", False) is True:
            return f"{name!r}, by config.token_dropout, which False turns off"
        if getattr(module, "expert_capacity", None) is not None:
            return f"{name!r}, whose experts take a limited number of the row's tokens"
        kind = type(module).__name__
        wide = isinstance(module, nn.Conv1d) and max(module.kernel_size) > 1
        named = not isinstance(module, PreTrainedModel) and MIXING.search(kind)
        if wide or named or isinstance(module, nn.RNNBase):
            return f"{name!r}, {kind}"
    return None


def _of_text(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """A module and all inside, without the parts that read something else than text."""
    yield name, module
    for child_name, child in module.named_children():
        if not NO_TEXT.search(child_name) and not NO_TEXT.search(type(child).__name__):
            yield from _of_text(child, f"{name}.{child_name}".lstrip("."))


def _runs(model: Any) -> bool:
    """Whether a probe is possible and cheap."""
    weights = list(model.parameters())
    if "input_ids" not in arguments(model) or any(w.is_meta or not w.numel() for w in weights):
        return False
    on_cpu = any(w.device.type == "cpu" for w in weights)
    return bool(weights) and (not on_cpu or sum(w.numel() for w in weights) <= MOST)


def _states(model: Any) -> list[torch.Tensor]:
    """What a model computes of two rows, whose first documents differ; nothing if it cannot."""
    device = next(model.parameters()).device
    vocabulary = model.config.get_text_config().vocab_size
    documents = torch.tensor([0, 1], device=device).repeat_interleave(TOKENS).expand(2, -1)
    starts = torch.tensor([[0, 2], [1, 2]], device=device)[:, :, None] * TOKENS
    tokens = vocabulary // 2 + starts + torch.arange(TOKENS, device=device)
    rows = tokens.flatten(1) % vocabulary
    batch = {"input_ids": rows, "attention_mask": torch.ones_like(rows), "document_ids": documents}
    if model.config.is_encoder_decoder:
        batch |= {"decoder_input_ids": rows, "decoder_document_ids": documents}
    with ExitStack() as stack:
        stack.enter_context(_calm(model))
        places = {spot.place: Document() for _, spot in spots(model)}
        backend = "sdpa" if model._supports_sdpa else "eager"
        attention = PatternAttention(model, places, places, True, None, 0, backend)
        stack.enter_context(attention)
        try:
            out = model(**batch)
        except Exception:  # it needs other inputs, or other ids
            return []
    names = ("last_hidden_state", "encoder_last_hidden_state", "logits")
    states = [getattr(out, name, None) for name in names]
    shape = (2, 2 * TOKENS)
    return [state for state in states if state is not None and state.shape[:2] == shape]


@contextmanager
def _calm(model: Any) -> Iterator[None]:
    """Evaluation mode without gradients; modes and random generators are put back."""
    modes = [(module, module.training) for module in model.modules()]
    devices = {w.device.index for w in model.parameters() if w.device.type == "cuda"}
    with torch.random.fork_rng(sorted(devices)), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
