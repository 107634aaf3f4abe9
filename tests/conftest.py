"""Makes the helpers beside this file importable: ``batches`` and ``reference``."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# The same inputs in every run, and no deadline: the first call of a kernel compiles it.
settings.register_profile("maskplug", deadline=None, derandomize=True, max_examples=20)
settings.load_profile("maskplug")
