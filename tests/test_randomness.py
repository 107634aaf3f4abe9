"""The numbers in docs/randomness.md match the library and the reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import maskplug
from maskplug.rng import hash_words, key_of
from support import reference as ref
from support.batches import batch
from support.reference import Sample

PAGES = sorted((Path(__file__).parents[1] / "docs").glob("randomness*.md"))
PAGE = PAGES[[page.name for page in PAGES].index("randomness.md")].read_text(encoding="utf-8")
EXAMPLE = dict(
    re.split(r"\s{2,}", line, maxsplit=1)
    for line in re.search(r"```example\n(.*?)```", PAGE, re.S)[1].strip().splitlines()
)
CODES = {
    purpose: code
    for page in PAGES
    for purpose, code in re.findall(
        r"^\| `([a-z ]+)` \| `([0-9a-f]{16})` \|$", page.read_text(encoding="utf-8"), re.M
    )
}
ROW = [2, 10, 11, 12, 13, 14, 15, 16, 17, 3]
VOCAB = maskplug.Vocabulary(size=20, mask_id=4, special_ids=[0, 1, 2, 3])
SAMPLE = Sample(15, 3, ref.text_key("doc-1"))


def hexed(words: list[int]) -> str:
    return " ".join(f"{word:08x}" for word in words)


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


@pytest.mark.parametrize(("purpose", "code"), CODES.items())
def test_purpose_codes(purpose: str, code: str) -> None:
    assert f"{key_of(purpose):016x}" == f"{ref.text_key(purpose):016x}" == code


def test_all_purposes_are_documented() -> None:
    source = Path(maskplug.__file__).parent.rglob("*.py")
    lines = "\n".join(path.read_text(encoding="utf-8") for path in source).splitlines()
    text = "\n".join(line for line in lines if ">>>" not in line)
    used = set(re.findall(r'(?:stream_keys|rng\.(?!scoped)[a-z]+)\(\s*"([a-z ]+)"', text))
    assert used == set(CODES)


def test_documented_known_answers() -> None:
    rows = re.findall(r"^\| `((?:\w{8} ){3}\w{8})` \| `(\w{8} \w{8})` \| `(.*)` \|$", PAGE, re.M)
    assert len(rows) == 3
    for counter, key, words in rows:
        lanes = [[int(word, 16) for word in text.split()] for text in (counter, key)]
        assert hexed(ref.philox(*map(tuple, lanes))) == words


def test_key_hash_of_the_example() -> None:
    states = [hash_words(15), hash_words(15, 3), hash_words(15, 3, SAMPLE.key)]
    names = ["after the seed 15", "after t = 3", "after the sample key"]
    assert [f"{int(s[0]):016x}" for s in states] == [EXAMPLE[name] for name in names]
    assert f"{key_of('doc-1'):016x}" == EXAMPLE['key of "doc-1"']


@pytest.mark.parametrize("purpose", ["budget", "exact", "mix kind", "mix id"])
def test_streams_of_the_example(purpose: str) -> None:
    rng = maskplug.Rng.at(15, 3, ["doc-1"])
    words = EXAMPLE[f'words of "{purpose}"']
    assert f"{rng.stream_keys(purpose)[0]:016x}" == EXAMPLE[f'stream key of "{purpose}"']
    assert hexed(rng.bits(purpose, [len(words.split())]).tolist()) == words
    assert hexed(SAMPLE.words(purpose, len(words.split()))) == words


def test_mask_of_the_example() -> None:
    strategy = maskplug.strategy("dynamic@1", rate=0.4)
    masked = strategy(batch([ROW], keys=["doc-1"]), VOCAB, seed=15, epoch=3)
    assert masked.inputs.to_lists() == [numbers(EXAMPLE["inputs"])]
    assert masked.labels is not None
    assert masked.labels.to_lists() == [numbers(EXAMPLE["labels"])]
    assert masked.selection.starts.tolist() == numbers(EXAMPLE["chosen positions"])


def test_mask_of_the_example_matches_reference() -> None:
    budget = SAMPLE.budget(0.4, 8)
    chosen = ref.exact(SAMPLE.words("exact", 8), budget)
    groups = [[1 + unit] for unit, taken in enumerate(chosen) if taken]
    assert budget == int(EXAMPLE["budget"])
    assert [group[0] for group in groups] == numbers(EXAMPLE["chosen positions"])
    ordinary = list(range(5, 20))
    assert ref.mix(SAMPLE, ROW, groups, 0.8, 0.1, 4, ordinary) == numbers(EXAMPLE["inputs"])
    assert ref.labels(ROW, groups) == numbers(EXAMPLE["labels"])


def test_default_limits_of_spans() -> None:
    limits = re.search(r"the limits are\n\n {4}(.*)\n", PAGE)[1].split()
    assert [int(limit, 16) for limit in limits] == ref.geometric_limits(0.2, 10)
