"""The options of the tasks, for the command line and for Hydra's YAML."""

# No "from __future__ import annotations" here: fairseq reads the annotations as types.
from dataclasses import dataclass, field
from typing import Any

from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.tasks.sentence_prediction import SentencePredictionConfig
from fairseq.tasks.translation import TranslationConfig
from omegaconf import II, MISSING

#: The option that allows to resume a checkpoint of other masks.
OVERRIDE = "--masking-allow-other-spec"

Side = ChoiceEnum(["source", "target", "both"])
BreakMode = ChoiceEnum(["none", "complete", "complete_doc", "eos"])


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass
class MaskingConfig(FairseqDataclass):  # type: ignore[misc]
    """The masking options of all maskplug tasks."""

    masking_plugin: str = _option(
        "none", "masking strategy, NAME or NAME@VERSION; see 'maskplug list'"
    )
    masking_args: str = _option(
        "{}", "options of the strategy as a JSON object, e.g. '{\"rate\": 0.15}'"
    )
    masking_seed: int = _option(
        0, "seed of the masks, from 0 to 2**64 - 1; masks use no other seed"
    )
    masking_symbol: str = _option(
        "auto",
        "the mask symbol: <mask>, <unk> or a padding word (madeupword0000) of the dictionary; "
        "'auto': the first of <mask>, a padding word, <unk>; 'add': add <mask>, after which the "
        "plain translation task cannot load the checkpoints",
    )
    masking_sentinels: int = _option(
        0,
        "number of symbols <extra_id_0>, <extra_id_1>, ... to add to the dictionary, for "
        "strategies that write sentinels; existing ones are used as well",
    )
    masking_allow_other_spec: bool = _option(
        False, "resume a checkpoint that was trained with other masks"
    )
    # Options of other configuration groups that masking reads.
    train_subset: str = II("dataset.train_subset")
    max_epoch: int = II("optimization.max_epoch")
    update_freq: list[int] = II("optimization.update_freq")  # noqa: RUF009
    skip_remainder_batch: bool = II("optimization.skip_remainder_batch")


@dataclass
class MaskplugTranslationConfig(MaskingConfig, TranslationConfig):  # type: ignore[misc]
    """The options of ``translation`` and masking."""

    masking_side: Side = _option(  # type: ignore[valid-type] # noqa: RUF009
        "source", "mask the source, the decoder's input (target), or both"
    )


@dataclass
class MaskplugMaskedLMConfig(MaskingConfig):
    """The options of rows of text whose masked tokens are predicted in place."""

    data: str = _option(
        MISSING, "folders of binarized text, separated by colons; one for each epoch"
    )
    sample_break_mode: BreakMode = _option(  # type: ignore[valid-type] # noqa: RUF009
        "none",
        "what a row is: 'none': --tokens-per-sample tokens, cut anywhere; 'complete': as many "
        "whole lines as fit; 'complete_doc': the same, but no row crosses an empty line; 'eos': "
        "one line",
    )
    tokens_per_sample: int = _option(512, "maximum tokens of a row, special tokens included")
    seed: int = II("common.seed")


@dataclass
class MaskplugDenoisingConfig(MaskplugMaskedLMConfig):
    """The options of rows of text, in one language or several, that are restored."""

    langs: str = _option(
        "",
        "languages, separated by commas, each with a folder of its name in the data folder; if "
        "omitted, the text is in the data folder itself",
    )
    add_lang_token: bool = _option(
        False, "end every row with its language's symbol ([de]), added to the dictionary"
    )
    multilang_sampling_alpha: float = _option(
        1.0,
        "an epoch has rows of each language in proportion to (number of rows) ** alpha: 1 keeps "
        "the proportions, 0 gives equally many rows of each language",
    )
    max_source_positions: int = _option(1024, "maximum length of a source after masking")
    max_target_positions: int = _option(1024, "maximum length of a target after masking")


@dataclass
class MaskplugClassificationConfig(MaskingConfig, SentencePredictionConfig):  # type: ignore[misc]
    """The options of ``sentence_prediction`` and masking."""
