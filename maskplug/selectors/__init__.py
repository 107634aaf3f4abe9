"""Selectors: which tokens are masked. One selector per file."""

from maskplug.selectors.adaptive import Adaptive
from maskplug.selectors.bert_budget import BertBudget
from maskplug.selectors.block_noise import BlockNoise
from maskplug.selectors.by_language import ByLanguage
from maskplug.selectors.exact import Exact
from maskplug.selectors.fragment import Fragment
from maskplug.selectors.gap_sentences import GapSentences
from maskplug.selectors.hard import Hard
from maskplug.selectors.in_dictionary import InDictionary
from maskplug.selectors.independent import Independent
from maskplug.selectors.insertions import Insertions
from maskplug.selectors.mean_spans import MeanSpans
from maskplug.selectors.ngrams import Ngrams
from maskplug.selectors.noise import Noise
from maskplug.selectors.nothing import Nothing
from maskplug.selectors.phrases import Phrases
from maskplug.selectors.poisson_spans import PoissonSpans
from maskplug.selectors.salient import Salient
from maskplug.selectors.scheduled_noise import ScheduledNoise
from maskplug.selectors.spans import Spans
from maskplug.selectors.suffix import Suffix
from maskplug.selectors.switches import Switches
from maskplug.selectors.uniform_count import UniformCount
from maskplug.selectors.uniform_noise import UniformNoise
from maskplug.selectors.weighted import Weighted
from maskplug.selectors.words import Words

__all__ = [
    "Adaptive",
    "BertBudget",
    "BlockNoise",
    "ByLanguage",
    "Exact",
    "Fragment",
    "GapSentences",
    "Hard",
    "InDictionary",
    "Independent",
    "Insertions",
    "MeanSpans",
    "Ngrams",
    "Noise",
    "Nothing",
    "Phrases",
    "PoissonSpans",
    "Salient",
    "ScheduledNoise",
    "Spans",
    "Suffix",
    "Switches",
    "UniformCount",
    "UniformNoise",
    "Weighted",
    "Words",
]
