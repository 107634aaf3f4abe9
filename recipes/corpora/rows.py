"""Make the rows of the four corpora from package descriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from recipes.corpora.align import pairs, translates
from recipes.corpora.packages import Package
from recipes.corpora.splitting import Row, letters

#: Sections that describe the files or the use of a package, not its subject.
NO_SUBJECT = {
    "debug", "doc", "introspection", "localization", "metapackages", "misc", "oldlibs", "tasks",
}  # fmt: skip


def translation(packages: Sequence[Package], language: str) -> Iterator[tuple[str, Row]]:
    """Yield English texts and their translations."""
    for package in packages:
        if language in package.translations:
            for row in pairs(package.english, package.translations[language]):
                if translates(*row):
                    yield package.source, row


def summarization(packages: Sequence[Package]) -> Iterator[tuple[str, Row]]:
    """Yield descriptions of at least 25 words, and synopses that they do not contain."""
    for package in packages:
        text, synopsis = " ".join(package.english.paragraphs), package.english.synopsis
        short = len(text.split()) < 25 or len(synopsis.split()) < 3
        if not short and letters(synopsis) not in letters(text):
            yield package.source, (text, synopsis)


def classification(packages: Sequence[Package], least: int = 200) -> Iterator[tuple[str, Row]]:
    """Yield synopses with descriptions of at least 10 words, and their sections.

    Args:
        packages: the packages of all sections.
        least: the minimum number of rows of a section; smaller sections are skipped.
    """
    rows = []
    for package in packages:
        text, synopsis = " ".join(package.english.paragraphs), package.english.synopsis
        if package.section not in {"", *NO_SUBJECT} and len(text.split()) >= 10:
            rows.append((package.source, (f"{synopsis}. {text}", package.section)))
    counts = Counter(section for _, (_, section) in rows)
    return (row for row in rows if counts[row[1][1]] >= least)
