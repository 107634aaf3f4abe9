"""For every check of strategies, broken strategies and the messages that they cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import maskplug
from maskplug.parts import Clock, Replacement, Selector, Target
from maskplug.replacements import Delete, Mix
from maskplug.selectors import Exact, Independent, Spans
from maskplug.strategies.composed import Composed
from maskplug.strategy import Strategy
from maskplug.targets import Labels, Original
from support import broken_parts as parts
from support.broken_parts import Building, Drawing, Replacing, Selecting
from support.synthetic import BehindSentinels, Gaps, Sentinel

EPOCH = maskplug.part("clock", "epoch")
DYNAMIC = maskplug.strategy("dynamic").spec["options"]


@dataclass(frozen=True)
class Broken:
    """A strategy with a defect.

    Attributes:
        make: builds it, once the ``FACTORIES`` are registered.
        message: regular expression for the message of the check.
    """

    make: Callable[[], Strategy]
    message: str


def loose(amount=0.5) -> Strategy:  # type: ignore[no-untyped-def]
    """Accept any option, since it has no annotation."""
    return maskplug.strategy("dynamic")


#: Registered as strategies of a distribution "broken" while the examples run.
FACTORIES = {"loose": loose}


def of(
    selector: Selector | None = None,
    replacement: Replacement | None = None,
    target: Target | None = None,
    clock: Clock = EPOCH,
) -> Strategy:
    """Return a strategy of these parts and sound ones."""
    return Composed(selector or Exact(0.3), replacement or Mix(), target or Labels(), clock)


def case(message: str, *positional: object, **named: object) -> Broken:
    return Broken(lambda: of(*positional, **named), message)  # type: ignore[arg-type]


def named(label: str, strategy: Strategy, **options: object) -> Strategy:
    return replace(strategy, label=label, options=options)


UNPICKLABLE = Drawing(lambda *arguments: parts.coin(*arguments))
BROKEN: dict[str, list[Broken]] = {
    "check_spec_round_trip": [
        Broken(
            lambda: named("dynamic@1", maskplug.strategy("dynamic", rate=0.5)), "has another spec"
        ),
        case("no spec can be made", Drawing(parts.fresh)),
        Broken(lambda: named("dynamic@1", of(), rate={1, 2}), "not plain JSON"),
        Broken(lambda: named("ghost@1", of()), "nothing is registered"),
        Broken(lambda: named("dynamic@1", of(Spans()), **DYNAMIC), "gives another result"),
    ],
    "check_pickle": [
        case("a pickled copy gives another result", parts.Forgetful(parts.by_position)),
        case("cannot be pickled", UNPICKLABLE),
    ],
    "check_same_call_same_mask": [case("the second call", Drawing(parts.fresh))],
    "check_global_generators_stay": [case("generator of numpy", Drawing(parts.global_draws))],
    "check_global_generators_are_not_read": [
        case("seed of a global generator", Drawing(parts.global_state)),
        case("seed of a global generator", Drawing(parts.global_draws)),
    ],
    "check_unknown_option": [Broken(lambda: named("ghost@1", of()), "nothing is registered")],
    "check_wrong_option": [Broken(lambda: maskplug.strategy("loose"), "'amount'.* is accepted")],
    "check_spawned_process": [
        case("cannot be pickled", UNPICKLABLE),
        case("other masks", Drawing(parts.by_process)),
    ],
    "check_repr": [
        Broken(
            lambda: parts.Addressed(Exact(), Mix(), Labels(), EPOCH, label="dynamic@1"),
            "does not name 'dynamic@1'",
        ),
        Broken(lambda: named("dynamic@1", of(), note=str(object())), "an address or a line break"),
    ],
    "check_no_memory_between_calls": [case("after other batches", Drawing(parts.by_last_batch))],
    "check_input_stays": [case("the caller's ids", None, parts.overwriting(restores=False))],
    "check_row_order": [case("in reverse order", Drawing(parts.stream_of_first))],
    "check_subset": [case("in another batch", Drawing(parts.by_batch_size))],
    "check_batch_of_one": [case("alone in a batch", Drawing(parts.by_being_alone))],
    "check_times_of_samples": [case("with samples of other epochs", Drawing(parts.time_of_first))],
    "check_padding": [case("padding tokens on the left", Drawing(parts.by_position))],
    "check_dtypes": [case("as uint16", parts.Scored(parts.unsigned))],
    "check_memory_layout": [case("in read-only arrays", None, parts.overwriting(restores=True))],
    "check_workers": [case("with 1 worker", Drawing(parts.by_process))],
    "check_seed_changes_masks": [case("seeds 0 and 1", Drawing(parts.without_seed))],
    "check_key_changes_masks": [case("different keys", parts.truncated_keys(modulus=1))],
    "check_clock_changes_masks": [
        case("though the clock", Drawing(parts.without_time)),
        case("is_static is True, but", clock=parts.TickingStatic()),
    ],
    "check_neighbours_are_uncorrelated": [case("neighbors in the key", parts.truncated_keys(2))],
    "check_keys_do_not_collide": [
        case("share all their masks", parts.truncated_keys(modulus=1 << 16)),
        case("share all their masks", parts.truncated_keys(1 << 8)),
        case("share all their masks", parts.truncated_keys(modulus=1 << 40)),
    ],
    "check_shapes": [case("no sources", None, Replacing(parts.without_sources), Original())],
    "check_annotations": [case("not finite", target=Building(parts.nan_annotation))],
    "check_ids_in_vocabulary": [case("ids range from 0 to 199", None, parts.random_ids(900))],
    "check_selection": [
        Broken(
            lambda: parts.Overlapping(Exact(0.5), Mix(), Labels(), EPOCH),
            "begins before the end of the span before it",
        )
    ],
    "check_specials_are_not_chosen": [
        case("special or protected", Selecting(parts.special_tokens))
    ],
    "check_protected_tokens_are_not_chosen": [
        case("special or protected", Selecting(parts.protected_tokens))
    ],
    "check_specials_are_not_produced": [case("from vocab.ordinary", None, parts.random_ids(0))],
    "check_unchosen_tokens_stay": [
        case("is changed", None, Replacing(parts.masking_next)),
        case("0 times", Exact(0.0), Replacing(parts.dropping), Original()),
    ],
    "check_lengths_within_bounds": [case("the bound is", Gaps(), parts.Growing(), Original())],
    "check_labels": [
        case("not the original", target=parts.FROM_INPUTS),
        case("not chosen has a label", target=parts.EVERYWHERE),
    ],
    "check_something_is_predicted": [
        case("nothing to predict", Independent(always_one=False)),
        case("neither labels nor targets", target=parts.NO_OBJECTIVE),
    ],
    "check_weights": [
        case("a weight is inf", target=parts.weighted(lambda w: np.where(w > 0, np.inf, 0))),
        case("without a label has the weight", target=parts.weighted(lambda w: 1 + w)),
    ],
    "check_sentinels": [
        case("must be the same", Spans(0.5), Sentinel(), parts.Backwards()),
        case(
            "the first of vocab.sentinel_ids",
            Spans(0.5),
            Replacing(parts.rising_sentinels),
            BehindSentinels(),
        ),
    ],
    "check_sentinels_restore_the_original": [
        case("cannot be restored", Spans(0.5), Sentinel(), parts.Shortened())
    ],
    "check_no_samples": [case("without samples", Drawing(parts.needs_rows))],
    "check_empty_rows": [case("empty rows", parts.nth_of_each(0), Delete(), Original())],
    "check_one_token_rows": [case("rows of one token", parts.nth_of_each(1))],
    "check_rows_of_specials": [case("rows of special tokens", parts.nth_of_each(0))],
    "check_rows_with_masks": [case("not the mask tokens", target=parts.BY_MASK_TOKENS)],
    "check_rate": [
        Broken(
            lambda: named("floor@1", of(Selecting(parts.rounded_down)), rate=0.15),
            "0.140625 of the tokens",
        )
    ],
    "check_id_outside_vocabulary": [case("is accepted", Selecting(parts.clipped_ids))],
    "check_missing_mask": [case("is accepted", None, Replacing(parts.mask_or_zero))],
}
