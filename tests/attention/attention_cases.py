"""All cases of all patterns."""

from __future__ import annotations

import cases_basic
from scenes import Case

CASES: list[Case] = [*cases_basic.CASES]
IDS = [case.text for case in CASES]
