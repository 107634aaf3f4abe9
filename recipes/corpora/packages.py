"""Join descriptions in several languages with their packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recipes.corpora.apt import Index
from recipes.corpora.stanzas import Description, stanzas


@dataclass(frozen=True)
class Package:
    """An English description with its package and translations.

    Args:
        source: the source package.
        section: of the archive; empty for packages of other architectures.
        english: the description.
        translations: the translations by language.
    """

    source: str
    section: str
    english: Description
    translations: dict[str, Description]


def join(indices: Sequence[Index]) -> list[Package]:
    """Return a package for each English description, in the order of Translation-en.

    The MD5 sum of the English text (``Description-md5``) identifies a description in all indices.

    Args:
        indices: of packages and of languages, including ``en``.
    """
    sources: dict[str, tuple[str, str]] = {}
    described: dict[str, dict[str, Description]] = {}
    names: dict[str, str] = {}
    for index in indices:
        for stanza in stanzas(index.path):
            md5, name = stanza.get("Description-md5", ""), stanza.get("Package", "")
            text = stanza.get(f"Description-{index.language}")
            if not index.language:
                # "hello (2.10-3)" if the versions of source and package differ.
                source = stanza.get("Source", name).split(" ")[0]
                sources.setdefault(md5, (source, stanza.get("Section", "").split("/")[-1]))
            elif text is not None:
                described.setdefault(index.language, {})[md5] = Description.parse(text)
                if index.language == "en":
                    names[md5] = name
    english = described.pop("en", {})
    return [
        Package(
            *sources.get(md5, (names[md5], "")),
            text,
            {lang: texts[md5] for lang, texts in described.items() if md5 in texts},
        )
        for md5, text in english.items()
    ]
