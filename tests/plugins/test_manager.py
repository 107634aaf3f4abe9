"""Plugins of fake distributions: good, broken, misspelt, conflicting, with damaged metadata."""

from __future__ import annotations

import re
import sys
import threading
import warnings
from pathlib import Path

import pytest

from maskplug.errors import ConflictError, MaskplugWarning, PluginError, UnknownNameError
from maskplug.plugins import manager
from support.fake_plugins import REGISTER, Site

BINARY = b"\xff\xfe\x00maskplug\x80"
HALF = "print(maskplug.strategy('half').label)\n"
WORKS = "print(maskplug.strategy('dynamic').label)\n"
INSTALLED = (
    "from maskplug.plugins import plugins\n"
    "for p in plugins().installed:\n"
    "    if p.distribution.startswith(('good', 'bad')): print(p.label, p.error)\n"
)
LISTED = "from maskplug.cli import main\nmain(['plugins'])\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty folder of distributions, also on the path of this process."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("good", "bad", "one", "two"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return Site(tmp_path)


@pytest.fixture
def good_and_bad(site: Site) -> Site:
    site.install("good")
    site.install("bad", "import nowhere", "0.3")
    return site


def load() -> manager.Plugins:
    return manager.load(*manager.entry_points())


BROKEN = {
    "import": ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    "hook raises": (
        "@maskplug.hookimpl\ndef maskplug_register(register):\n    1 / 0",
        "ZeroDivisionError: division by zero",
    ),
    "misspelt": (
        "@maskplug.hookimpl\ndef maskplug_regster(register): pass",
        "'maskplug_regster' is not a hook; did you mean 'maskplug_register'? Choices: ",
    ),
    "misspelt prefix": (
        "@maskplug.hookimpl\ndef masplug_register(register): pass",
        "'masplug_register' is not a hook; did you mean 'maskplug_register'?",
    ),
    "undecorated": (
        "def maskplug_register(register): pass",
        "'maskplug_register' lacks the decorator @maskplug.hookimpl",
    ),
    "registers twice": (
        REGISTER + "    register('strategy', 'half', half)",
        "registers strategy 'half'@1 twice",
    ),
    "wrong kind": (REGISTER.replace('"strategy"', '"stratgy"'), "did you mean 'strategy'?"),
    "wrong arguments": (
        "@maskplug.hookimpl\ndef maskplug_register(registry): pass",
        "PluginValidationError",
    ),
    "exits": ("import sys; sys.exit()", "SystemExit"),
    "exits in its hook": (
        "@maskplug.hookimpl\ndef maskplug_register(register):\n    raise SystemExit('bye')",
        "SystemExit: bye",
    ),
    "a skip of pytest": (
        "import pytest; pytest.skip('not here', allow_module_level=True)",
        "Skipped: not here",
    ),
    "an exception without text": (
        "class Mute(Exception):\n    def __str__(self): return 1 / 0\nraise Mute",
        "Mute",
    ),
    "asks while loading": ("maskplug.strategy('dynamic')", "PluginError: a plugin built a"),
}


def test_providers_and_failures_are_registered(good_and_bad: Site) -> None:
    good_and_bad.install("one")
    with pytest.warns(MaskplugWarning, match="bad 0.3"):
        registry = load().registry
    with pytest.raises(ConflictError, match="use 'good:half' or 'one:half'"):
        registry.find("strategy", "half")
    reason = r"bad 0\.3, which may provide it, failed to load \(ModuleNotFoundError: .* 'nowhere'"
    with pytest.raises(UnknownNameError, match=reason):
        registry.find("strategy", "quarter")


@pytest.mark.parametrize("content", [None, BINARY], ids=["import fails", "unreadable"])
def test_strict_plugins_raise(
    good_and_bad: Site, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = r"maskplug plugin bad 0.3 \(entry point 'bad'\) failed to load: ModuleNotFoundError"
    if content is not None:
        damage(good_and_bad, "entry_points.txt", content)
        message = "the entry points of bad 0.3 cannot be read: UnicodeDecodeError"
    monkeypatch.setenv("MASKPLUG_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=message) as caught:
        load()
    assert isinstance(caught.value.__cause__, ModuleNotFoundError | UnicodeDecodeError)
    monkeypatch.setenv("MASKPLUG_STRICT_PLUGINS", "0")
    with pytest.warns(MaskplugWarning, match=message) as warned:
        load()
    assert len(warned) == 1
    monkeypatch.setenv("MASKPLUG_LOAD_PLUGINS", "good")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load()


def test_broken_plugins_are_reported_and_skipped(site: Site) -> None:
    names = [f"bad{number}" for number in range(len(BROKEN))]
    for name, (source, _) in zip(names, BROKEN.values(), strict=True):
        site.install(name, source, "0.3")
    site.install("good")
    done = site.run(WORKS + HALF + INSTALLED + LISTED, COLUMNS="200")
    assert done.stdout.startswith("dynamic@1\ngood:half@1\n"), done.stderr
    assert "good 1.2 None" in done.stdout
    assert "left out: ZeroDivisionError: division by zero" in done.stdout
    for name, (_, reason) in zip(names, BROKEN.values(), strict=True):
        shown = f"^{name} 0.3 .*{re.escape(reason)}"
        assert re.search(shown, done.stdout, re.M), (name, done.stdout)
        warning = f"maskplug plugin {name} 0.3 (entry point '{name}') failed to load: "
        assert done.stderr.count(warning) == 1
        assert reason in done.stderr.split(warning)[1].splitlines()[0]


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("one", ["one"]),
        ("two, other", ["two"]),
        ("one,two", ["one", "two"]),
        ("", []),
        ("other", []),
    ],
)
def test_loading_can_be_limited(
    site: Site, limit: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("one")
    site.install("two")
    monkeypatch.setenv("MASKPLUG_LOAD_PLUGINS", limit)
    assert [plugin.name for plugin in load().installed] == names


RAISES = """
import numpy as np

@dataclass(frozen=True)
class Fussy(maskplug.Selector):
    def select(self, tokens, vocab, rng):
        if 9 in tokens.ids:
            raise KeyError("nine")
        return maskplug.units(tokens, vocab)

def fussy(rate: float = 0.5) -> maskplug.Strategy:
    return maskplug.compose(Fussy())

@maskplug.hookimpl
def maskplug_register(register):
    register("selector", "fussy", Fussy)
    register("strategy", "fussy", fussy)
"""
FUSSY = """
from support.batches import VOCAB, batch
tokens = batch([[5, 6], [8, 9, 3], [9]], keys=[70, 71, 72])
maskplug.strategy("bad:fussy")(tokens, VOCAB, seed=4, epoch=6)
"""


def test_error_of_a_strategy_is_explained(site: Site) -> None:
    site.install("bad", RAISES)
    site.install("other", RAISES)  # a conflict must not hide the error
    done = site.run(FUSSY)
    assert "StrategyError: strategy 'bad:fussy@1' raised KeyError: 'nine'" in done.stderr
    assert "sample key 71, t = 6" in done.stderr
    command = done.stderr.split("reproduce it with: ")[1].strip()
    assert command == (
        "maskplug show --strategy bad:fussy@1 --options '{\"rate\":0.5}' --seed 4 --epoch 6 "
        "--step 0 --progress 0.0 --key 71 --ids '8 9 3'"
    )
    assert "KeyError: 'nine'" in done.stderr.split("direct cause")[0]


def test_plugins_are_loaded_once_by_concurrent_threads() -> None:
    manager._load_once.cache_clear()
    seen: list[object] = []
    threads = [threading.Thread(target=lambda: seen.append(manager.plugins())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(map(id, seen))) == 1


def test_failure_of_a_second_entry_point_keeps_the_first(site: Site) -> None:
    site.install("good")
    site.install("more", REGISTER.replace('"half"', '"more"') + REGISTER[REGISTER.index("    ") :])
    info = site.folder / "good-1.2.dist-info" / "entry_points.txt"
    info.write_text("[maskplug]\ngood = good\nmore = more\n")
    (site.folder / "more-1.2.dist-info" / "entry_points.txt").unlink()
    done = site.run(HALF + "maskplug.strategy('more')")
    assert "good registers strategy 'half'@1 twice" in done.stderr
    assert done.stdout == "good:half@1\n"
    assert "UnknownNameError: unknown strategy 'more'" in done.stderr


UNREADABLE = {"binary": BINARY, "a line without '='": b"[maskplug]\nbad\n"}
METADATA = {"missing": None, "empty": b"", "binary": BINARY, "no name": b"Version: 1\n"}


def damage(site: Site, name: str, content: bytes | None) -> Path:
    file = site.folder / "bad-0.3.dist-info" / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    return file.parent


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_entry_points_are_named(good_and_bad: Site, content: bytes) -> None:
    damage(good_and_bad, "entry_points.txt", content)
    provided, unreadable = manager.entry_points()
    assert ("good", "1.2") in {one[1:] for one in provided}
    assert [one[:2] for one in unreadable] == [("bad", "0.3")]


@pytest.mark.parametrize("content", METADATA.values(), ids=METADATA)
def test_path_replaces_a_missing_name(good_and_bad: Site, content: bytes | None) -> None:
    folder = damage(good_and_bad, "METADATA", content)
    provided, unreadable = manager.entry_points()
    assert unreadable == []
    names = {one.entry_point.name: one[1:] for one in provided}
    assert names["good"] == ("good", "1.2")
    assert names["bad"][0] == str(folder)


def test_damaged_metadata_and_entry_points(good_and_bad: Site) -> None:
    damage(good_and_bad, "METADATA", BINARY)
    folder = damage(good_and_bad, "entry_points.txt", BINARY)
    assert [one[:2] for one in manager.entry_points()[1]] == [(str(folder), "(no version)")]
