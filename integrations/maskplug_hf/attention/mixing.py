"""Find models in which tokens depend on each other outside of attention.

No attention pattern separates documents in such models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from maskplug.attention import Document
from maskplug.errors import OptionError
from maskplug_hf.attention.handle import PatternAttention
from maskplug_hf.attention.modules import attention_modules
from maskplug_hf.model import arguments

#: Class names of transformers modules in which a token depends on others: convolutions,
#: recurrence, and keys that are pooled or selected among those of the row.
MIXING = re.compile(
    r"shortconv|mixer|deltanet|deltaattention|linearattention|lightningattention|recurrentblock"
    r"|rglru|rwkvselfattention|hyena|retention|fourier|compressor|indexer",
    re.I,
)
#: Names of the parts of a model that do not process text.
NO_TEXT = re.compile(r"vision|visual|image|audio|speech|video|conformer", re.I)
OUTPUTS = ("last_hidden_state", "encoder_last_hidden_state", "logits")
#: Number of tokens in each document of the probe.
TOKENS = 4
#: On the CPU, models with more parameters are not probed.
MAX_PROBED_PARAMETERS = 1_000_000_000


def known_mixer(model: Any) -> str | None:
    """Return the error message for a model that is known to mix tokens; None for other models."""
    part = _mixing_part(model) if "input_ids" in arguments(model) else None
    return None if part is None else _message(model, part)


def probe_documents(model: Any) -> None:
    """Run a model on two tiny documents and check that the second does not depend on the first.

    The batch has two rows that differ in their first document. The run is without gradients, in
    evaluation mode, and does not advance the random generator. Models that cannot be run are
    accepted: without data in their weights, with more than a billion parameters on the CPU, or with
    other inputs than ``input_ids``.

    Raises:
        OptionError: when the second document depends on the first.
    """
    model_body = model.base_model
    if not any(True for _ in attention_modules(model_body)) or not _can_run(model_body):
        return
    states = _outputs(model_body)
    if any(not torch.isfinite(state).all() for state in states):
        return
    for state in states:
        first, second = state[:, TOKENS:].float()
        tolerance = max(2e-6, 2 * torch.finfo(state.dtype).eps) * float(state.abs().max())
        if float((first - second).abs().max()) > tolerance:
            raise OptionError(_message(model, "found by a probe of two short documents"))


def _message(model: Any, part: str) -> str:
    return (
        f"{type(model).__name__} mixes tokens outside of attention ({part}), where no pattern can "
        "separate documents: packed documents would change each other. Put each sample in its own "
        "row (DataCollatorForMasking), without 'document' in the pattern"
    )


def _mixing_part(model: Any) -> str | None:
    """Return the part of a model that is known to mix the tokens of a text, or None."""
    for name, module in _text_modules(model, ""):
        if getattr(module, "token_dropout", False) is True:
            return f"{name!r}, config.token_dropout; set it to False"
        if getattr(module, "expert_capacity", None) is not None:
            return f"{name!r}, whose experts have a limited capacity per row"
        class_name = type(module).__name__
        convolution = isinstance(module, nn.Conv1d) and max(module.kernel_size) > 1
        by_name = not isinstance(module, PreTrainedModel) and MIXING.search(class_name)
        if convolution or by_name or isinstance(module, nn.RNNBase):
            return f"{name!r}, {class_name}"
    return None


def _text_modules(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield a module and its submodules, without the parts that do not process text."""
    yield name, module
    for child_name, child in module.named_children():
        if not NO_TEXT.search(child_name) and not NO_TEXT.search(type(child).__name__):
            yield from _text_modules(child, f"{name}.{child_name}".lstrip("."))


def _can_run(model: Any) -> bool:
    weights = list(model.parameters())
    if "input_ids" not in arguments(model) or any(w.is_meta or not w.numel() for w in weights):
        return False
    on_cpu = any(w.device.type == "cpu" for w in weights)
    small = sum(w.numel() for w in weights) <= MAX_PROBED_PARAMETERS
    return bool(weights) and (small or not on_cpu)


def _outputs(model: Any) -> list[torch.Tensor]:
    """Return the states and logits of two rows with different first documents; empty on errors."""
    device = next(model.parameters()).device
    vocab_size = model.config.get_text_config().vocab_size
    documents = torch.tensor([0, 1], device=device).repeat_interleave(TOKENS).expand(2, -1)
    starts = torch.tensor([[0, 2], [1, 2]], device=device)[:, :, None] * TOKENS
    tokens = vocab_size // 2 + starts + torch.arange(TOKENS, device=device)
    rows = tokens.flatten(1) % vocab_size
    batch = {"input_ids": rows, "attention_mask": torch.ones_like(rows), "document_ids": documents}
    if model.config.is_encoder_decoder:
        batch |= {"decoder_input_ids": rows, "decoder_document_ids": documents}
    patterns = {role.attention_kind: Document() for _, role in attention_modules(model)}
    backend = "sdpa" if model._supports_sdpa else "eager"
    attention = PatternAttention(model, patterns, patterns, True, None, 0, backend)
    with attention, _evaluation_mode(model):
        try:
            out = model(**batch)
        except Exception:  # the model needs other inputs or other ids
            return []
    states = [getattr(out, name, None) for name in OUTPUTS]
    return [state for state in states if state is not None and state.shape[:2] == rows.shape]


@contextmanager
def _evaluation_mode(model: Any) -> Iterator[None]:
    """Disable training and gradients; restore modes and random generators afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    devices = {w.device.index for w in model.parameters() if w.device.type == "cuda"}
    with torch.random.fork_rng(sorted(devices)), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
