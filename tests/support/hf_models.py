"""Tiny models of every family, with a tokenizer each."""

from __future__ import annotations

from typing import Any

from support import hf_tokenizers as tokenizers
from support.attention_models import build

ENCODER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
ENCODER |= {"intermediate_size": 16, "max_position_embeddings": 256}
BART = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "max_position_embeddings": 256}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
BART |= {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
#: The config of a BART-like model without a tokenizer.
SMALL_BART = {**BART, "vocab_size": 150, "pad_token_id": 1, "eos_token_id": 2, "bos_token_id": 0}
SMALL_BART |= {"decoder_start_token_id": 2}
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
XLNET = {"d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 16}
XLM = {"emb_dim": 16, "n_layers": 1, "n_heads": 2, "max_position_embeddings": 80, "n_langs": 2}
#: Tokenizer, model class and config of each family.
FAMILIES: dict[str, tuple[Any, str, dict[str, int]]] = {
    "bert": (tokenizers.bert, "BertForMaskedLM", ENCODER),
    "roberta": (tokenizers.roberta, "RobertaForMaskedLM", ENCODER),
    "xlm": (tokenizers.roberta, "XLMWithLMHeadModel", XLM),
    "xlnet": (tokenizers.bert, "XLNetLMHeadModel", XLNET),
    "llama": (tokenizers.roberta, "LlamaForCausalLM", ENCODER),
    "t5": (tokenizers.t5, "T5ForConditionalGeneration", T5),
    "bart": (tokenizers.roberta, "BartForConditionalGeneration", BART),
}


def family(name: str) -> tuple[Any, Any]:
    """A tokenizer and a model of a family; the same weights every time."""
    make_tokenizer, model_class, size = FAMILIES[name]
    tokenizer = make_tokenizer()
    pad_id = tokenizer.pad_token_id
    config = {"vocab_size": len(tokenizer), "pad_token_id": pad_id, **size}
    if name in ("t5", "bart"):
        config |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
        config["decoder_start_token_id"] = pad_id
    return tokenizer, build(model_class, **config).train()


def rows(tokenizer: Any, samples: int = 5) -> list[list[int]]:
    """Rows of ids, each with its own first and last special token where the tokenizer has them."""
    encoded = tokenizer(tokenizers.TEXT[:samples], add_special_tokens=False)["input_ids"]
    first = [i for i in (tokenizer.bos_token_id, tokenizer.cls_token_id) if i is not None][:1]
    last = [i for i in (tokenizer.eos_token_id, tokenizer.sep_token_id) if i is not None][:1]
    return [first + row + last for row in encoded]
