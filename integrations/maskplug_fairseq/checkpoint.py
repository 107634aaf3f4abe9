"""What a checkpoint remembers of its masks, and the check of a run that resumes it."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from typing import Any

from maskplug import Strategy
from maskplug.checkpoint import compare
from maskplug.spec import to_json

logger = logging.getLogger(__name__)

#: How a user resumes a checkpoint of other masks.
OVERRIDE = "--masking-allow-other-spec"
#: What only some records of a task hold.
OPTIONAL = ("sentinels",)


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


def check(saved: Any, own: Mapping[str, Any], allow: bool) -> None:
    """Refuse to resume under other masks, unless that is allowed.

    Args:
        saved: what the checkpoint holds, of any type; None where it holds nothing.
        own: the record of this run.
        allow: whether other masks are allowed.

    Raises:
        SpecMismatchError: naming the masks of the checkpoint and those of this run.
    """
    warning = compare(
        saved,
        own,
        _flags,
        checkpoint="the checkpoint",
        allow=allow,
        override=OVERRIDE,
        optional=OPTIONAL,
    )
    if warning:
        logger.warning(warning)


def _flags(saved: Mapping[str, Any]) -> str:
    named = {"strategy": "plugin", "options": "args"}
    flags = " ".join(
        f"--masking-{named.get(name, name)} {shlex.quote(str(value))}"
        for name, value in saved.items()
        if name not in ("fingerprint", "symbols")
    )
    return f"{flags} (fingerprint {saved['fingerprint']}, mask symbol {saved['symbols']})"
