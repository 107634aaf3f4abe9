"""maskplug for Hugging Face: a collator, and its attachment to Trainer."""

from maskplug_torch.losses import weighted_loss

from maskplug_hf.attach import attach
from maskplug_hf.collator import DataCollatorForMasking
from maskplug_hf.packing import DataCollatorForPacking
from maskplug_hf.token_losses import clean_losses
from maskplug_hf.vocabulary import vocabulary

__all__ = [
    "DataCollatorForMasking",
    "DataCollatorForPacking",
    "attach",
    "clean_losses",
    "vocabulary",
    "weighted_loss",
]
