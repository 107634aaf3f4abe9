"""The options of the tasks, on the command line and in Hydra's YAML alike."""

# No "from __future__ import annotations" here: fairseq reads the annotations as types.
from dataclasses import dataclass, field

from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.tasks.sentence_prediction import SentencePredictionConfig
from fairseq.tasks.translation import TranslationConfig
from omegaconf import II, MISSING

Side = ChoiceEnum(["source", "target", "both"])
Break = ChoiceEnum(["none", "complete", "complete_doc", "eos"])


@dataclass
class MaskingConfig(FairseqDataclass):  # type: ignore[misc]
    """What masks, and how; every task of maskplug has these options."""

    masking_plugin: str = field(
        default="none",
        metadata={"help": "masking strategy, NAME or NAME@VERSION; see 'maskplug list'"},
    )
    masking_args: str = field(
        default="{}",
        metadata={"help": "options of the strategy as a JSON object, e.g. '{\"rate\": 0.15}'"},
    )
    masking_seed: int = field(
        default=0, metadata={"help": "seed of the masks, from 0 to 2**64 - 1; no other seed counts"}
    )
    masking_symbol: str = field(
        default="auto",
        metadata={
            "help": "the mask symbol: <mask>, <unk> or a padding word (madeupword0000) of the "
            "dictionary; 'auto': the first of <mask>, a padding word, <unk>; 'add': add <mask>, "
            "after which the plain translation task cannot load the checkpoints"
        },
    )
    masking_sentinels: int = field(
        default=0,
        metadata={
            "help": "add the symbols <extra_id_0>, <extra_id_1>, ..., this many, to the "
            "dictionary, for strategies that write sentinels; those that it has are used as well"
        },
    )
    masking_allow_other_spec: bool = field(
        default=False,
        metadata={"help": "resume a checkpoint that was trained with other masks"},
    )
    # Owned by other parts of the configuration, and only read here.
    train_subset: str = II("dataset.train_subset")
    max_epoch: int = II("optimization.max_epoch")
    update_freq: list[int] = II("optimization.update_freq")  # noqa: RUF009
    skip_remainder_batch: bool = II("optimization.skip_remainder_batch")


@dataclass
class MaskplugTranslationConfig(MaskingConfig, TranslationConfig):  # type: ignore[misc]
    """Everything of ``translation``, and what masks the training split."""

    masking_side: Side = field(  # type: ignore[valid-type]
        default="source",
        metadata={"help": "mask the source, the decoder's input (target), or both"},
    )


@dataclass
class BlocksConfig(MaskingConfig):
    """Text of one language, cut into rows."""

    data: str = field(
        default=MISSING,
        metadata={"help": "folders of binarized text, separated by colons; one for each epoch"},
    )
    sample_break_mode: Break = field(  # type: ignore[valid-type]
        default="none",
        metadata={
            "help": "what a row is: 'none': --tokens-per-sample tokens, cut anywhere; 'complete': "
            "whole lines, as many as fit; 'complete_doc': the same, but no row crosses an empty "
            "line; 'eos': one line"
        },
    )
    tokens_per_sample: int = field(
        default=512, metadata={"help": "tokens of a row, special ones included"}
    )
    seed: int = II("common.seed")


@dataclass
class MaskplugMaskedLMConfig(BlocksConfig):
    """Rows of text, whose masked tokens are predicted in place."""


@dataclass
class MaskplugDenoisingConfig(BlocksConfig):
    """Rows of text in one language or several, which are restored from what noise left."""

    langs: str = field(
        default="",
        metadata={
            "help": "languages, separated by commas, each with a folder of its name in the data "
            "folder; without them the text lies in the data folder itself"
        },
    )
    add_lang_token: bool = field(
        default=False,
        metadata={
            "help": "end every row with its language's symbol ([de]), added to the dictionary"
        },
    )
    multilang_sampling_alpha: float = field(
        default=1.0,
        metadata={
            "help": "an epoch has a language's rows in proportion to their number to this power: "
            "1 leaves them alone, 0 has as many of each language"
        },
    )
    max_source_positions: int = field(
        default=1024, metadata={"help": "longest source that is used, after masking"}
    )
    max_target_positions: int = field(
        default=1024, metadata={"help": "longest target that is used, after masking"}
    )


@dataclass
class MaskplugClassificationConfig(MaskingConfig, SentencePredictionConfig):  # type: ignore[misc]
    """Everything of ``sentence_prediction``, and what masks the training split."""
