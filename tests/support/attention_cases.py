"""All cases of all patterns."""

from __future__ import annotations

from support import cases_basic, cases_cross, cases_draws, cases_index
from support.scenes import Case

CASES: list[Case] = [*cases_basic.CASES, *cases_draws.CASES, *cases_index.CASES, *cases_cross.CASES]
IDS = [case.text for case in CASES]
