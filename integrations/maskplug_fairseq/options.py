"""The options of ``maskplug_translation``, on the command line and in Hydra's YAML alike."""

# No "from __future__ import annotations" here: fairseq reads the annotations as types.
from dataclasses import dataclass, field

from fairseq.dataclass import ChoiceEnum
from fairseq.tasks.translation import TranslationConfig
from omegaconf import II

Side = ChoiceEnum(["source", "target", "both"])


@dataclass
class MaskplugTranslationConfig(TranslationConfig):  # type: ignore[misc]
    """Everything of ``translation``, and what masks the training split."""

    masking_plugin: str = field(
        default="none",
        metadata={"help": "masking strategy, NAME or NAME@VERSION; see 'maskplug list'"},
    )
    masking_args: str = field(
        default="{}",
        metadata={"help": "options of the strategy as a JSON object, e.g. '{\"rate\": 0.15}'"},
    )
    masking_side: Side = field(  # type: ignore[valid-type]
        default="source",
        metadata={"help": "mask the source, the decoder's input (target), or both"},
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
    masking_allow_other_spec: bool = field(
        default=False,
        metadata={"help": "resume a checkpoint that was trained with other masks"},
    )
    # Owned by other parts of the configuration, and only read here.
    max_epoch: int = II("optimization.max_epoch")
    update_freq: list[int] = II("optimization.update_freq")  # noqa: RUF009
    skip_remainder_batch: bool = II("optimization.skip_remainder_batch")
