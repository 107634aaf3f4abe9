"""The classes in fairseq's checkpoints, for torch's safe loader.

Since torch 2.6, ``torch.load`` refuses every class that is not on its list, and fairseq adds none,
so that no checkpoint could be loaded. ``weights_only`` stays on.
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

#: numpy scalars and arrays, which BLEU and accuracy are saved as; names of numpy 2 and numpy 1.
NUMPY: list[Any] = [
    np.ndarray,
    np.dtype,
    *(getattr(np.dtypes, name) for name in np.dtypes.__all__),
    *(
        (getattr(multiarray, function), f"{module}.multiarray.{function}")
        for function in ("_reconstruct", "scalar")
        for module in ("numpy._core", "numpy.core")
    ),
]
#: What rank 0 sends to the other ranks when a distributed run is resumed.
DISTRIBUTED: list[Any] = [
    *(DictConfig, ListConfig, ContainerMetadata, Metadata, AnyNode, _TensorPlaceholder),
    *(typing.Any, collections.defaultdict, dict, list, int),
]


def allow_checkpoints() -> None:
    """Allow ``torch.load`` to load the classes in fairseq's checkpoints; may be called again."""
    torch.serialization.add_safe_globals([argparse.Namespace, *NUMPY, *DISTRIBUTED])
