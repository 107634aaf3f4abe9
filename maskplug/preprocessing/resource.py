"""Options that are files, identified by path and by content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from maskplug.errors import OptionError, shortened


def digest_of(data: bytes) -> str:
    """Return sixteen hexadecimal digits (64 bits of BLAKE2b) of a content."""
    return blake2b(data, digest_size=8).hexdigest()


def printable(text: str) -> str:
    r"""Return a path or digest for messages: on one line, with unpaired surrogates escaped.

    Example:
        >>> printable("lists/a b.txt"), printable("a\nb")
        ('lists/a b.txt', 'a\\nb')
    """
    shown = text if text.isprintable() else repr(text)[1:-1]
    return shown if len(shown) <= 300 else f"…{shown[-299:]}"


@dataclass(frozen=True)
class Resource:
    """A file that determines masks: an n-gram list, a dictionary, a table of scores.

    A spec holds the path and a digest of the content. The fingerprint depends only on the digest:
    the same file at another path is the same strategy, and another content at the same path is not.

    Attributes:
        path: path of the file.
        digest: sixteen hexadecimal digits (64 bits of BLAKE2b) of its content.
    """

    path: str
    digest: str

    @classmethod
    def of(cls, value: Any) -> Resource:
        """Return a resource from a path, or from the mapping in a spec.

        Raises:
            OptionError: if there is no such file, or its content does not match the digest.
        """
        if isinstance(value, Resource):
            return value
        if isinstance(value, Mapping):
            if set(value) != {"path", "digest"}:
                raise OptionError(f"a file is given by its path, not by {shortened(dict(value))}")
            if not all(isinstance(item, str) for item in value.values()):
                raise OptionError(
                    f"path and digest of a file are {shortened(dict(value))}; both must be text"
                )
            actual = cls.of(value["path"])
            expected = cls(actual.path, value["digest"])
            expected.check(actual.digest)
            return expected
        if not isinstance(value, str | Path):
            raise OptionError(f"a file is given by its path, not by {shortened(value)}")
        path = str(value)
        return cls(path, digest_of(cls.read(path)))

    def check(self, digest: str) -> None:
        """Check the digest of a content.

        Raises:
            OptionError: if it is not the digest of the resource.
        """
        if digest != self.digest:
            raise OptionError(
                f"the file {printable(self.path)} has changed: its content has the digest "
                f"{digest}, and {printable(self.digest)} is asked for"
            )

    def content(self) -> bytes:
        """Return the content of the file.

        Raises:
            OptionError: if the file cannot be read, or has changed.
        """
        data = self.read(self.path)
        self.check(digest_of(data))
        return data

    @staticmethod
    def read(path: str) -> bytes:
        """Return the content of a file.

        Raises:
            OptionError: if it cannot be read.
        """
        try:
            file = Path(path).expanduser()
            if file.exists() and not (file.is_file() or file.is_dir()):
                raise OSError("Not a regular file")  # a device or a pipe may be endless
            return file.read_bytes()
        except (OSError, ValueError, RuntimeError) as error:
            # ValueError: NUL or surrogates in a path; RuntimeError: no home directory.
            reason = getattr(error, "strerror", None) or error
            raise OptionError(f"the file {printable(path)} cannot be read: {reason}") from None

    def lines(self) -> list[str]:
        """Return the lines of a UTF-8 text file without line endings.

        Raises:
            OptionError: if the file is not UTF-8 (the message names the line), or has changed.
        """
        lines = self.content().split(b"\n")
        text = []
        for number, line in enumerate(lines, 1):
            try:
                text.append(line.decode().removesuffix("\r"))
            except UnicodeDecodeError as error:
                raise OptionError(f"{self.path}, line {number}: not UTF-8 ({error})") from None
        return text if text[-1] else text[:-1]
