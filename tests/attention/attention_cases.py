"""All cases of all patterns."""

from __future__ import annotations

import cases_basic
import cases_cross
import cases_draws
import cases_index
from scenes import Case

CASES: list[Case] = [*cases_basic.CASES, *cases_draws.CASES, *cases_index.CASES, *cases_cross.CASES]
IDS = [case.text for case in CASES]
