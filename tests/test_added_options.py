"""Options that a factory got after its release: older specs and fingerprints stay as they were."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

import maskplug
from maskplug import spec as specs
from maskplug.errors import PluginError
from maskplug.parts import added_later
from maskplug.plugins import registry
from maskplug.registry import Entry
from maskplug.selectors import Exact, Independent
from support.batches import VOCAB, equal_rows
from support.commands import succeeded


@dataclass(frozen=True)
class Old(maskplug.Selector):
    """A selector before its option was added."""

    rate: float = 0.3

    def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
        return Exact(self.rate).select(tokens, vocab, rng)


@added_later("rows", "more")
@dataclass(frozen=True)
class New(Old):
    """The same with options of several types."""

    rows: tuple[int, ...] | None = None
    more: maskplug.Schedule | float = 1


def old_strategy(rate: float = 0.3) -> maskplug.Strategy:
    """A strategy before its option was added."""
    return maskplug.compose(Independent(rate))


@added_later("more", "inner")
def new_strategy(
    rate: float = 0.3,
    more: maskplug.Schedule | float = 0.5,
    inner: maskplug.Selector | str = "exact",
) -> maskplug.Strategy:
    """The same with an option that is a part, and one that may be."""
    return maskplug.compose(Independent(rate))


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Registers the old or the new factories under the same names."""

    def use(selector: Any, strategy: Any) -> None:
        entries = [e for e in registry().entries if e.provider != "tests"]
        entries += [
            Entry("selector", "grown", 1, selector, "tests"),
            Entry("strategy", "grown", 1, strategy, "tests"),
        ]
        monkeypatch.setattr(registry(), "entries", entries)

    return use


NESTINGS: dict[str, Any] = {
    "strategy": {"name": "grown"},
    "part": {"name": "compose", "selector": {"name": "grown"}},
    "in a mixture": {"name": "mixture", "strategies": [{"name": "grown", "rate": 0.2}, "span"]},
    "in a chain of mixtures": {
        "name": "chain",
        "strategies": [
            {"name": "mixture", "strategies": [{"name": "compose", "selector": {"name": "grown"}}]}
        ],
    },
}


def built(nesting: Any) -> maskplug.Strategy:
    options = {key: value for key, value in nesting.items() if key != "name"}
    return maskplug.strategy(nesting["name"], **options)


def changed(nesting: Any, **more: Any) -> Any:
    """The same with further options wherever "grown" stands."""
    if isinstance(nesting, list):
        return [changed(item, **more) for item in nesting]
    if not isinstance(nesting, dict):
        return nesting
    inner = {key: changed(value, **more) for key, value in nesting.items()}
    return {**inner, **(more if nesting.get("name") == "grown" else {})}


@pytest.mark.parametrize("nesting", NESTINGS.values(), ids=NESTINGS)
def test_spec_omits_default_of_added_option(nesting: Any, release: Any) -> None:
    release(Old, old_strategy)
    before = built(nesting)
    spec = json.loads(specs.to_json(before.spec))
    release(New, new_strategy)
    default = 0.5 if nesting["name"] in ("grown", "mixture") else 1.0
    for now in (
        built(nesting),
        built(changed(nesting, more=default)),
        built(changed(nesting, more={"name": "constant", "value": default})),
        maskplug.strategy(spec),
    ):
        assert json.loads(specs.to_json(now.spec)) == spec
        assert now.fingerprint == before.fingerprint
    tokens = equal_rows(5, 20)
    masks = [s(tokens, VOCAB, seed=1).inputs.to_lists() for s in (before, maskplug.strategy(spec))]
    assert masks[0] == masks[1]


@pytest.mark.parametrize("nesting", NESTINGS.values(), ids=NESTINGS)
def test_other_values_of_added_option_round_trip(nesting: Any, release: Any) -> None:
    release(New, new_strategy)
    other = built(changed(nesting, more=0.25))
    assert other.fingerprint != built(nesting).fingerprint
    assert '"more":0.25' in specs.to_json(other.spec)
    again = maskplug.strategy(json.loads(specs.to_json(other.spec)))
    assert (again.spec, again.fingerprint) == (other.spec, other.fingerprint)


def test_part_built_directly_has_the_same_spec(release: Any) -> None:
    release(New, new_strategy)
    assert specs.canonical(New()) == {"name": "tests:grown@1", "rate": 0.3}
    assert specs.canonical(New(rows=(1, 2)))["rows"] == [1, 2]
    assert maskplug.compose(New()).fingerprint == built(NESTINGS["part"]).fingerprint
    inner = maskplug.strategy("grown", inner={"name": "exact", "rate": 0.5})
    assert inner.spec["options"]["inner"]["rate"] == 0.5
    assert "inner" not in maskplug.strategy("grown", inner=Exact()).spec["options"]


def test_subclasses_inherit_added_options() -> None:
    @added_later("wide")
    @dataclass(frozen=True)
    class Newer(New):
        wide: bool = False

    assert Newer.added_options == {"rows", "more", "wide"}  # type: ignore[attr-defined]
    assert New.added_options == {"rows", "more"}  # type: ignore[attr-defined]


def test_added_later_requires_a_default() -> None:
    with pytest.raises(PluginError, match=r"marks 'rats' as added later; .* default: rate, more"):
        added_later("rats")(new_strategy)
    with pytest.raises(PluginError, match="marks 'kind' as added later"):
        added_later("kind")(registry().find)


#: What the strategies had before ``mask_special``; checkpoints and manifests hold them.
PINNED = {
    "llada": "d7a07342f7ad4ab0",
    "mdlm": "39db00582dd410fc",
    "block_diffusion": "7bdb12561d43a65b",
}


@pytest.mark.parametrize("name", PINNED)
def test_fingerprints_of_built_ins_are_pinned(name: str) -> None:
    assert maskplug.strategy(name).fingerprint == PINNED[name]
    assert "mask_special" not in maskplug.strategy(name).spec["options"]
    other = maskplug.strategy(name, mask_special=True)
    assert other.fingerprint != PINNED[name]
    assert maskplug.strategy(other.spec).fingerprint == other.fingerprint
    assert "mask_special: bool = False" in succeeded("list", name)


def test_fingerprints_of_nested_built_ins_are_pinned() -> None:
    mixture = maskplug.strategy("mixture", strategies=["llada", "mdlm"])
    assert mixture.fingerprint == "bcb18af09925e4a1"
    noise = maskplug.strategy(
        "compose",
        selector="block_noise",
        target={"name": "weighted_labels", "noise": "block_noise"},
    )
    assert noise.fingerprint == "8dfafb993300257e"
