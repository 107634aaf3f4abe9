"""Every promise of maskplug as a test of this plugin's strategy; copy this file to your own."""

import maskplug
from maskplug.testing import parametrize_with_checks


# By name, with the default options, and with options. What 'periodic' is right not to pass stands
# at its factory, with the reason (@known_exceptions): pytest reports it as an expected failure.
@parametrize_with_checks(["periodic", maskplug.strategy("periodic", period=3, clock="never")])
def test_it_keeps_the_promises(subject, check):
    check(subject)
