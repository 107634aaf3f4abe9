"""Patterns as text: parsing, writing, and error messages."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import maskplug
from maskplug.attention import (
    Aligned,
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
        ("(window:left=1) & sink", And((Window(1), Sink()))),
        ("(causal & document) & padding", And((And((Causal(), Document())), Padding()))),
        ("causal & (document & padding)", And((Causal(), And((Document(), Padding()))))),
        ("and(patterns=[causal, document])", And((Causal(), Document()))),
        ("not:pattern=causal", Not(Causal())),
        ("alternating([full & causal])", Alternating((And((Full(), Causal())),))),
        ("aligned(fallback='nearest')", Aligned(fallback="nearest")),
        ("\u3000window:left=3,", Window(3)),
    ],
)
def test_expressions(text: str, wanted: maskplug.Pattern) -> None:
    result = maskplug.pattern(text)
    assert result == wanted
    assert maskplug.pattern(str(result)) == result
    assert maskplug.pattern(result.spec) == result


def test_python_operators_match_expressions() -> None:
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
        ("", "cannot be read at its end: a name was expected"),
        ("window:left=", "cannot be read at its end: invalid syntax"),
        ("window:left", "at 'left' at column 8: an option such as left=4 was expected"),
        ("window:left=4 right=3", "at '4 right=3' at column 13: invalid syntax"),
        ("window(left=4", "at '(left=4' at column 7: '(' was never closed"),
        ("window(left=4, 3)", "positional argument follows keyword argument"),
        ("window(1, 2, 3)", "at '3)' at column 14: window has no more options"),
        ("window:left=[1,", "at '[1,' at column 13: '[' was never closed"),
        ("alternating([full", "at '[full' at column 13"),
        ("alternating([full causal])", "at 'full causal])' at column 14"),
        ("causal &", "cannot be read at its end: invalid syntax"),
        ("causal && document", "at '& document' at column 9: invalid syntax"),
        ("(causal", "at '(causal' at column 1: '(' was never closed"),
        ("causal)", "at ')' at column 7: unmatched ')'"),
        ("(window:left=1 & sink) | 3 & causal", "at '3 & causal' at column 26: a name was"),
        ("window:left=4,left=5", "gives the option 'left' twice"),
        ("windw:left=4", "unknown pattern 'windw'; did you mean 'window'?"),
        ("window:lft=4", "pattern 'window@1' has no option 'lft'; did you mean 'left'?"),
        ("window:left=linea(1,2)", "unknown schedule 'linea'; did you mean 'linear'?"),
        ("causal@2", "pattern 'causal' has no version 2; there is: causal@1"),
        ("causal & nothing", "unknown pattern 'nothing'"),
        (" & ".join(["causal"] * 257), "joins more than 256 patterns with '&'"),
        ("(" * 51 + "causal" + ")" * 51, "nested more than 50 deep"),
        ("~" * 51 + "causal", "nested more than 50 deep"),
        ("window:left=" + "9" * 5000, "a number has too many digits"),
        ("window:left=1e400", "at '1e400' at column 13: neither a string nor a finite number"),
        ("window：left=4", "at '：left=4' at column 7: invalid character"),
        ("window（left=4）", "at '（left=4）' at column 7: invalid character"),
        ("ｗindow:left=4", "at 'ｗindow:left=4' at column 1: a name was expected"),
        ("窗 & causal", "at '窗 & causal' at column 1: a name was expected"),
        ("window(left=３)", "at '３)' at column 13: invalid character"),
        ('alternating(["猫", 4, full])', "4"),
        ("causal\0", "cannot be read"),
        ("\udcff", "cannot be read"),
        ("causal # & document", "at '# & document' at column 8"),
        ("__import__('os')", "unknown pattern '__import__'"),
        ("(lambda: full)()", "at ': full)()' at column 8"),
        ("[full][0]", "at '[full][0]' at column 1: a name was expected"),
        ("full if causal else full", "at 'if causal else full' at column 6"),
        ("full < causal", "a name was expected"),
        ("window(**{})", "at '**{})' at column 8"),
        ("window(left=-causal)", "at '-causal)' at column 13: '-' is for numbers"),
        ('f"causal"', "invalid syntax"),
        ("sink(n={1: 2})", "a key in quotes was expected"),
        ('aligned(fallback="\\q")', "not a string of JSON"),
    ],
)
def test_errors_point_at_the_position(text: str, message: str) -> None:
    with pytest.raises(maskplug.MaskplugError, match=re.escape(message)):
        maskplug.pattern(text)


def test_older_versions_are_written_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = replace(registry().find("pattern", "causal"), version=2, factory=Full)
    monkeypatch.setattr(registry(), "entries", [*registry().entries, newer])
    assert str(Causal() & Document()) == "causal@1 & document"
    assert maskplug.pattern("causal@1") == Causal()
    assert maskplug.pattern("causal") == Full()


def test_unregistered_patterns_have_a_text() -> None:
    class Own(Causal):
        pass

    assert "Own" in str(Own())
    with pytest.raises(maskplug.MaskplugError, match="Own is not registered as a pattern"):
        Own().spec  # noqa: B018


def test_patterns_combine_only_with_patterns() -> None:
    with pytest.raises(maskplug.OptionError, match="combined with patterns, not with 'causal'"):
        maskplug.pattern("causal") & "causal"  # type: ignore[operator]


def test_options_need_a_name() -> None:
    with pytest.raises(maskplug.OptionError, match="together with the built"):
        maskplug.pattern(Causal(), left=3)
