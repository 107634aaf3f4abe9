"""Conformance checks of this plugin's strategy and pattern; copy this file to your plugin."""

import maskplug
from maskplug.testing import parametrize_with_checks, parametrize_with_pattern_checks


# By name with default options, and with options. The check that 'periodic' rightly fails is
# declared at its factory with @known_exceptions: pytest reports it as an expected failure.
@parametrize_with_checks(["periodic", maskplug.strategy("periodic", period=3, clock="never")])
def test_strategy(subject, check):
    check(subject)


# By name or as expressions. If your pattern requires annotations that small integers do not suit,
# pass annotations=…, a function that returns them for one sample.
@parametrize_with_pattern_checks(["log_sparse", "log_sparse(base=3) & document | sink(n=1)"])
def test_pattern(subject, check):
    check(subject)
