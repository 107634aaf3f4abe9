"""Tiny models of every family with two layers each, their batches, and stock outputs for masks."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

ONE = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
ONE |= {"intermediate_size": 16, "max_position_embeddings": 64, "pad_token_id": 0}
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2}
MORE = {"cls_token_id": 1, "sep_token_id": 2}
TWO = {"vocab_size": 60, "pad_token_id": 0, "decoder_start_token_id": 0, **SPECIAL}
BART = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "max_position_embeddings": 64}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
BART |= {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}

ENCODERS = ["bert", "roberta", "modernbert", "eurobert"]
DECODERS = ["llama", "qwen2", "qwen3"]
SEQ2SEQ = ["t5", "bart"]
FAMILIES = ENCODERS + DECODERS + SEQ2SEQ

#: One pattern for each place that a family has.
PATTERNS = {"encoder": "window:left=2,right=1", "decoder": "window:left=1", "cross": "sink:n=2"}


def model(name: str, **options: Any) -> Any:
    """A model in evaluation mode; the same weights every time."""
    torch.manual_seed(0)
    return _made(name, options).eval()


def _made(name: str, options: dict[str, Any]) -> Any:
    groups = {"num_key_value_heads": 1}
    if name == "bert":
        return hf.BertForMaskedLM(hf.BertConfig(**{**ONE, **options}))
    if name == "roberta":
        return hf.RobertaForMaskedLM(hf.RobertaConfig(**{**ONE, **options}))
    if name == "modernbert":
        local = {"local_attention": 6, "layer_types": ["full_attention", "sliding_attention"]}
        config = hf.ModernBertConfig(**{**ONE, **SPECIAL, **MORE, **local, **options})
        return hf.ModernBertForMaskedLM(config)
    if name == "eurobert":
        config = hf.EuroBertConfig(**{**ONE, **SPECIAL, "mask_token_id": 3, **options})
        return hf.EuroBertForMaskedLM(config)
    if name == "llama":
        return hf.LlamaForCausalLM(hf.LlamaConfig(**{**ONE, **SPECIAL, **groups, **options}))
    if name == "qwen2":
        return hf.Qwen2ForCausalLM(hf.Qwen2Config(**{**ONE, **SPECIAL, **groups, **options}))
    if name == "qwen3":
        config = hf.Qwen3Config(**{**ONE, **SPECIAL, **groups, "head_dim": 8, **options})
        return hf.Qwen3ForCausalLM(config)
    if name == "mistral":
        return hf.MistralForCausalLM(hf.MistralConfig(**{**ONE, **SPECIAL, **groups, **options}))
    if name == "t5":
        return hf.T5ForConditionalGeneration(hf.T5Config(**{**T5, **TWO, **options}))
    return hf.BartForConditionalGeneration(hf.BartConfig(**{**BART, **TWO, **options}))


def patterns(name: str) -> dict[str, str]:
    """A pattern for each place of a family, as arguments of ``use_attention``."""
    if name in ENCODERS:
        return {"encoder": PATTERNS["encoder"]}
    return PATTERNS if name in SEQ2SEQ else {"decoder": PATTERNS["decoder"]}


def batch(name: str, side: str = "right", samples: int = 2, length: int = 9) -> dict[str, Any]:
    """Random ids, the second sample padded on one side; labels for training."""
    random = torch.Generator().manual_seed(7)
    ids = torch.randint(4, 60, (samples, length), generator=random)
    mask = torch.ones_like(ids)
    mask[1, slice(None, 3) if side == "left" else slice(-3, None)] = 0
    given = {"input_ids": ids * mask, "attention_mask": mask}
    if name in DECODERS:
        given["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    if name in SEQ2SEQ:
        given["decoder_input_ids"] = torch.randint(4, 60, (samples, 6), generator=random)
    return given


def additive(seen: torch.Tensor) -> torch.Tensor:
    """A mask of four dimensions as stock models take it."""
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)


def stock(name: str, one: Any, given: dict[str, Any], seen: dict[str, torch.Tensor]) -> Any:
    """The logits of the stock model with these masks in place of its own."""
    masks = {place: additive(mask) for place, mask in seen.items()}
    rest = {key: value for key, value in given.items() if not key.endswith("attention_mask")}
    if name in SEQ2SEQ:
        encoded = one.get_encoder()(rest.pop("input_ids"), attention_mask=masks["encoder"])
        return one(
            encoder_outputs=encoded,
            attention_mask=masks["cross"],
            decoder_attention_mask=masks["decoder"],
            **rest,
        ).logits
    mask: Any = masks["encoder" if name in ENCODERS else "decoder"]
    if name == "modernbert":
        place = torch.arange(mask.shape[-1])
        near = (place[:, None] - place).abs() <= 3
        mask = {"full_attention": mask, "sliding_attention": additive(seen["encoder"] & near)}
    return one(attention_mask=mask, **rest).logits


def real(name: str, given: dict[str, Any]) -> torch.Tensor:
    """Where logits count: the tokens that are no padding."""
    if name in SEQ2SEQ:
        return torch.ones_like(given["decoder_input_ids"]).bool()
    found: torch.Tensor = given["attention_mask"].bool()
    return found
