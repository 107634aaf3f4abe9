"""Plugins on fake installed distributions: good, broken, misspelt, conflicting, observing."""

from __future__ import annotations

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
    "    if p.distribution in {'good', 'bad'}: print(p.label, p.error)\n"
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
        "bad registers strategy 'half'@1 twice",
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
broken = pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)


@broken
def test_broken_plugin_is_reported_and_skipped(site: Site, source: str, reason: str) -> None:
    site.install("bad", source, "0.3")
    site.install("good")
    done = site.run(WORKS + HALF + FOUND)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dynamic@1\ngood:half@1\nbad 0.3 ")
    assert reason in done.stdout
    assert done.stderr.count("maskplug plugin bad 0.3 (entry point 'bad') failed to load") == 1
    assert reason in done.stderr


def test_strict_plugins_raise(site: Site) -> None:
    site.install("bad", "import nowhere", "0.3")
    done = site.run(WORKS, MASKPLUG_STRICT_PLUGINS="1")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
    said = "PluginError: maskplug plugin bad 0.3 (entry point 'bad') failed to load: ModuleNotFound"
    assert said in done.stderr
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
    ("limit", "printed"),
    [("one", "one"), ("two, other", "two"), ("one,two", "one two"), ("", ""), ("other", "")],
)
def test_loading_can_be_limited(site: Site, limit: str, printed: str) -> None:
    site.install("one")
    site.install("two")
    code = "from maskplug.plugins import plugins\nprint(*[p.name for p in plugins().found])"
    done = site.run(code, MASKPLUG_LOAD_PLUGINS=limit)
    assert done.stdout == printed + "\n", done.stderr


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
