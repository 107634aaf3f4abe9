"""Keyed datasets whose samples pass through Trainer's own filters and samplers."""

from __future__ import annotations

import maskplug_torch
from transformers import BatchEncoding


class EncodedSample(maskplug_torch.Sample, BatchEncoding):
    """A sample that Trainer does not rebuild.

    Trainer's filter of columns rebuilds every ``dict``, and would lose key and time, but not other
    mappings. Its sampler by length needs a ``dict`` or a ``BatchEncoding``.
    """


class KeyedDataset(maskplug_torch.KeyedDataset):
    """A map-style dataset for Trainer; see :class:`maskplug_torch.KeyedDataset`."""

    sample_type = EncodedSample


class KeyedIterable(maskplug_torch.KeyedIterable):
    """A stream for Trainer; see :class:`maskplug_torch.KeyedIterable`."""

    sample_type = EncodedSample
