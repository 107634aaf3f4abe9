"""Cache compiled kernels on disk; damaged files and full disks only cost a new compilation."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.serialize import dumps

from maskplug.errors import MaskplugWarning, described

NO_FOLDER = (
    "there is no folder to keep compiled kernels in: neither maskplug's own nor one in the "
    "home folder can be written to. Each process compiles them again, which takes seconds; "
    "set NUMBA_CACHE_DIR to a folder that can be written to"
)
UNWRITABLE = (
    "compiled kernels cannot be kept in {1}: {0} was the first ({2}). Each process compiles "
    "them again, which takes seconds; make room there, or set NUMBA_CACHE_DIR to a folder that "
    "can be written to"
)
UNREADABLE = (
    "the compiled kernel {0} in {1} could not be read ({2}): it is compiled again, as is any "
    "other that is damaged, which takes seconds"
)
_warned: set[str] = set()


def warn_once(message: str, *values: str) -> None:
    """Warn, unless a warning with this template was issued before in this process."""
    if message not in _warned:
        _warned.add(message)
        warnings.warn(message.format(*values), MaskplugWarning, stacklevel=2)


class KernelCache(FunctionCache):
    """Numba's cache of one kernel, which recompiles what cannot be read.

    Raises:
        RuntimeError: if there is no writable folder.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        stamp = self._impl.locator.get_source_stamp()
        base = self._impl.filename_base
        self._cache_file = Checked(self.cache_path, base, stamp)  # type: ignore[no-untyped-call]
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature, or None if it must be compiled."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # damaged files raise almost any exception
            with suppress(OSError):  # another process may have removed it
                (Path(self.cache_path) / f"{self._impl.filename_base}.nbi").unlink()
            warn_once(UNREADABLE, self._name, self.cache_path, described(error))
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write a compiled kernel to disk, if possible."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as error:  # a full disk, a removed folder, a damaged index
            warn_once(UNWRITABLE, self._name, self.cache_path, described(error))


class Checked(IndexDataCacheFile):
    """The files of one kernel, with a digest of the machine code.

    Numba writes the index first: an interruption, or another process that writes at the same time,
    may leave an index that points to machine code of an older source or of another signature.
    """

    def save(self, key: Any, data: Any) -> None:
        """Write machine code."""
        code = dumps(data)  # type: ignore[no-untyped-call]
        checked = self._digest(key, code), code
        super().save(self._named(key), checked)  # type: ignore[no-untyped-call]

    def load(self, key: Any) -> Any:
        """Read machine code; None if there is none.

        Raises:
            Exception: of almost any class, if the files are damaged.
        """
        kept = super().load(self._named(key))  # type: ignore[no-untyped-call]
        if kept is None:
            return None
        digest, code = kept
        if digest != self._digest(key, code):
            raise ValueError("the digest of the machine code does not match")
        return pickle.loads(code)

    def _named(self, key: Any) -> Any:
        """Return a key that differs from that of files without digests, which are left alone."""
        return *key, "blake2b"

    def _digest(self, key: Any, code: bytes) -> bytes:
        bound = repr((numba.__version__, self._source_stamp, self._index_name, key))
        return blake2b(bound.encode() + code, digest_size=16).digest()
