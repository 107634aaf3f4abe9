"""maskplug for PyTorch: a collator, keyed datasets and a step sampler for any training loop."""

from maskplug_torch.batch_pickle import Batch
from maskplug_torch.collator import MaskingCollator
from maskplug_torch.datasets import KeyedDataset, KeyedIterable, Sample
from maskplug_torch.losses import weighted_loss
from maskplug_torch.model_info import ModelInfo
from maskplug_torch.shared_epoch import SharedEpoch
from maskplug_torch.step_sampler import StepSampler, add_steps

__all__ = [
    "Batch",
    "KeyedDataset",
    "KeyedIterable",
    "MaskingCollator",
    "ModelInfo",
    "Sample",
    "SharedEpoch",
    "StepSampler",
    "add_steps",
    "weighted_loss",
]
