"""The example of docs/randomness-attention.md, by the library and by scalar twins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.rng import key_of
from support import reference as ref
from support import reference_attention as twin
from support.reference import Sample

PAGE = Path(__file__).parents[3] / "docs" / "randomness-attention.md"
BLOCK = re.search(r"```example\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
assert BLOCK is not None
EXAMPLE = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in BLOCK[1].strip().splitlines())
SAMPLE = Sample(15, 3, ref.text_key("doc-1"))


def numbers(name: str) -> list[int]:
    return [int(word) for word in EXAMPLE[name].split()]


def hexed(words: list[int]) -> str:
    return " ".join(f"{word:08x}" for word in words)


def dense(text: str, length: int = 6, head: int = 0, **more: Any) -> Any:
    pattern = maskplug.pattern(text)
    return pattern.dense(length, t=3, seed=15, keys=["doc-1"], fallback="self", **more)[0, head]


def hidden(text: str, **more: Any) -> list[int]:
    return np.flatnonzero(~dense(text, **more)[0]).tolist()


@pytest.mark.parametrize(
    ("purpose", "draw", "name"),
    [
        ("attention mode", 0, 'words of "attention mode"'),
        ("attention order", 0, 'words of "attention order"'),
        ("hidden keys", 0, 'words of "hidden keys"'),
        ("hidden keys", 1, 'words of "hidden keys", draw 1'),
        ("decoder/layer 2/hidden keys", 0, 'words of "decoder/layer 2/hidden keys"'),
    ],
)
def test_words(purpose: str, draw: int, name: str) -> None:
    count = len(EXAMPLE[name].split())
    rng = maskplug.Rng.at(15, 3, ["doc-1"])
    assert hexed(rng.bits(purpose, [count], draw).tolist()) == EXAMPLE[name]
    assert hexed(SAMPLE.words(purpose, count, draw)) == EXAMPLE[name]


def test_the_code_of_a_purpose_with_something_before_it() -> None:
    purpose = twin.scoped("hidden keys", "decoder", 2)
    code = EXAMPLE['code of "decoder/layer 2/hidden keys"']
    assert f"{key_of(purpose):016x}" == f"{ref.text_key(purpose):016x}" == code


def test_the_mode() -> None:
    mask = dense("unilm:mode=mixture", segments=[0, 0, 0, 1, 1, 1])
    assert numbers("mode") == [1] == [twin.mode(SAMPLE, "encoder", (2.0, 2.0, 1.0, 1.0))]
    assert (mask == dense("unilm:mode=seq2seq", segments=[0, 0, 0, 1, 1, 1])).all()


def test_the_order() -> None:
    ranks = dense("permutation:order=drawn,stream=content").sum(-1) - 1
    assert ranks.tolist() == numbers("ranks") == twin.order(SAMPLE, "encoder", 6)


def test_the_hidden_keys() -> None:
    assert hidden("random:rate=0.4") == numbers("hidden")
    assert hidden("random:rate=0.4,per_head=true", heads=2, head=1) == numbers(
        "hidden from head 1, per head"
    )
    assert hidden(
        "random:rate=0.4,per_layer=true", attention_kind="decoder", layer_idx=2
    ) == numbers("hidden in layer 2 of the decoder, per layer")


def test_the_random_blocks() -> None:
    words = EXAMPLE['words of "layer 0/random blocks", 2 to 11'].split()
    assert hexed(SAMPLE.words("layer 0/random blocks", 12)[2:]) == " ".join(words)
    random_blocks = np.reshape(numbers("random blocks of the blocks 1 to 5"), (5, 2)).tolist()
    assert twin.further_blocks(SAMPLE, "encoder", 0, 0, 7, 2, 2, 3, 1)[1:6] == random_blocks
    mask = dense("bigbird:block=1,random=2,clock=step", length=7)
    for block, others in enumerate(random_blocks, 1):
        visible = {0, 6, block - 1, block, block + 1, *others}
        assert set(np.flatnonzero(mask[block]).tolist()) == visible
