"""Plugins of fake distributions: good, broken, misspelt, conflicting, with damaged metadata."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from maskplug.plugins import manager
from support.fake_plugins import REGISTER, Site

HALF = "print(maskplug.strategy('half').label)\n"
WORKS = "print(maskplug.strategy('dynamic').label)\n"
FOUND = (
    "from maskplug.plugins import plugins\n"
    "for p in plugins().found:\n"
    "    if p.distribution.startswith(('good', 'bad')): print(p.label, p.error)\n"
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_valid_plugin_is_loaded(site: Site) -> None:
    site.install("good")
    done = site.run(HALF + FOUND)
    assert done.stdout == "good:half@1\ngood 1.2 None\n"
    assert done.stderr == ""


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


def test_broken_plugins_are_reported_and_skipped(site: Site) -> None:
    names = [f"bad{number}" for number in range(len(BROKEN))]
    for name, (source, _) in zip(names, BROKEN.values(), strict=True):
        site.install(name, source, "0.3")
    site.install("good")
    done = site.run(WORKS + HALF + FOUND)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dynamic@1\ngood:half@1\n")
    for name, (_, reason) in zip(names, BROKEN.values(), strict=True):
        shown = f"^{name} 0.3 .*{re.escape(reason)}"
        assert re.search(shown, done.stdout, re.M), (name, done.stdout)
        warning = f"maskplug plugin {name} 0.3 (entry point '{name}') failed to load: "
        assert done.stderr.count(warning) == 1
        assert reason in done.stderr.split(warning)[1].splitlines()[0]


def test_strict_plugins_raise(site: Site) -> None:
    site.install("bad", "import nowhere", "0.3")
    done = site.run(WORKS, MASKPLUG_STRICT_PLUGINS="1")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
    message = (
        "PluginError: maskplug plugin bad 0.3 (entry point 'bad') failed to load: ModuleNotFound"
    )
    assert message in done.stderr
    assert site.run(WORKS, MASKPLUG_STRICT_PLUGINS="0").returncode == 0


def test_unknown_name_mentions_failed_plugins(site: Site) -> None:
    site.install("bad", "import nowhere", "0.3")
    done = site.run(HALF)
    message = done.stderr.splitlines()[-1]
    assert "UnknownNameError: unknown strategy 'half'" in message
    assert "; the plugin bad 0.3, which may provide it, failed to load (ModuleNotF" in message
    assert message.endswith("No module named 'nowhere'): fix or uninstall it")


def test_conflict_names_both_providers_and_a_prefix_selects_one(site: Site) -> None:
    site.install("one")
    site.install("two")
    done = site.run(HALF)
    assert "ConflictError: strategy 'half' has several providers" in done.stderr
    assert "'one:half' or 'two:half'" in done.stderr
    picked = site.run("print(maskplug.strategy('two:half', rate=0.2).label)\n" + WORKS)
    assert picked.stdout == "two:half@1\ndynamic@1\n"


def test_newer_version_of_a_plugin_does_not_replace_a_built_in(site: Site) -> None:
    site.install("bad", REGISTER.replace('"half", half', '"dynamic", half, version=2'))
    done = site.run(WORKS)
    assert "'bad:dynamic' or 'maskplug:dynamic'" in done.stderr


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
    monkeypatch.syspath_prepend(site.folder)
    monkeypatch.setenv("MASKPLUG_LOAD_PLUGINS", limit)
    loaded = manager.load(*manager.entry_points())
    assert [plugin.name for plugin in loaded.found] == names


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
maskplug.strategy("{name}")(tokens, VOCAB, seed=4, epoch=6)
"""


@pytest.mark.parametrize("name", ["fussy", "bad:fussy"])
def test_error_of_a_strategy_is_explained(site: Site, name: str) -> None:
    site.install("bad", RAISES)
    if ":" in name:
        site.install("other", RAISES)  # a conflict must not hide the error
    done = site.run(FUSSY.format(name=name))
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


BINARY = b"\xff\xfe\x00maskplug\x80"
UNREADABLE = {"binary": BINARY, "a line without '='": b"[maskplug]\nbad\n"}
METADATA = {"missing": None, "empty": b"", "binary": BINARY, "no name": b"Version: 1\n"}


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.syspath_prepend(tmp_path)
    site = Site(tmp_path)
    site.install("good")
    site.install("bad", REGISTER, "0.3")
    return site


def damage(site: Site, name: str, content: bytes | None) -> Path:
    file = site.folder / "bad-0.3.dist-info" / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    return file.parent


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_entry_points_are_named(damaged: Site, content: bytes) -> None:
    damage(damaged, "entry_points.txt", content)
    provided, unreadable = manager.entry_points()
    assert ("good", "1.2") in {one[1:] for one in provided}
    assert [one[:2] for one in unreadable] == [("bad", "0.3")]


@pytest.mark.parametrize("content", METADATA.values(), ids=METADATA)
def test_path_replaces_a_missing_name(damaged: Site, content: bytes | None) -> None:
    folder = damage(damaged, "METADATA", content)
    provided, unreadable = manager.entry_points()
    assert unreadable == []
    names = {one.entry_point.name: one[1:] for one in provided}
    assert names["good"] == ("good", "1.2")
    assert names["bad"][0] == str(folder)


def test_damaged_metadata_and_entry_points(damaged: Site) -> None:
    damage(damaged, "METADATA", BINARY)
    folder = damage(damaged, "entry_points.txt", BINARY)
    assert [one[:2] for one in manager.entry_points()[1]] == [(str(folder), "(no version)")]


def test_unreadable_distribution_is_reported_once(damaged: Site) -> None:
    damage(damaged, "entry_points.txt", BINARY)
    code = "print(maskplug.strategy('half').label, maskplug.strategy('dynamic').label)\n"
    done = damaged.run(code)
    assert done.stdout == "good:half@1 dynamic@1\n"
    assert done.stderr.count("the entry points of bad 0.3 cannot be read: UnicodeDecodeError") == 1
    assert damaged.run(code, MASKPLUG_LOAD_PLUGINS="good").stderr == ""
    strict = damaged.run(code, MASKPLUG_STRICT_PLUGINS="1")
    assert strict.returncode == 1
    assert "PluginError: the entry points of bad 0.3 cannot be read" in strict.stderr
    listed = damaged.run("from maskplug.cli import main; main(['plugins'])", COLUMNS="200")
    assert "left out: UnicodeDecodeError" in listed.stdout
