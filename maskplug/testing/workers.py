"""Worker processes that mask, spawned as data loaders spawn theirs; two for the whole run."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from typing import Any

from maskplug.errors import PluginError, described
from maskplug.strategy import Strategy
from maskplug.testing.outcome import Row, by_row
from maskplug.testing.subject import Subject
from maskplug.tokens import TokenBatch


def fingerprint(strategy: Strategy) -> str:
    """Return the strategy's fingerprint, or "" if its parts are not registered."""
    try:
        return strategy.fingerprint
    except PluginError:
        return ""


def pickled(kind: str, value: Any) -> bytes:
    """Pickle a strategy or a pattern, or a tuple with one; assert that this is possible."""
    try:
        return pickle.dumps(value)
    except Exception as error:
        raise AssertionError(
            f"the {kind} cannot be pickled ({described(error)}), so data loaders cannot send it to "
            "their workers. Define its classes and functions at the top level of a module, and "
            "keep open files, locks and lambdas out of its options"
        ) from error


def mask_in_worker(
    subject: Subject, tokens: TokenBatch, number: int = 0, **context: Any
) -> tuple[str, list[Row]]:
    """Mask a batch in worker process 0 or 1; return the fingerprint there, and the results."""
    columns = (tokens.ids, tokens.offsets, tokens.keys, dict(tokens.annotations))
    context["seed"] = subject.seed + context.get("seed", 0)
    data = pickled("strategy", (subject.strategy, subject.vocab, columns, context))
    try:
        return _worker(number).submit(_mask, data).result()
    except BrokenProcessPool as error:
        _worker.cache_clear()
        raise AssertionError(
            "the worker process ended before it returned a result. If a script of yours runs the "
            'checks, call them under `if __name__ == "__main__":`; otherwise read what the process '
            "printed"
        ) from error
    except Exception as error:
        raise AssertionError(
            f"a spawned process raised {described(error)}. It imports the strategy's modules "
            "again: changes made to them in the parent process are missing"
        ) from error


def _mask(data: bytes) -> tuple[str, list[Row]]:
    strategy, vocab, columns, context = pickle.loads(data)
    tokens = TokenBatch(*columns)
    # replace() makes the vocabulary's arrays read-only again; writable ones would compile kernels.
    return fingerprint(strategy), by_row(tokens, strategy(tokens, replace(vocab), **context))


@cache
def _worker(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
