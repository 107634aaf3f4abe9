"""maskplug for fairseq: its tasks with masks that are plugins, its models with attention patterns.

This folder is what ``--user-dir`` takes (``maskplug fairseq-dir`` prints it); importing it, in
either way, registers tasks and models and tells torch which classes fairseq's checkpoints hold.
"""

from maskplug_fairseq.classification import MaskplugClassificationTask
from maskplug_fairseq.denoising import MaskplugDenoisingTask
from maskplug_fairseq.masked_lm import MaskplugMaskedLMTask
from maskplug_fairseq.models import MaskplugBARTModel, MaskplugTransformerModel
from maskplug_fairseq.monolingual import DenoisingDataset, MaskedLMDataset
from maskplug_fairseq.pairs import MaskedPairDataset
from maskplug_fairseq.safe_globals import allow_checkpoints
from maskplug_fairseq.sentences import MaskedSentencesDataset
from maskplug_fairseq.translation import MaskplugTranslationTask
from maskplug_fairseq.vocabulary import vocabulary

__all__ = [
    "DenoisingDataset",
    "MaskedLMDataset",
    "MaskedPairDataset",
    "MaskedSentencesDataset",
    "MaskplugBARTModel",
    "MaskplugClassificationTask",
    "MaskplugDenoisingTask",
    "MaskplugMaskedLMTask",
    "MaskplugTransformerModel",
    "MaskplugTranslationTask",
    "allow_checkpoints",
    "vocabulary",
]

allow_checkpoints()
