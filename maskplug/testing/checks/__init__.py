"""Every check: a function of a subject that raises AssertionError and says what to do."""

from __future__ import annotations

from collections.abc import Callable

from maskplug.testing.checks import (
    api,
    edges,
    invariance,
    keys,
    messages,
    objectives,
    purity,
    statistics,
    validity,
)
from maskplug.testing.subject import Subject

Check = Callable[[Subject], None]

#: In the order in which they run: what most others build on comes first.
CHECKS: tuple[Check, ...] = (
    api.check_spec_round_trip,
    api.check_pickle,
    api.check_spawned_process,
    api.check_repr,
    purity.check_same_key_same_mask,
    purity.check_no_memory_between_calls,
    purity.check_global_generators_stay,
    purity.check_global_generators_are_not_read,
    purity.check_input_stays,
    invariance.check_row_order,
    invariance.check_subset,
    invariance.check_batch_of_one,
    invariance.check_times_of_samples,
    invariance.check_padding,
    invariance.check_dtypes,
    invariance.check_memory_layout,
    invariance.check_workers,
    keys.check_seed_changes_masks,
    keys.check_key_changes_masks,
    keys.check_clock_changes_masks,
    keys.check_neighbours_are_uncorrelated,
    keys.check_keys_do_not_collide,
    validity.check_shapes,
    validity.check_layers,
    validity.check_ids_in_vocabulary,
    validity.check_selection,
    validity.check_specials_are_not_chosen,
    validity.check_protected_tokens_are_not_chosen,
    validity.check_specials_are_not_produced,
    validity.check_unchosen_tokens_stay,
    validity.check_lengths_within_bounds,
    validity.check_labels,
    objectives.check_something_is_predicted,
    objectives.check_weights,
    objectives.check_sentinels,
    objectives.check_sentinels_restore_the_original,
    edges.check_no_samples,
    edges.check_empty_rows,
    edges.check_one_token_rows,
    edges.check_rows_of_specials,
    edges.check_rows_with_masks,
    statistics.check_rate,
    messages.check_unknown_option,
    messages.check_wrong_option,
    messages.check_id_outside_vocabulary,
    messages.check_missing_mask,
)
