"""Additive masks as torch's tensors; those of numpy's dtypes are in test_every.py."""

from __future__ import annotations

import pytest
import torch

import maskplug


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_additive_masks_as_tensors(dtype: torch.dtype) -> None:
    pattern = maskplug.pattern("window:left=1")
    added = pattern.additive(5, dtype=dtype)
    dense = torch.from_numpy(pattern.dense(5))
    assert added.dtype == dtype
    assert added.shape == dense.shape
    assert (added[dense] == 0).all()
    assert (added[~dense] == torch.finfo(dtype).min).all()


def test_an_additive_mask_is_floating() -> None:
    with pytest.raises(maskplug.OptionError, match=r"torch\.int64.*floating"):
        maskplug.pattern("causal").additive(5, dtype=torch.int64)
