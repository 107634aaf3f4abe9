"""For every check a strategy that it catches, and what it then says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import maskplug
from maskplug.parts import Clock, Replacement, Selector, Target
from maskplug.replacements import Delete, Mix
from maskplug.selectors import Exact, Independent, Spans
from maskplug.strategies.composed import Composed
from maskplug.strategy import Strategy
from maskplug.targets import Labels, Original
from maskplug.types import IntArray
from support import broken_selectors as selectors
from support import broken_writers as writers
from support.synthetic import BehindSentinels, Gaps, Sentinel

EPOCH = maskplug.part("clock", "epoch")
DYNAMIC = maskplug.strategy("dynamic").spec["options"]


@dataclass(frozen=True)
class Broken:
    """A strategy with a defect.

    Attributes:
        make: makes it, when the ``FACTORIES`` are registered.
        says: matches the message of the check.
    """

    make: Callable[[], Strategy]
    says: str


@dataclass(frozen=True, repr=False)
class Addressed(Composed):
    """Leaves its text to Python."""

    __repr__ = object.__repr__


@dataclass(frozen=True)
class Restless(Clock):
    """Says that it stands still, and ticks."""

    is_static = True

    def __call__(self, epoch: IntArray, step: IntArray) -> IntArray:
        return epoch


def loose(amount=0.5) -> Strategy:  # type: ignore[no-untyped-def]
    """Takes anything for an option, since it has no annotation."""
    return maskplug.strategy("dynamic")


#: Registered as strategies of a distribution "broken" while the examples are run.
FACTORIES = {"loose": loose}


def of(
    selector: Selector | None = None,
    replacement: Replacement | None = None,
    target: Target | None = None,
    clock: Clock = EPOCH,
) -> Strategy:
    """A strategy of these parts, and sound ones."""
    return Composed(selector or Exact(0.3), replacement or Mix(), target or Labels(), clock)


def case(says: str, *given: object, **named: object) -> Broken:
    return Broken(lambda: of(*given, **named), says)  # type: ignore[arg-type]


def named(label: str, made: Strategy, **options: object) -> Strategy:
    return replace(made, label=label, options=options)


BROKEN: dict[str, list[Broken]] = {
    "check_spec_round_trip": [
        Broken(
            lambda: named("dynamic@1", maskplug.strategy("dynamic", rate=0.5)), "has another spec"
        ),
        case("no spec can be made", selectors.Fresh()),
        Broken(lambda: named("dynamic@1", of(), rate={1, 2}), "not plain JSON"),
        Broken(lambda: named("ghost@1", of()), "nothing is registered"),
        Broken(lambda: named("dynamic@1", of(Spans()), **DYNAMIC), "masks otherwise"),
    ],
    "check_pickle": [
        case("a pickled copy masks otherwise", selectors.Forgetful("dice")),
        case("cannot be pickled", selectors.ByFunction(lambda drawn: drawn)),
    ],
    "check_spawned_process": [
        case("cannot be pickled", selectors.ByFunction(lambda drawn: drawn)),
        case("other masks", selectors.AtHome()),
    ],
    "check_repr": [
        Broken(
            lambda: Addressed(Exact(), Mix(), Labels(), EPOCH, label="dynamic@1"),
            "does not name 'dynamic@1'",
        ),
        Broken(lambda: named("dynamic@1", of(), note=str(object())), "an address or a line break"),
    ],
    "check_same_key_same_mask": [case("the second call", selectors.Fresh())],
    "check_no_memory_between_calls": [case("after other batches", selectors.Remembering())],
    "check_global_generators_stay": [case("generator of numpy", selectors.GlobalDraws())],
    "check_global_generators_are_not_read": [
        case("seed of a global generator", selectors.GlobalState()),
        case("seed of a global generator", selectors.GlobalDraws()),
    ],
    "check_input_stays": [case("the caller's ids", None, writers.Scribbling(mends=False))],
    "check_row_order": [case("in the reverse order", selectors.OneStream())],
    "check_subset": [case("in another batch", selectors.ByCompany())],
    "check_batch_of_one": [case("alone in a batch", selectors.Lonely())],
    "check_times_of_samples": [case("among samples of other epochs", selectors.FirstTime())],
    "check_padding": [case("padding tokens on the left", selectors.ByPosition())],
    "check_dtypes": [case("as uint16", selectors.Unsigned())],
    "check_memory_layout": [case("in read-only arrays", None, writers.Scribbling(mends=True))],
    "check_workers": [case("shared out to 1 worker", selectors.AtHome())],
    "check_seed_changes_masks": [case("seeds 0 and 1", selectors.Seedless())],
    "check_key_changes_masks": [case("different keys", selectors.CutKeys(1, modulus=1))],
    "check_clock_changes_masks": [
        case("though the clock", selectors.Timeless()),
        case("the clock stands still", clock=Restless()),
    ],
    "check_neighbours_are_uncorrelated": [case("neighbours in the key", selectors.CutKeys(2))],
    "check_keys_do_not_collide": [
        case("share all their masks", selectors.CutKeys(1, modulus=1 << 16)),
        case("share all their masks", selectors.CutKeys(1 << 8)),
        case("share all their masks", selectors.CutKeys(1, modulus=1 << 40)),
    ],
    "check_shapes": [case("no sources", None, writers.Torn(), Original())],
    "check_layers": [case("not finite", target=writers.Layered())],
    "check_ids_in_vocabulary": [case("ids range from 0 to 199", None, writers.From(beyond=900))],
    "check_selection": [
        Broken(lambda: writers.Overlapping(Exact(0.5), Mix(), Labels(), EPOCH), "overlap")
    ],
    "check_specials_are_not_chosen": [
        case("special or protected", selectors.Anything(specials=True))
    ],
    "check_protected_tokens_are_not_chosen": [
        case("special or protected", selectors.Anything(specials=False))
    ],
    "check_specials_are_not_produced": [case("from vocab.ordinary", None, writers.From(beyond=0))],
    "check_unchosen_tokens_stay": [
        case("is changed", None, writers.Besides()),
        case("0 times", Exact(0.0), writers.Dropping(), Original()),
    ],
    "check_lengths_within_bounds": [case("the bound is", Gaps(), writers.Growing(), Original())],
    "check_labels": [
        case("not the original", target=writers.FromInputs()),
        case("not chosen has a label", target=writers.Everywhere()),
    ],
    "check_something_is_predicted": [
        case("nothing to predict", Independent(always_one=False)),
        case("neither labels nor targets", target=writers.Aimless()),
    ],
    "check_weights": [
        case("keep away", target=writers.Heavy(infinite=True)),
        case("without a label weighs", target=writers.Heavy(infinite=False)),
    ],
    "check_sentinels": [
        case("must be the same", Spans(0.5), Sentinel(), writers.Backwards()),
        case("the first of vocab.sentinel_ids", Spans(0.5), writers.Rising(), BehindSentinels()),
    ],
    "check_sentinels_restore_the_original": [
        case("cannot be restored", Spans(0.5), Sentinel(), writers.Shortened())
    ],
    "check_no_samples": [case("without samples", selectors.Longest())],
    "check_empty_rows": [case("empty rows", selectors.OneOfEach(0), Delete(), Original())],
    "check_one_token_rows": [case("rows of one token", selectors.OneOfEach(1))],
    "check_rows_of_specials": [case("rows of special tokens", selectors.OneOfEach(0))],
    "check_rows_with_masks": [case("looks like a mask", target=writers.LooksMasked())],
    "check_rate": [
        Broken(
            lambda: named("floor@1", of(selectors.Floor(0.15)), rate=0.15), "0.140625 of the tokens"
        )
    ],
    "check_unknown_option": [Broken(lambda: named("ghost@1", of()), "nothing is registered")],
    "check_wrong_option": [Broken(lambda: maskplug.strategy("loose"), "'amount'.* is accepted")],
    "check_id_outside_vocabulary": [case("is accepted", selectors.Clipped())],
    "check_missing_mask": [case("is accepted", None, writers.AnyMask())],
}
