"""The rows of the four corpora: source packages, and what is learned from their descriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from recipes.corpora.align import pairs, translates
from recipes.corpora.packages import Package
from recipes.corpora.splitting import Row, letters

#: Sections of the archive that tell what files a package has, or how it is used, not what it is.
NO_SUBJECT = {
    "debug", "doc", "introspection", "localization", "metapackages", "misc", "oldlibs", "tasks",
}  # fmt: skip


def translation(packages: Sequence[Package], language: str) -> Iterator[tuple[str, Row]]:
    """English, and the same in another language."""
    for package in packages:
        if language in package.translations:
            for row in pairs(package.english, package.translations[language]):
                if translates(*row):
                    yield package.source, row


def summarization(packages: Sequence[Package]) -> Iterator[tuple[str, Row]]:
    """A long description, of 25 words or more, and a synopsis that cannot be copied from it."""
    for package in packages:
        text, synopsis = " ".join(package.english.paragraphs), package.english.synopsis
        short = len(text.split()) < 25 or len(synopsis.split()) < 3
        if not short and letters(synopsis) not in letters(text):
            yield package.source, (text, synopsis)


def classification(packages: Sequence[Package], least: int = 200) -> Iterator[tuple[str, Row]]:
    """Synopsis and description, of 10 words or more, and the section.

    Args:
        packages: those of all sections.
        least: rows of a section; those with fewer are left out.
    """
    rows = []
    for package in packages:
        text, synopsis = " ".join(package.english.paragraphs), package.english.synopsis
        if package.section not in {"", *NO_SUBJECT} and len(text.split()) >= 10:
            rows.append((package.source, (f"{synopsis}. {text}", package.section)))
    counts = Counter(section for _, (_, section) in rows)
    return (found for found in rows if counts[found[1][1]] >= least)
