"""Names that papers and other libraries use for strategies, patterns and options.

``maskplug.errors.did_you_mean`` suggests them in messages about unknown names.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Our names → other names for them, compared without case and punctuation. The table serves
#: strategies, parts and options: only names among the choices are suggested.
OTHER_NAMES: dict[tuple[str, ...], str] = {
    # strategies
    ("dynamic", "bert", "rate"): "mlm",
    ("dynamic", "bert"): "masked_lm masked_language_model masked_language_modeling "
    "masked_language_modelling dynamic_masking",
    ("static",): "static_masking",
    ("whole_word", "unit"): "wwm whole_words whole_word_mask whole_word_masking mask_whole_words",
    ("span",): "spanbert span_masking span_bert",
    ("ngram",): "albert ngram_masking n_gram_masking",
    ("t5",): "span_corruption corrupt_spans sentinel sentinels",
    ("bart",): "denoising denoising_autoencoder infilling text_infilling infill",
    ("fim",): "fill_in_the_middle",
    ("prefix_lm", "prefix"): "prefix_language_model prefix_language_modeling",
    ("causal", "fim", "prefix_lm"): "clm causal_lm causal_language_modeling autoregressive",
    ("llada", "mdlm"): "masked_diffusion masked_diffusion_lm discrete_diffusion diffusion mdm",
    ("block_diffusion",): "bd3lm bd3_lms",
    ("gap_sentences",): "pegasus gsg gap_sentence_generation",
    ("permutation",): "xlnet plm permutation_lm permutation_language_modeling",
    ("electra",): "rtd replaced_token_detection",
    ("salient",): "ssm realm salient_span_masking",
    ("pmi",): "pmi_masking",
    ("tlm",): "xlm translation_lm translation_language_modeling",
    ("cmlm",): "mask_predict conditional_mlm",
    ("ul2",): "mixture_of_denoisers mod",
    ("code_switch",): "code_switching mrasp random_aligned_substitution",
    # patterns
    ("full",): "bidirectional",
    ("window",): "sliding_window sliding swa local local_attention longformer",
    ("document",): "packed packing block_diagonal sample_packing",
    ("sink",): "attention_sink attention_sinks streaming_llm",
    # options
    ("rate",): "mlm_probability mlm_prob masked_lm_prob mask_prob mask_probability mask_ratio "
    "masking_ratio mask_rate masking_rate masking_probability noise_density noise_ratio "
    "probability fim_rate",
    ("mean_length", "mean"): "mean_noise_span_length mean_span_length span_length poisson_lambda "
    "average_span_length",
    ("mask",): "mask_replace_prob replace_mask_prob mask_token_prob",
    ("random",): "random_replace_prob random_token_prob random_prob mask_random random_word_prob",
    ("max_predictions",): "max_predictions_per_seq max_predictions_per_sequence",
    ("max_n",): "max_ngrams max_ngram max_ngram_size ngrams",
    ("max_length",): "max_span_length max_span max_span_size",
    ("permute",): "permute_sentences permute_sentence_ratio",
    ("insert",): "insert_ratio",
    ("spm",): "fim_spm_rate spm_rate",
    ("p",): "geometric_p span_p",
    ("eps",): "sampling_eps noise_eps",
    ("left",): "window_size",
    ("block", "size"): "block_size chunk_size",
}


def _plain(name: str) -> str:
    """Return a name without case and punctuation.

    Example:
        >>> _plain("Prefix-LM") == _plain("prefix_lm")
        True
    """
    return "".join(filter(str.isalnum, name)).lower()


_OURS = {_plain(other): ours for ours, others in OTHER_NAMES.items() for other in others.split()}


def known_synonyms(name: str, choices: Iterable[str]) -> list[str]:
    """Return the choices that a name of other libraries and papers refers to, or none.

    Example:
        >>> known_synonyms("mlm_probability", ["clock", "rate"]), known_synonyms("rte", ["rate"])
        (['rate'], [])
    """
    plain = _plain(name)
    known = list(choices)
    same = [choice for choice in known if _plain(choice) == plain]
    return same or [ours for ours in _OURS.get(plain, ()) if ours in known]
