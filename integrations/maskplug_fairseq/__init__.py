"""maskplug for fairseq: tasks with masking strategies, models with attention patterns.

Pass this folder to ``--user-dir`` (``maskplug fairseq-dir`` prints it). Importing it registers
tasks and models, and allows torch to load fairseq's checkpoints.
"""

from maskplug_fairseq.classification import MaskedSentencesDataset, MaskplugClassificationTask
from maskplug_fairseq.denoising import DenoisingDataset, MaskplugDenoisingTask
from maskplug_fairseq.masked_lm import MaskedLMDataset, MaskplugMaskedLMTask
from maskplug_fairseq.models import MaskplugBARTModel, MaskplugTransformerModel
from maskplug_fairseq.safe_globals import allow_checkpoints
from maskplug_fairseq.translation import MaskedPairDataset, MaskplugTranslationTask
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
