"""[distribution:]name[@version]."""

from __future__ import annotations

from typing import Any

import pytest

from maskplug.errors import ConflictError, PluginError, UnknownNameError
from maskplug.plugins import registry
from maskplug.registry import Entry, Registry


def entry(name: str, version: Any = 1, provider: str = "alpha", kind: str = "clock") -> Entry:
    return Entry(kind, name, version, lambda: None, provider)


def filled(*entries: Entry) -> Registry:
    registry = Registry()
    for one in entries:
        registry.add(one)
    return registry


def test_newest_version_is_the_default() -> None:
    both = filled(entry("tick"), entry("tick", 10), entry("tick", 9))
    assert both.find("clock", "tick").version == 10
    assert both.find("clock", "tick@1").version == 1
    assert both.find("clock", "alpha:tick@9").label == "tick@9"


@pytest.mark.parametrize("text", ["tick@2", "alpha:tick@2"])
def test_unknown_version_is_refused(text: str) -> None:
    with pytest.raises(UnknownNameError, match="'tick' has no version 2; there is: tick@1, tick@3"):
        filled(entry("tick"), entry("tick", 3)).find("clock", text)


def test_two_providers_of_one_name_conflict() -> None:
    both = filled(entry("tick"), entry("tick", provider="beta"), entry("tock"))
    with pytest.raises(ConflictError, match="use 'alpha:tick' or 'beta:tick'"):
        both.find("clock", "tick")
    assert both.find("clock", "beta:tick").provider == "beta"
    assert both.find("clock", "tock").provider == "alpha"


def test_newer_version_of_another_provider_conflicts() -> None:
    both = filled(entry("tick", provider="maskplug"), entry("tick", 2, provider="beta"))
    with pytest.raises(ConflictError, match="'beta:tick' or 'maskplug:tick'"):
        both.find("clock", "tick")


def test_pinned_name_without_distribution_is_the_built_in() -> None:
    both = filled(entry("tick", provider="beta"), entry("tick", provider="maskplug"))
    assert both.find("clock", "tick@1").provider == "maskplug"
    assert both.find("clock", "beta:tick@1").pinned == "beta:tick@1"
    with pytest.raises(ConflictError):
        both.find("clock", "tick")


def test_same_name_of_another_kind_is_no_conflict() -> None:
    both = filled(entry("tick"), entry("tick", provider="beta", kind="selector"))
    assert both.find("clock", "tick").provider == "alpha"


@pytest.mark.parametrize("text", ["", "a:b:c", "x@", "x@one", "@1", ":x", 7, None])
def test_malformed_names_are_refused(text: Any) -> None:
    with pytest.raises(UnknownNameError, match="a name looks like 'span' or 'span@1'"):
        Registry().find("clock", text)


def test_unknown_names_suggest_and_name_failed_plugins() -> None:
    ticks = filled(entry("tick"), entry("toc", kind="selector"))
    ticks.failures["broken 2.0"] = "ImportError: no module"
    with pytest.raises(UnknownNameError) as caught:
        ticks.find("clock", "tik")
    text = str(caught.value)
    assert "unknown clock 'tik'; did you mean 'tick'? Choices: tick" in text
    assert "the plugin broken 2.0, which may provide it, failed to load" in text
    assert "(ImportError: no module)" in text


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (entry("x", kind="clok"), r"alpha registers clok 'x': no such kind; did you mean 'clock'"),
        (entry("a:b"), "names contain no ':', '@' or whitespace"),
        (entry("a b"), "names contain no"),
        (entry(""), "names contain no"),
        (entry("x", 1.0), "version 1.0: versions are integers"),
        (entry("x", True), "version True"),
        (entry("x", 0), "version 0: versions are integers from 1"),
        (Entry("clock", "x", 1, 7, "alpha"), "7 cannot be called"),  # type: ignore[arg-type]
    ],
    # Not by their text, which holds addresses: every process must name a test alike.
    ids=["kind", "colon", "blank", "empty", "float", "bool", "zero", "factory"],
)
def test_invalid_entries_are_refused(bad: Entry, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        Registry().add(bad)


def test_duplicate_registration_is_refused() -> None:
    with pytest.raises(PluginError, match="alpha registers clock 'tick'@1 twice"):
        filled(entry("tick"), entry("tick"))


def test_built_ins_have_a_summary_and_their_provider() -> None:
    built_ins = [one for one in registry().entries if one.provider == "maskplug"]
    assert {"none", "static", "dynamic", "whole_word", "span", "word_dropout", "compose"} <= {
        one.name for one in built_ins if one.kind == "strategy"
    }
    assert all(one.summary for one in built_ins)
