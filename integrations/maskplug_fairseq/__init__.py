"""maskplug for fairseq: the task ``maskplug_translation``, and checkpoints that load.

This folder is what ``--user-dir`` takes (``maskplug fairseq-dir`` prints it); importing it, in
either way, registers the task and tells torch which classes fairseq's checkpoints hold.
"""

from maskplug_fairseq.dataset import MaskedPairDataset
from maskplug_fairseq.safe_globals import allow_checkpoints
from maskplug_fairseq.translation import MaskplugTranslationTask
from maskplug_fairseq.vocabulary import vocabulary

__all__ = ["MaskedPairDataset", "MaskplugTranslationTask", "allow_checkpoints", "vocabulary"]

allow_checkpoints()
