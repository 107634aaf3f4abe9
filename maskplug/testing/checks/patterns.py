"""Every check of patterns: a function of a subject that raises AssertionError."""

from __future__ import annotations

from collections.abc import Callable

from maskplug.testing.checks import (
    pattern_form,
    pattern_invariance,
    pattern_messages,
    pattern_purity,
    pattern_time,
    pattern_value,
)
from maskplug.testing.pattern_subject import PatternSubject

PatternCheck = Callable[[PatternSubject], None]

#: In the order in which they run: what most others build on comes first.
PATTERN_CHECKS: tuple[PatternCheck, ...] = (
    pattern_form.check_result,
    pattern_form.check_canonical,
    pattern_form.check_renderers,
    pattern_value.check_spec_round_trip,
    pattern_value.check_expression_round_trip,
    pattern_value.check_pickle,
    pattern_purity.check_same_site_same_mask,
    pattern_purity.check_no_memory_between_calls,
    pattern_purity.check_global_generators_stay,
    pattern_purity.check_global_generators_are_not_read,
    pattern_purity.check_layers_stay,
    pattern_invariance.check_sample_alone,
    pattern_invariance.check_padding,
    pattern_invariance.check_offset,
    pattern_invariance.check_times_of_samples,
    pattern_invariance.check_types_of_layers,
    pattern_time.check_time_comes_by_clocks,
    pattern_time.check_moves,
    pattern_time.check_chance_comes_by_clocks,
    pattern_messages.check_missing_layer,
    pattern_value.check_unknown_option,
    pattern_value.check_wrong_option,
)
