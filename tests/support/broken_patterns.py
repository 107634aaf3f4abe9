"""For every check of patterns a pattern that it catches, and what it then says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import maskplug
from maskplug.attention import Pattern, WaitK
from support import pattern_defects as defects


@dataclass(frozen=True)
class Broken:
    """A pattern with a defect, and what the message of the check matches."""

    make: Callable[[], Pattern]
    says: str


#: Registered as patterns of a distribution "broken" while the examples are run.
CLASSES = [defects.Doubling, defects.Anything, defects.Hidden, defects.Talkative, defects.Impostor]

BROKEN: dict[str, list[Broken]] = {
    "check_result": [
        Broken(defects.Dense, "returns ndarray"),
        Broken(defects.Flat, "1 heads and 1 queries"),
        Broken(defects.Short, "of 19 keys, and the site has 20"),
        Broken(defects.Nowhere, "can be used nowhere.*not today"),
        Broken(defects.Undeclared, "Name every layer in the class attribute `reads`"),
    ],
    "check_canonical": [
        Broken(defects.Untidy, "not sorted, disjoint, apart"),
        Broken(defects.Open, "lo has gaps or can be written to"),
        Broken(defects.Wide, "lo is int64, not int32"),
    ],
    "check_renderers": [
        Broken(defects.OwnDense, "dense says otherwise than the intervals in 'encoder'"),
        Broken(defects.Counting, "counts are"),
    ],
    "check_spec_round_trip": [
        Broken(defects.Unregistered, "no spec can be made: Unregistered is not registered"),
        Broken(defects.Doubling, "has another spec"),
        Broken(lambda: defects.Anything({1}), "not plain JSON"),
    ],
    "check_expression_round_trip": [
        Broken(defects.Unregistered, "no expression can be written"),
        Broken(defects.Talkative, "'once upon a time' cannot be read"),
        Broken(defects.Impostor, "'full' makes another pattern"),
    ],
    "check_pickle": [
        Broken(defects.Unpicklable, "cannot be pickled.*not me"),
        Broken(defects.Hidden, "a pickled copy shows other cells"),
    ],
    "check_same_site_same_mask": [Broken(defects.Fresh, "the second call")],
    "check_no_memory_between_calls": [Broken(defects.Remembering, "after other calls")],
    "check_global_generators_stay": [
        Broken(defects.Seeding, "moves the generator of random"),
        Broken(defects.Dicing, "moves the generator of numpy"),
    ],
    "check_global_generators_are_not_read": [
        Broken(defects.Dicing, "the seed of a global generator")
    ],
    "check_layers_stay": [Broken(defects.Scribbling, "the caller's layer 'documents'")],
    "check_sample_alone": [Broken(defects.ByCompany, "alone in a batch, a sample has other cells")],
    "check_padding": [
        Broken(defects.ByPlace, "with 3 padding tokens on the left and 0 on the right"),
        Broken(defects.ByQueries, "with 0 padding tokens on the left and 5 on the right"),
    ],
    "check_offset": [
        Broken(defects.ByQueries, "from key 1 on, query 0 sees other keys than query 1"),
        Broken(defects.ByPlace, "from key 1 on"),
    ],
    "check_times_of_samples": [Broken(defects.FirstTime, "among samples of other times")],
    "check_types_of_layers": [
        Broken(defects.Raw, "as uint8, layers of the same numbers"),
        Broken(defects.Demanding, "as lists, layers make the pattern raise AttributeError"),
    ],
    "check_time_comes_by_clocks": [
        Broken(defects.Clockless, "no clock or schedule of its own has moved")
    ],
    "check_moves": [Broken(defects.Idle, "has a clock that ticks, and shows the same cells")],
    "check_chance_comes_by_clocks": [
        Broken(defects.Seeded, "with another seed"),
        Broken(defects.Keyed, "with another sample key"),
    ],
    "check_missing_layer": [
        Broken(defects.Lenient, "'ends' is in `reads`, and nothing misses it"),
        Broken(defects.Crashing, "without the layer 'ends' the pattern raises KeyError"),
        Broken(defects.Mumbling, "does not name the layer 'ends'"),
    ],
    "check_unknown_option": [Broken(defects.Unregistered, "nothing is registered")],
    "check_wrong_option": [
        Broken(defects.Anything, "'ahead' of type bytes .* is accepted"),
        Broken(defects.Unregistered, "nothing is registered"),
    ],
}
#: What passes, or does not apply, though it looks odd.
SOUND: dict[str, Callable[[], Pattern]] = {
    "a clock that stands still": lambda: WaitK(2, most=5, clock=maskplug.part("clock", "never")),
    "a schedule beyond the rows": lambda: maskplug.pattern("window(left=linear(64, 512))"),
}
