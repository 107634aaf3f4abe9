"""Registration of the built-in parts and strategies through the public hook."""

from __future__ import annotations

from maskplug import attention, clock, replacements, schedule, selectors, targets
from maskplug.hookspecs import Register, hookimpl
from maskplug.strategies import (
    composition,
    denoising,
    diffusion,
    discriminative,
    fim,
    informed,
    masked_lm,
    pairs,
    prefixed,
    seq2seq,
)
from maskplug.strategies.composed import compose


@hookimpl
def maskplug_register(register: Register) -> None:
    """Register the built-in parts and strategies."""
    register("clock", "never", clock.Never)
    register("clock", "epoch", clock.Epoch)
    register("clock", "step", clock.Step)
    register("clock", "every", clock.Every)
    register("clock", "cycle", clock.Cycle)

    register("schedule", "constant", schedule.Constant)
    register("schedule", "linear", schedule.Linear)
    register("schedule", "cosine", schedule.Cosine)
    register("schedule", "steps", schedule.Steps)

    register("selector", "nothing", selectors.Nothing)
    register("selector", "independent", selectors.Independent)
    register("selector", "exact", selectors.Exact)
    register("selector", "words", selectors.Words)
    register("selector", "bert_budget", selectors.BertBudget)
    register("selector", "spans", selectors.Spans)
    register("selector", "ngrams", selectors.Ngrams)
    register("selector", "uniform_noise", selectors.UniformNoise)
    register("selector", "scheduled_noise", selectors.ScheduledNoise)
    register("selector", "block_noise", selectors.BlockNoise)
    register("selector", "mean_spans", selectors.MeanSpans)
    register("selector", "suffix", selectors.Suffix)
    register("selector", "fragment", selectors.Fragment)
    register("selector", "phrases", selectors.Phrases)
    register("selector", "salient", selectors.Salient)
    register("selector", "by_language", selectors.ByLanguage)
    register("selector", "weighted", selectors.Weighted)
    register("selector", "poisson_spans", selectors.PoissonSpans)
    register("selector", "insertions", selectors.Insertions)
    register("selector", "gap_sentences", selectors.GapSentences)
    register("selector", "uniform_count", selectors.UniformCount)
    register("selector", "switches", selectors.Switches)
    register("selector", "in_dictionary", selectors.InDictionary)
    register("selector", "adaptive", selectors.Adaptive)
    register("selector", "hard", selectors.Hard)

    register("replacement", "mix", replacements.Mix)
    register("replacement", "delete", replacements.Delete)
    register("replacement", "sentinels", replacements.Sentinels)
    register("replacement", "fim", replacements.Fim)
    register("replacement", "one_mask", replacements.OneMask)
    register("replacement", "gap_mask", replacements.GapMask)
    register("replacement", "permute", replacements.Permute)
    register("replacement", "rotate", replacements.Rotate)
    register("replacement", "shuffle", replacements.Shuffle)
    register("replacement", "switch", replacements.Switch)
    register("replacement", "translate", replacements.Translate)

    register("target", "labels", targets.Labels)
    register("target", "boundary_labels", targets.BoundaryLabels)
    register("target", "language_labels", targets.LanguageLabels)
    register("target", "original", targets.Original)
    register("target", "chosen", targets.Chosen)
    register("target", "permutation", targets.Permutation)
    register("target", "weighted_labels", targets.WeightedLabels)
    register("target", "sentinels", targets.Sentinels)
    register("target", "fragment", targets.Fragment)
    register("target", "causal", targets.Causal)

    register("strategy", "none", masked_lm.none)
    register("strategy", "static", masked_lm.static)
    register("strategy", "bert", masked_lm.bert)
    register("strategy", "dynamic", masked_lm.dynamic)
    register("strategy", "roberta", masked_lm.roberta)
    register("strategy", "whole_word", masked_lm.whole_word)
    register("strategy", "span", masked_lm.span)
    register("strategy", "ngram", masked_lm.ngram)
    register("strategy", "pmi", informed.pmi)
    register("strategy", "salient", informed.salient)
    register("strategy", "tlm", informed.tlm)
    register("strategy", "weighted", informed.weighted)
    register("strategy", "t5", seq2seq.t5)
    register("strategy", "t5_iid", seq2seq.t5_iid)
    register("strategy", "prefix_lm", seq2seq.prefix_lm)
    register("strategy", "mass", seq2seq.mass)
    register("strategy", "ul2", prefixed.ul2)
    register("strategy", "bart", denoising.bart)
    register("strategy", "mbart", denoising.mbart)
    register("strategy", "deshuffle", denoising.deshuffle)
    register("strategy", "gap_sentences", seq2seq.gap_sentences)
    register("strategy", "fim", fim.fim)
    register("strategy", "word_dropout", pairs.word_dropout)
    register("strategy", "switchout", pairs.switchout)
    register("strategy", "shuffle", pairs.shuffle)
    register("strategy", "code_switch", pairs.code_switch)
    register("strategy", "cmlm", pairs.cmlm)
    register("strategy", "electra", discriminative.electra)
    register("strategy", "permutation", discriminative.permutation)
    register("strategy", "llada", diffusion.llada)
    register("strategy", "mdlm", diffusion.mdlm)
    register("strategy", "block_diffusion", diffusion.block_diffusion)
    register("strategy", "adaptive", informed.adaptive)
    register("strategy", "self_evolution", informed.self_evolution)
    register("strategy", "compose", compose)
    register("strategy", "mixture", composition.mixture)
    register("strategy", "chain", composition.chain)
    register("strategy", "prefixed", prefixed.prefixed)

    register("pattern", "and", attention.And)
    register("pattern", "or", attention.Or)
    register("pattern", "not", attention.Not)
    register("pattern", "full", attention.Full)
    register("pattern", "causal", attention.Causal)
    register("pattern", "padding", attention.Padding)
    register("pattern", "window", attention.Window)
    register("pattern", "sink", attention.Sink)
    register("pattern", "document", attention.Document)
    register("pattern", "wait_k", attention.WaitK)
    register("pattern", "monotonic", attention.Monotonic)
    register("pattern", "aligned", attention.Aligned)
    register("pattern", "chunked", attention.Chunked)
    register("pattern", "dilated", attention.Dilated)
    register("pattern", "strided", attention.Strided)
    register("pattern", "fixed", attention.Fixed)
    register("pattern", "global_tokens", attention.GlobalTokens)
    register("pattern", "prefix", attention.Prefix)
    register("pattern", "block_diffusion", attention.BlockDiffusion)
    register("pattern", "alternating", attention.Alternating)
    register("pattern", "sentence", attention.Sentence)
    register("pattern", "section", attention.Section)
    register("pattern", "unilm", attention.UniLM)
    register("pattern", "permutation", attention.Permutation)
    register("pattern", "random", attention.Random)
    register("pattern", "bigbird", attention.BigBird)
