"""SwitchOut, uniform counts and code switching match the scalar reference."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng, Selector
from maskplug.replacements import Switch
from maskplug.selectors import Switches, UniformCount
from support import reference_denoising as ref
from support.batches import batch, ragged, seeds
from support.cases import RICH
from support.denoising import DICTIONARY, WORDS, ordinary, units_of

every_unit = st.sampled_from(["token", "word"])


def check(selector: Selector, rows: list[list[int]], seed: int, unit: str, draw: Any) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 2, tokens.keys)
    selection = selector.select(tokens, RICH, rng)
    switched = Switch().replace(tokens, selection, RICH, rng).to_lists()
    for i, row in enumerate(rows):
        units, sample = units_of(row, unit), ref.Sample(seed, 2, i)
        hit = draw(sample, len(units))
        chosen = [p for unit, taken in zip(units, hit, strict=True) if taken for p in unit]
        mask = selection.mask[tokens.offsets[i] : tokens.offsets[i + 1]]
        assert mask.nonzero()[0].tolist() == chosen
        assert switched[i] == ref.switched(sample, row, chosen, ordinary())


@given(ragged(), seeds, st.floats(0, 3), every_unit)
def test_switches_and_switch(rows: list[list[int]], seed: int, tau: float, unit: Any) -> None:
    check(Switches(tau, unit), rows, seed, unit, lambda s, n: ref.switches(s, n, tau) if n else [])


@given(ragged(), seeds, every_unit)
def test_uniform_count(rows: list[list[int]], seed: int, unit: Any) -> None:
    check(UniformCount(unit), rows, seed, unit, ref.uniform_count)


@given(ragged(), seeds, st.floats(0, 1), every_unit)
def test_code_switch(rows: list[list[int]], seed: int, rate: float, unit: Any) -> None:
    strategy = maskplug.strategy("code_switch", dictionary=str(DICTIONARY), rate=rate, unit=unit)
    inputs = strategy(batch(rows), RICH, seed=seed, epoch=2).inputs.to_lists()
    for i, row in enumerate(rows):
        sample, units = ref.Sample(seed, 2, i), units_of(row, unit)
        assert inputs[i] == ref.code_switched(sample, row, units, WORDS, rate)
