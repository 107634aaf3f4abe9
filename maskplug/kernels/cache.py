"""Keeps compiled kernels on disk: damaged files and full disks cost a compilation, no more."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.serialize import dumps


class KernelCache(FunctionCache):
    """Numba's cache of one kernel: what cannot be read is compiled again.

    Args:
        function: the kernel's function.
        unreadable, unwritable: are told the kernel's name, the folder and the error.

    Raises:
        RuntimeError: when there is no folder that can be written to.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        unreadable: Callable[[str, str, Exception], None],
        unwritable: Callable[[str, str, Exception], None],
    ) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        stamp = self._impl.locator.get_source_stamp()
        base = self._impl.filename_base
        self._cache_file = Checked(self.cache_path, base, stamp)  # type: ignore[no-untyped-call]
        self._who = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self._unreadable, self._unwritable = unreadable, unwritable

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel for a signature; None where it must be compiled."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # damaged files raise nearly everything
            with suppress(OSError):  # other processes may have done so already
                (Path(self.cache_path) / f"{self._impl.filename_base}.nbi").unlink()
            self._unreadable(self._who, self.cache_path, error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, if that can be."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as error:  # a full disk, a folder that is gone, an index that is damaged
            self._unwritable(self._who, self.cache_path, error)


class Checked(IndexDataCacheFile):
    """The files of one kernel, with a digest of what numba keeps.

    Numba writes the index first: whatever interrupts it, or another process that writes at the same
    time, may leave an index that leads to machine code of an older source or another signature.
    """

    def save(self, key: Any, data: Any) -> None:
        """Write machine code."""
        code = dumps(data)  # type: ignore[no-untyped-call]
        checked = self._digest(key, code), code
        super().save(self._named(key), checked)  # type: ignore[no-untyped-call]

    def load(self, key: Any) -> Any:
        """Read machine code; None where there is none.

        Raises:
            Exception: of nearly any class, when the files are damaged.
        """
        kept = super().load(self._named(key))  # type: ignore[no-untyped-call]
        if kept is None:
            return None
        digest, code = kept
        if digest != self._digest(key, code):
            raise ValueError("the digest of the machine code does not match")
        return pickle.loads(code)

    def _named(self, key: Any) -> Any:
        """Another key than that of files without digests, which are left alone."""
        return *key, "blake2b"

    def _digest(self, key: Any, code: bytes) -> bytes:
        bound = repr((numba.__version__, self._source_stamp, self._index_name, key))
        return blake2b(bound.encode() + code, digest_size=16).digest()
