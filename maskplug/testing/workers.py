"""Worker processes, spawned as data loaders spawn theirs; one pair of them for a whole run."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from typing import Any

from maskplug.errors import PluginError
from maskplug.strategy import Strategy
from maskplug.testing.outcome import Row, by_row
from maskplug.testing.subject import Subject
from maskplug.tokens import TokenBatch


def mask_here(parcel: bytes) -> tuple[str, list[Row]]:
    """Unpack a strategy and a batch in this process; return the fingerprint and the masks."""
    strategy, vocab, (ids, offsets, keys, annotations), context = pickle.loads(parcel)
    tokens = TokenBatch(ids, offsets, keys, annotations)
    # Replaced, so that its arrays are read-only here as well: others would compile kernels anew.
    return fingerprint(strategy), by_row(tokens, strategy(tokens, replace(vocab), **context))


def fingerprint(strategy: Strategy) -> str:
    """The strategy's fingerprint, or nothing where its parts have no names."""
    try:
        return strategy.fingerprint
    except PluginError:
        return ""


def packed(value: Any) -> bytes:
    """A pickle.

    Raises:
        AssertionError: when the value (a strategy, or something with one) cannot be pickled.
    """
    try:
        return pickle.dumps(value)
    except Exception as error:
        raise AssertionError(
            f"the strategy cannot be pickled ({type(error).__name__}: {error}), so that no worker "
            "of a data loader can be given it. Define its classes and functions at the top level "
            "of a module, and keep open files, locks and lambdas out of its options"
        ) from error


def mask_in_worker(
    subject: Subject, tokens: TokenBatch, number: int = 0, **context: Any
) -> tuple[str, list[Row]]:
    """The fingerprint and the masks of a spawned process; there are two, 0 and 1.

    Raises:
        AssertionError: when the strategy does not get there and back.
    """
    flat = (tokens.ids, tokens.offsets, tokens.keys, dict(tokens.annotations))
    given = {**context, "seed": subject.seed + context.get("seed", 0)}
    parcel = packed((subject.strategy, subject.vocab, flat, given))
    try:
        return _worker(number).submit(mask_here, parcel).result()
    except BrokenProcessPool as error:
        _worker.cache_clear()
        raise AssertionError(
            "the worker process ended before it answered. If a script of yours calls this, put "
            'the call under `if __name__ == "__main__":`; else look at what the process printed'
        ) from error
    except Exception as error:
        raise AssertionError(
            f"a spawned process raised {type(error).__name__}: {error}. It imports the strategy's "
            "modules anew: nothing that was set up by hand in the first process is there"
        ) from error


@cache
def _worker(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
