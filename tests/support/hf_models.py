"""Tiny models of every family, with a tokenizer each."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

from support import hf_tokenizers as tokenizers

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

FAMILIES = ["bert", "roberta", "xlm", "xlnet", "llama", "t5", "bart"]


def family(name: str, **options: Any) -> tuple[Any, Any]:
    """A tokenizer and a model of a family; the same weights every time."""
    constructors = {"bert": tokenizers.bert, "xlnet": tokenizers.bert, "t5": tokenizers.t5}
    tokenizer = constructors.get(name, tokenizers.roberta)()
    torch.manual_seed(0)
    return tokenizer, _model(name, tokenizer, options)


def _model(name: str, tokenizer: Any, options: dict[str, Any]) -> Any:
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, **options}
    start = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    if name == "bert":
        return hf.BertForMaskedLM(hf.BertConfig(**size, **ENCODER))
    if name == "roberta":
        return hf.RobertaForMaskedLM(hf.RobertaConfig(**size, **ENCODER))
    if name == "xlm":
        return hf.XLMWithLMHeadModel(hf.XLMConfig(**size, **XLM))
    if name == "xlnet":
        return hf.XLNetLMHeadModel(hf.XLNetConfig(**size, **XLNET))
    if name == "llama":
        return hf.LlamaForCausalLM(hf.LlamaConfig(**size, **ENCODER))
    start["decoder_start_token_id"] = tokenizer.pad_token_id
    if name == "t5":
        return hf.T5ForConditionalGeneration(hf.T5Config(**size, **T5, **start))
    return hf.BartForConditionalGeneration(hf.BartConfig(**size, **BART, **start))


def rows(tokenizer: Any, samples: int = 5) -> list[list[int]]:
    """Rows of ids, each with its own first and last special token where the tokenizer has them."""
    encoded = tokenizer(tokenizers.TEXT[:samples], add_special_tokens=False)["input_ids"]
    first = [i for i in (tokenizer.bos_token_id, tokenizer.cls_token_id) if i is not None][:1]
    last = [i for i in (tokenizer.eos_token_id, tokenizer.sep_token_id) if i is not None][:1]
    return [first + row + last for row in encoded]
