"""Patterns as text: what is read, and what is said of what cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

import maskplug
from maskplug.attention import (
    Alternating,
    And,
    Causal,
    Document,
    Full,
    GlobalTokens,
    Not,
    Or,
    Padding,
    Sink,
    Window,
)
from maskplug.plugins import registry
from maskplug.schedule import Linear


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("causal", Causal()),
        ("  causal@1 ", Causal()),
        ("maskplug:causal", Causal()),
        ("maskplug:window@1:left=3", Window(3)),
        ("window:left=3", Window(3)),
        ("window: left = 3 , right = null", Window(3, None)),
        ("window(3)", Window(3)),
        ("window(3, 4)", Window(3, 4)),
        ("window(3, right=4)", Window(3, 4)),
        ("window(right=4, left=3)", Window(3, 4)),
        ("window(left=linear(64, 512))", Window(Linear(64.0, 512.0))),
        ("window:left=linear(start=64, end=512),right=2", Window(Linear(64.0, 512.0), 2)),
        ('window:left={"name": "linear", "start": 64, "end": 512}', Window(Linear(64.0, 512.0))),
        ("full()", Full()),
        ("(causal)", Causal()),
        ("~causal", Not(Causal())),
        ("~~causal", Not(Not(Causal()))),
        ("causal & document", And((Causal(), Document()))),
        ("causal & document & padding", And((Causal(), Document(), Padding()))),
        ("causal | document & ~sink", Or((Causal(), And((Document(), Not(Sink())))))),
        ("(causal | document) & ~sink(2)", And((Or((Causal(), Document())), Not(Sink(2))))),
        ("alternating([full, window(3)])", Alternating((Full(), Window(3)))),
        ("alternating:patterns=[causal, ~causal]", Alternating((Causal(), Not(Causal())))),
        ('alternating:patterns=["full & causal"]', Alternating((And((Full(), Causal())),))),
        (
            "alternating([(full & causal)]) | full",
            Or((Alternating((And((Full(), Causal())),)), Full())),
        ),
        ("global_tokens:positions=[0, -1]", GlobalTokens((0, -1))),
        ("window:left=1 & sink:n=2 | full", Or((And((Window(1), Sink(2))), Full()))),
    ],
)
def test_expressions(text: str, wanted: maskplug.Pattern) -> None:
    made = maskplug.pattern(text)
    assert made == wanted
    assert maskplug.pattern(str(made)) == made
    assert maskplug.pattern(made.spec) == made


def test_operators_of_python_make_the_same() -> None:
    a, b, c = (maskplug.pattern(name) for name in ("causal", "document", "padding"))
    assert a & b & c == And((a, b, c))
    assert a & (b & c) == And((a, b, c))
    assert a | b | c == Or((a, b, c))
    assert ~a == Not(a)
    assert ~~a == a
    assert str(~(a | b) & c) == "~(causal | document) & padding"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a name was expected, not its end"),
        ("window:left=", "a name was expected, not its end"),
        ("window:left", "an option such as left=4 was expected, not 'left' at column 8"),
        ("window:left=4,", "an option such as left=4 was expected, not its end"),
        ("window:left=4 right=3", "'&', '|' or the end was expected, not 'right=3' at column 15"),
        ("window(left=4", "')' was expected, not its end"),
        ("window(left=4, 3)", "an option such as left=4 was expected, not '3)'"),
        ("window(1, 2, 3)", "')' was expected, not '3)'"),
        ("window:left=[1,", "a name was expected, not its end"),
        ("alternating([full", "']' was expected, not its end"),
        ("alternating([full causal])", "']' was expected, not 'causal])'"),
        ("causal &", "a name was expected, not its end"),
        ("causal && document", "a name was expected, not '& document' at column 9"),
        ("(causal", "')' was expected, not its end"),
        ("causal)", "'&', '|' or the end was expected"),
        ("window:left=4,left=5", "gives the option 'left' twice"),
        ("windw:left=4", "unknown pattern 'windw'; did you mean 'window'?"),
        ("window:lft=4", "pattern 'window@1' has no option 'lft'; did you mean 'left'?"),
        ("window:left=linea(1,2)", "unknown schedule 'linea'; did you mean 'linear'?"),
        ("causal@2", "pattern 'causal' has no version 2; there is: causal@1"),
        ("__import__('os')", "'__import__'|a value|a name"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(maskplug.MaskplugError) as caught:
        maskplug.pattern(text)
    assert any(part in str(caught.value) for part in message.split("|")), str(caught.value)


def test_an_older_version_is_written_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = replace(registry().find("pattern", "causal"), version=2, factory=Full)
    monkeypatch.setattr(registry(), "entries", [*registry().entries, newer])
    assert str(Causal() & Document()) == "causal@1 & document"
    assert maskplug.pattern("causal@1") == Causal()
    assert maskplug.pattern("causal") == Full()


def test_an_unknown_name_among_others_is_named() -> None:
    with pytest.raises(maskplug.MaskplugError, match="unknown pattern 'nothing'"):
        maskplug.pattern("causal & nothing")


def test_a_pattern_without_a_name_is_still_shown() -> None:
    class Own(Causal):
        pass

    assert "Own" in str(Own())
    with pytest.raises(maskplug.MaskplugError, match="Own is not registered as a pattern"):
        Own().spec  # noqa: B018


def test_patterns_are_joined_with_patterns_only() -> None:
    with pytest.raises(maskplug.OptionError, match="joined with patterns, not with 'causal'"):
        maskplug.pattern("causal") & "causal"  # type: ignore[operator]


def test_options_come_with_names_only() -> None:
    with pytest.raises(maskplug.OptionError, match="together with the built"):
        maskplug.pattern(Causal(), left=3)
