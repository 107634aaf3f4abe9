"""A plugin that appends every mask to a file; see ``observed``."""

from __future__ import annotations

import json
import os

import maskplug


@maskplug.hookimpl
def maskplug_after_mask(masked: maskplug.Masked, event: maskplug.MaskingEvent) -> None:
    """Write the process, t, keys and masked rows of a batch as a line of JSON."""
    if "none" in event.strategy.label:
        return
    line = {
        "pid": os.getpid(),
        "t": event.rng.t.tolist(),
        "keys": event.tokens.keys.tolist(),
        "rows": masked.inputs.to_lists(),
    }
    with open(os.environ["MASKS"], "a") as out:
        out.write(json.dumps(line) + "\n")
