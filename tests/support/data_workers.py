"""Faster shutdown of PyTorch's data-loading workers in tests."""

from __future__ import annotations

from torch.utils.data import _utils


def shut_down_fast() -> None:
    """Wait at most 0.1 s, instead of 5 s, for a worker to exit before it is terminated.

    A loader in a reference cycle is deleted by the garbage collector, which may delete the queue to
    a worker first; the worker then never receives the message to exit.
    """
    _utils.MP_STATUS_CHECK_INTERVAL = 0.1
