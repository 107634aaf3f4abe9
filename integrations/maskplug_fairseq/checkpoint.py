"""What a checkpoint remembers of its masks, and the check of a run that resumes it."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from typing import Any

from maskplug import Strategy
from maskplug.errors import SpecMismatchError
from maskplug.spec import to_json

logger = logging.getLogger(__name__)


def record(strategy: Strategy, seed: int, symbols: list[str], **more: str | int) -> dict[str, Any]:
    """Everything that decides the masks of a sample at a time, as plain values.

    Args:
        strategy: what masks.
        seed: the masks' seed.
        symbols: the mask symbol of each dictionary that is used.
        more: further options of the task, by the names that they have behind ``--masking-``.
    """
    return {
        "strategy": strategy.label,
        "options": to_json(strategy.spec["options"]),
        "fingerprint": strategy.fingerprint,
        "seed": seed,
        **more,
        "symbols": " / ".join(symbols),
    }


def check(saved: Mapping[str, Any], own: Mapping[str, Any], allow: bool) -> None:
    """Refuse to resume under other masks, unless that is allowed.

    Raises:
        SpecMismatchError: naming the masks of the checkpoint and those of this run.
    """
    if dict(saved) == dict(own):
        return
    differences = ", ".join(name for name in {**own, **saved} if saved.get(name) != own.get(name))
    message = (
        f"the checkpoint was trained with other masks than this run asks for (other: "
        f"{differences})\n  checkpoint: {_flags(saved)}\n  this run:   {_flags(own)}\n"
    )
    if not allow:
        raise SpecMismatchError(
            f"{message}Repeat the checkpoint's options, start in another --save-dir, or go on "
            "with the new masks: --masking-allow-other-spec"
        )
    logger.warning("%sGoing on, by --masking-allow-other-spec.", message)


def _flags(saved: Mapping[str, Any]) -> str:
    named = {"strategy": "plugin", "options": "args"}
    given = " ".join(
        f"--masking-{named.get(name, name)} {shlex.quote(str(value))}"
        for name, value in saved.items()
        if name not in ("fingerprint", "symbols")
    )
    return f"{given} (fingerprint {saved.get('fingerprint')}, mask symbol {saved.get('symbols')})"
