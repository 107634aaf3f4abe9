"""Tiny models of every family, their batches, stock outputs for masks, and patterns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import transformers as hf

from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.clock import Step

SIZE = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZE |= {"intermediate_size": 16, "max_position_embeddings": 64, "pad_token_id": 0}
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2}
CLS = {"cls_token_id": 1, "sep_token_id": 2}
SEQ2SEQ_IDS = {"vocab_size": 60, "pad_token_id": 0, "decoder_start_token_id": 0, **SPECIAL}
BART = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "max_position_embeddings": 64}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, **SEQ2SEQ_IDS}
BART |= {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2, **SEQ2SEQ_IDS}
LLAMA = {**SIZE, **SPECIAL, "num_key_value_heads": 1}
LOCAL = {"local_attention": 6, "layer_types": ["full_attention", "sliding_attention"]}

ROWS = [[5, 6, 7, 8, 9, 10, 11], [12, 13, 14]]
GREEDY = {"max_new_tokens": 8, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
WIDE = {"initializer_range": 0.3}  # so that the generated tokens depend on the mask

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertForMaskedLM", SIZE),
    "roberta": ("RobertaForMaskedLM", SIZE),
    "modernbert": ("ModernBertForMaskedLM", {**SIZE, **SPECIAL, **CLS, **LOCAL}),
    "eurobert": ("EuroBertForMaskedLM", {**SIZE, **SPECIAL, "mask_token_id": 3}),
    "llama": ("LlamaForCausalLM", LLAMA),
    "qwen2": ("Qwen2ForCausalLM", LLAMA),
    "qwen3": ("Qwen3ForCausalLM", {**LLAMA, "head_dim": 8}),
    "mistral": ("MistralForCausalLM", LLAMA),
    "t5": ("T5ForConditionalGeneration", T5),
    "bart": ("BartForConditionalGeneration", BART),
}
ENCODERS = ["bert", "roberta", "modernbert", "eurobert"]
DECODERS = ["llama", "qwen2", "qwen3"]
SEQ2SEQ = ["t5", "bart"]
FAMILIES = ENCODERS + DECODERS + SEQ2SEQ

#: One pattern for each attention kind.
PATTERNS = {"encoder": "window:left=2,right=1", "decoder": "window:left=1", "cross": "sink:n=2"}


def build(model_class: Any, *, seed: int = 0, **config: Any) -> Any:
    """A model in evaluation mode with the same weights every time, by class or class name."""
    if isinstance(model_class, str):
        model_class = getattr(hf, model_class)
    torch.manual_seed(seed)
    return model_class(model_class.config_class(**config)).eval()


def model(name: str, **options: Any) -> Any:
    """A model of a family."""
    class_name, size = MODELS[name]
    return build(class_name, **{**size, **options})


def patterns(name: str) -> dict[str, str]:
    """A pattern for each attention kind of a family, as arguments of ``use_attention``."""
    if name in ENCODERS:
        return {"encoder": PATTERNS["encoder"]}
    return PATTERNS if name in SEQ2SEQ else {"decoder": PATTERNS["decoder"]}


def batch(name: str, side: str = "right", samples: int = 2, length: int = 9) -> dict[str, Any]:
    """Random ids; the second sample is padded on one side."""
    random = torch.Generator().manual_seed(7)
    ids = torch.randint(4, 60, (samples, length), generator=random)
    mask = torch.ones_like(ids)
    mask[1, slice(None, 3) if side == "left" else slice(-3, None)] = 0
    inputs = {"input_ids": ids * mask, "attention_mask": mask}
    if name in DECODERS:
        inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    if name in SEQ2SEQ:
        inputs["decoder_input_ids"] = torch.randint(4, 60, (samples, 6), generator=random)
    return inputs


def labels(inputs: dict[str, Any]) -> torch.Tensor:
    """The target's ids, or else the inputs."""
    ids: torch.Tensor = inputs.get("decoder_input_ids", inputs["input_ids"])
    return ids


def real(name: str, inputs: dict[str, Any]) -> torch.Tensor:
    """The tokens that are not padding, for comparing logits."""
    if name in SEQ2SEQ:
        return torch.ones_like(inputs["decoder_input_ids"]).bool()
    mask: torch.Tensor = inputs["attention_mask"].bool()
    return mask


def distance(one: torch.Tensor, other: torch.Tensor, where: Any = ...) -> float:
    """The largest absolute difference."""
    return float((one - other).detach()[where].abs().max())


def masks_by_layer(model: Any, handle: Any, **inputs: Any) -> dict[Any, torch.Tensor]:
    """The masks of a forward pass, by attention kind and layer index."""
    masks: dict[Any, torch.Tensor] = {}
    handle.listeners.append(
        lambda module, mask: masks.update({(module.attention_kind, module.layer_idx): mask})
    )
    model(**inputs)
    handle.listeners.clear()
    return masks


def additive(visible: torch.Tensor) -> torch.Tensor:
    """A mask of four dimensions as stock models take it."""
    return torch.where(visible, 0.0, torch.finfo(torch.float32).min)


def stock(name: str, model: Any, inputs: dict[str, Any], visible: dict[str, torch.Tensor]) -> Any:
    """The logits of the stock model with these masks in place of its own."""
    masks = {kind: additive(mask) for kind, mask in visible.items()}
    rest = {key: value for key, value in inputs.items() if not key.endswith("attention_mask")}
    if name in SEQ2SEQ:
        encoded = model.get_encoder()(rest.pop("input_ids"), attention_mask=masks["encoder"])
        return model(
            encoder_outputs=encoded,
            attention_mask=masks["cross"],
            decoder_attention_mask=masks["decoder"],
            **rest,
        ).logits
    mask: Any = masks["encoder" if name in ENCODERS else "decoder"]
    if name == "modernbert":
        index = torch.arange(mask.shape[-1])
        near = (index[:, None] - index).abs() <= 3
        mask = {"full_attention": mask, "sliding_attention": additive(visible["encoder"] & near)}
    return model(attention_mask=mask, **rest).logits


def prompts(rows: list[list[int]] = ROWS) -> dict[str, Any]:
    """Rows padded on the left."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def sources() -> dict[str, Any]:
    """Rows padded on the right."""
    ids = torch.tensor([row + [0] * (7 - len(row)) for row in ROWS])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def texts(generated: Any, width: int = 7) -> list[list[int]]:
    return generated[:, width:].tolist()


@dataclass(frozen=True)
class RandomKeys(Pattern):
    """Shows each key with probability 1/2; draws for each layer and head if ``each``."""

    each: bool = False
    clock: Step = field(default_factory=Step)

    @property
    def reads_layer_idx(self) -> bool:  # type: ignore[override]
        return self.each

    def rows(self, call: AttentionCall) -> Intervals:
        heads = call.heads if self.each else 1
        rng = call.rng(self.clock)
        rng = rng.scoped(f"layer {call.layer_idx}") if self.each else rng
        sizes = [call.kv_len] * call.batch
        draws = [rng.uniform("coin", sizes, draw=head) for head in range(heads)]
        keys = np.stack([draw.reshape(call.batch, call.kv_len) < 0.5 for draw in draws], 1)
        every = call.intervals((-call.starts[:, None, None], call.kv_len))
        return every.only(keys) | call.intervals((call.q, call.q + 1))


@dataclass(frozen=True)
class ByLayer(Pattern):
    """A window that is wider in each layer, and looks back only in decoders."""

    reads_layer_idx = True

    def rows(self, call: AttentionCall) -> Intervals:
        right = 0 if call.attention_kind == "decoder" else call.layer_idx + 1
        return call.intervals((call.q - call.layer_idx - 1, call.q + right + 1))
