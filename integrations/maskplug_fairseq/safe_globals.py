"""Which classes fairseq's checkpoints hold, for torch's safe loader.

From torch 2.6 on, ``torch.load`` refuses every class that it was not told of; fairseq tells it of
none, so that nothing that reads a checkpoint would work. The loader itself stays as strict.
"""

from __future__ import annotations

import argparse
import collections
import typing
from typing import Any

import numpy as np
import torch
from fairseq.distributed.utils import _TensorPlaceholder
from numpy._core import multiarray
from omegaconf import AnyNode, DictConfig, ListConfig
from omegaconf.base import ContainerMetadata, Metadata


def _numpy() -> list[Any]:
    """What numpy scalars and arrays are made of: BLEU and accuracy metrics are saved as such."""
    rebuilders = [
        (getattr(multiarray, function), f"{module}.multiarray.{function}")
        for function in ("_reconstruct", "scalar")
        for module in ("numpy._core", "numpy.core")  # as numpy 2 and numpy 1 wrote it
    ]
    kinds = [getattr(np.dtypes, name) for name in np.dtypes.__all__]
    return [np.ndarray, np.dtype, *kinds, *rebuilders]


def _distributed() -> list[Any]:
    """What rank 0 sends to the other processes when a distributed run is resumed."""
    config = [DictConfig, ListConfig, ContainerMetadata, Metadata, AnyNode]
    return [*config, typing.Any, collections.defaultdict, dict, list, int, _TensorPlaceholder]


def allow_checkpoints() -> None:
    """Tell ``torch.load`` of the classes in fairseq's checkpoints; harmless when repeated."""
    torch.serialization.add_safe_globals([argparse.Namespace, *_numpy(), *_distributed()])
