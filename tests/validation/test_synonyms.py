"""Names that others use for what has another name here."""

from __future__ import annotations

import inspect

import pytest

import maskplug
from maskplug.errors import MaskplugError, did_you_mean
from maskplug.plugins import registry
from maskplug.validation.synonyms import OTHER_NAMES

STRATEGIES = {
    "mlm": "'dynamic' or 'bert'",
    "MLM": "'dynamic' or 'bert'",
    "masked-lm": "'dynamic' or 'bert'",
    "wwm": "'whole_word'",
    "whole_word_masking": "'whole_word'",
    "Whole-Word": "'whole_word'",
    "span_corruption": "'t5'",
    "SpanBERT": "'span'",
    "denoising": "'bart'",
    "infilling": "'bart'",
    "text_infilling": "'bart'",
    "prefix-lm": "'prefix_lm'",
    "clm": "'fim' or 'prefix_lm'",
    "masked_diffusion": "'llada' or 'mdlm'",
    "pegasus": "'gap_sentences'",
    "xlnet": "'permutation'",
    "spam": "'span'",
}


@pytest.mark.parametrize(("name", "ours"), STRATEGIES.items())
def test_strategies_by_other_names(name: str, ours: str) -> None:
    with pytest.raises(MaskplugError, match=rf"unknown strategy .*; did you mean {ours}\?"):
        maskplug.strategy(name)


OPTIONS = [
    ("dynamic", "mlm_probability", "rate"),
    ("dynamic", "mlm", "rate"),
    ("span", "mask_prob", "rate"),
    ("electra", "masking_ratio", "rate"),
    ("t5", "noise_density", "rate"),
    ("t5", "mean_noise_span_length", "mean_length"),
    ("bart", "poisson_lambda", "mean_length"),
    ("bert", "mask_replace_prob", "mask"),
    ("bert", "random_replace_prob", "random"),
    ("bert", "max_predictions_per_seq", "max_predictions"),
    ("roberta", "mask_whole_words", "unit"),
    ("ngram", "max_ngrams", "max_n"),
    ("fim", "fim_spm_rate", "spm"),
]


@pytest.mark.parametrize(("strategy", "option", "ours"), OPTIONS)
def test_options_by_other_names(strategy: str, option: str, ours: str) -> None:
    with pytest.raises(MaskplugError, match=rf"no option '{option}'; did you mean '{ours}'\?"):
        maskplug.strategy(strategy, **{option: 0.15})


def test_only_existing_choices_are_suggested() -> None:
    with pytest.raises(MaskplugError, match=r"no option 'poisson_lambda'\. Choices: clock"):
        maskplug.strategy("dynamic", poisson_lambda=3.0)


@pytest.mark.parametrize(("name", "ours"), [("clm", "causal"), ("sliding_window", "window")])
def test_patterns_by_other_names(name: str, ours: str) -> None:
    with pytest.raises(MaskplugError, match=rf"unknown pattern '{name}'; did you mean '{ours}'"):
        maskplug.pattern(name)


def test_suggested_names_exist() -> None:
    known = {entry.name for entry in registry().entries}
    for entry in registry().entries:
        known |= set(inspect.signature(entry.factory).parameters)
    assert {ours for names in OTHER_NAMES for ours in names} <= known


def test_synonyms_are_unique() -> None:
    others = " ".join(OTHER_NAMES.values()).split()
    assert len(others) == len(set(others))


def test_other_words_are_not_synonyms() -> None:
    assert did_you_mean("zzz", ["span"]) == ". Choices: span"
