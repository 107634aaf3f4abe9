"""Options that are files: named by path, pinned by content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from maskplug.errors import OptionError, shortened


def digest_of(data: bytes) -> str:
    """Sixteen hexadecimal digits (64 bits of BLAKE2b) for a content."""
    return blake2b(data, digest_size=8).hexdigest()


def printable(text: str) -> str:
    r"""A path or digest as a message shows it: on one line, with unpaired surrogates escaped.

    Example:
        >>> printable("lists/a b.txt"), printable("a\nb")
        ('lists/a b.txt', 'a\\nb')
    """
    shown = text if text.isprintable() else repr(text)[1:-1]
    return shown if len(shown) <= 300 else f"…{shown[-299:]}"


@dataclass(frozen=True)
class Resource:
    """A file that decides masks: an n-gram list, a dictionary, a table of scores.

    A spec holds the path and a digest of the content. The fingerprint takes in the digest only: the
    same file elsewhere is the same strategy, and another content under the same path is not.

    Attributes:
        path: where the file is.
        digest: sixteen hexadecimal digits (64 bits of BLAKE2b) of its content.
    """

    path: str
    digest: str

    @classmethod
    def of(cls, value: Any) -> Resource:
        """A resource from a path, or from the mapping that a spec holds.

        Raises:
            OptionError: when there is no such file, or its content is not that of the digest.
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
            found = cls.of(value["path"])
            asked = cls(found.path, value["digest"])
            asked.check(found.digest)
            return asked
        if not isinstance(value, str | Path):
            raise OptionError(f"a file is given by its path, not by {shortened(value)}")
        path = str(value)
        return cls(path, digest_of(cls.read(path)))

    def check(self, digest: str) -> None:
        """Refuse another content.

        Raises:
            OptionError: when this is not the digest of the resource.
        """
        if digest != self.digest:
            raise OptionError(
                f"the file {printable(self.path)} has changed: its content has the digest "
                f"{digest}, and {printable(self.digest)} is asked for"
            )

    def content(self) -> bytes:
        """The content that the digest is of.

        Raises:
            OptionError: when the file cannot be read, or has changed since.
        """
        data = self.read(self.path)
        self.check(digest_of(data))
        return data

    @staticmethod
    def read(path: str) -> bytes:
        """The content of a file.

        Raises:
            OptionError: when it cannot be read.
        """
        try:
            file = Path(path).expanduser()
            if file.exists() and not (file.is_file() or file.is_dir()):
                raise OSError("Not a regular file")  # a device or a pipe may have no end
            return file.read_bytes()
        except (OSError, ValueError, RuntimeError) as error:
            # Beside those of the system: NUL and surrogates in a path, and homes of nobody.
            reason = getattr(error, "strerror", None) or error
            raise OptionError(f"the file {printable(path)} cannot be read: {reason}") from None

    def lines(self) -> list[str]:
        """The lines of a text file in UTF-8, without their ends.

        Raises:
            OptionError: when the file is not UTF-8; the message names the line. Also when it has
                changed since.
        """
        lines = self.content().split(b"\n")
        text = []
        for number, line in enumerate(lines, 1):
            try:
                text.append(line.decode().removesuffix("\r"))
            except UnicodeDecodeError as error:
                raise OptionError(f"{self.path}, line {number}: not UTF-8 ({error})") from None
        return text if text[-1] else text[:-1]
