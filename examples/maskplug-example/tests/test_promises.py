"""Every promise of maskplug as a test of what this plugin adds; copy this file to your own."""

import maskplug
from maskplug.testing import parametrize_with_checks, parametrize_with_pattern_checks


# By name, with the default options, and with options. What 'periodic' is right not to pass stands
# at its factory, with the reason (@known_exceptions): pytest reports it as an expected failure.
@parametrize_with_checks(["periodic", maskplug.strategy("periodic", period=3, clock="never")])
def test_it_keeps_the_promises(subject, check):
    check(subject)


# By name or as expressions. If your pattern reads a layer for which small integers will not do,
# give layers=…, which makes it for one sample.
@parametrize_with_pattern_checks(["log_sparse", "log_sparse:base=3 & document | sink:n=1"])
def test_the_pattern_keeps_them_too(subject, check):
    check(subject)
