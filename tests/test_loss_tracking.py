"""Losses in rounds: the average, its tables, what is ignored, and state that survives."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Losses, OptionError
from maskplug.errors import SpecMismatchError, TokenError
from maskplug.loss_tracking import LossTrackingConfig, Tables, sums_of
from support.reference_adaptive import Rounds

CLASSES = 5


def tracking(**plan: Any) -> Losses:
    return Losses(LossTrackingConfig(**{"every": 2, **plan}), CLASSES)


told = st.lists(
    st.tuples(
        st.integers(0, CLASSES - 1),
        st.one_of(
            st.floats(0, 12),
            st.sampled_from([0.0, 2.5, -1e-9, 1e9, float("nan"), float("inf"), float("-inf")]),
        ),
    ),
    max_size=8,
)


@given(st.lists(told, max_size=12), st.sampled_from([0.0, 0.3, 0.9, 1.0]))
def test_tables_match_the_reference(steps: Any, momentum: float) -> None:
    losses, wanted = tracking(momentum=momentum), Rounds(CLASSES, 2, momentum)
    for step, pairs in enumerate(steps):
        losses.add([c for c, _ in pairs], [x for _, x in pairs])
        losses.advance_to(step + 1)
        for label, loss in pairs:
            wanted.tell(label, loss)
        if (step + 1) % 2 == 0:
            wanted.end(step // 2)
        now = (step + 1) // 2
        for number in range(max(now - 1, 0), now + 2):
            assert losses.at(2 * number).tolist() == wanted.tables[number]
            assert losses.at(2 * number + 1).tolist() == wanted.tables[number]


def test_losses_affect_masks_two_rounds_later() -> None:
    losses = tracking(every=10)
    for step in range(30):
        losses.add([0, 1], [1.0, 3.0])
        losses.advance_to(step + 1)
        assert (losses.at(19) == 1.0).all()
        if step < 9:
            with pytest.raises(OptionError, match=r"step 20 \(round 2, of 10 steps\)"):
                losses.at(20)
        else:
            assert losses.at(20).tolist() == losses.at(29).tolist() == [0.5, 1.5, 1.0, 1.0, 1.0]


def test_unavailable_tables_are_an_error_with_remedy() -> None:
    losses = tracking()
    losses.advance_to(20)
    for step in (18, 20, 22):
        losses.at(step)
    with pytest.raises(OptionError, match=r"rounds: \[0, 1, 9, 10, 11\].*raise .* 'every'"):
        losses.at(16)
    with pytest.raises(OptionError, match="lower the number of workers"):
        losses.at(24)
    assert (losses.at(1) == 1.0).all()


def test_partially_written_table_is_not_read() -> None:
    losses = tracking()
    losses.advance_to(20)
    losses.tables.cells.reshape(3, -1)[11 % 3, 0] = 0.0
    with pytest.raises(OptionError, match="are not available"):
        losses.at(22)


def test_nan_and_infinite_losses_are_ignored() -> None:
    losses = tracking(every=1)
    losses.add([0, 1, 1, 2], [float("nan"), float("inf"), 2.0, -3.0])
    losses.add([], [])
    losses.advance_to(1)
    assert losses.hardest() == [(1, 2.0), (2, 0.0)]
    assert losses.at(2).tolist() == [1.0, 2.0, 0.0, 1.0, 1.0]


@given(st.floats(0, 50), st.lists(st.lists(st.integers(0, CLASSES - 1)), max_size=9))
def test_equal_losses_give_exactly_one(loss: float, steps: list[list[int]]) -> None:
    losses = tracking(every=1, momentum=0.7)
    for step, classes in enumerate(steps):
        losses.add(classes, [loss] * len(classes))
        losses.advance_to(step + 1)
        assert losses.at(step + 2).tolist() == [1.0] * CLASSES


def test_sums_do_not_depend_on_order_or_partition() -> None:
    random = np.random.default_rng(3)
    classes, values = random.integers(0, CLASSES, 1000), random.gamma(2.0, 1.5, 1000)
    whole = sums_of(classes, values, CLASSES)
    order = random.permutation(1000)
    assert (whole == sums_of(classes[order], values[order], CLASSES)).all()
    ranks = [sums_of(classes[i::3], values[i::3], CLASSES) for i in range(3)]
    assert (whole == sum(ranks)).all()
    assert np.allclose(whole[0] / 2**20, np.bincount(classes, values), atol=1e-3)


@pytest.mark.parametrize("as_json", [False, True])
def test_state_saved_within_a_round_is_restored(as_json: bool) -> None:
    def tell(losses: Losses, first: int, last: int) -> None:
        for step in range(first, last):
            losses.add([step % CLASSES, 1], [float(step), 2.0])
            losses.advance_to(step + 1)

    whole, cut = tracking(every=4), tracking(every=4)
    tell(whole, 0, 20)
    tell(cut, 0, 14)
    state: Any = cut.state_dict()
    if as_json:
        state = json.loads(json.dumps(state, default=np.ndarray.tolist, allow_nan=False))
    again = tracking(every=4)
    again.load_state_dict(state)
    for step in (8, 12, 16):
        assert again.at(step).tolist() == cut.at(step).tolist()
    cut.add([0], [100.0])  # the state is a copy
    tell(again, 14, 20)
    assert again.hardest() == whole.hardest()
    for step in (16, 20, 24):
        assert again.at(step).tolist() == whole.at(step).tolist()


def test_state_of_another_configuration_is_refused() -> None:
    with pytest.raises(SpecMismatchError, match=r"'every': 2.*this run has.*'every': 3"):
        tracking(every=3).load_state_dict(tracking(every=2).state_dict())
    with pytest.raises(SpecMismatchError, match=r"'classes': 5.*'classes': 6"):
        Losses(LossTrackingConfig(every=2), 6).load_state_dict(tracking().state_dict())


def test_reset_and_replay() -> None:
    losses = tracking(every=1)
    tables = []
    for _ in range(2):
        losses.reset()
        assert losses.hardest() == []
        for step in range(5):
            losses.add([0, step], [1.0, 2.0 + step])
            losses.advance_to(step + 1)
        tables.append([losses.at(step).tolist() for step in (4, 5, 6)])
    assert tables[0] == tables[1] != [[1.0] * CLASSES] * 3


def test_reset_in_mid_training_is_uniform_for_two_rounds() -> None:
    losses = tracking()
    losses.add([0, 1], [1.0, 9.0])
    losses.advance_to(20)
    losses.reset(step=21)
    for step in (20, 22):
        assert (losses.at(step) == 1.0).all()
    losses.add([0, 1], [1.0, 3.0])
    losses.advance_to(22)
    assert losses.at(24)[:2].tolist() == [0.5, 1.5]


def test_several_rounds_can_end_at_once() -> None:
    one, other = tracking(), tracking()
    for losses in (one, other):
        losses.add([0, 1], [1.0, 3.0])
    one.advance_to(9)
    for step in range(10):
        other.advance_to(step)
    for step in (6, 8, 10):
        assert one.at(step).tolist() == other.at(step).tolist()
    one.advance_to(2)  # and time never goes back
    assert one.round == 4


def test_hardest_first_and_ties_by_class() -> None:
    losses = tracking(every=1)
    losses.add([4, 1, 3, 0], [2.0, 5.0, 2.0, 1.0])
    losses.advance_to(1)
    assert losses.hardest(3) == [(1, 5.0), (3, 2.0), (4, 2.0)]
    assert len(losses.hardest(99)) == 4


def test_tables_in_shared_memory() -> None:
    cells = np.zeros(Tables.room(CLASSES))
    losses = Losses(LossTrackingConfig(every=1), CLASSES, Tables(cells, 1))
    losses.add([0, 1], [1.0, 3.0])
    losses.advance_to(1)
    assert Tables(cells, 1).at(2).tolist() == losses.at(2).tolist() != [1.0] * CLASSES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "option 'every' is 0"),
        ({"momentum": -0.1}, "option 'momentum' is -0.1"),
        ({"momentum": 1.5}, "from 0 to 1"),
        ({"momentum": float("nan")}, "option 'momentum' is nan"),
        ({"by": "layer"}, "option 'classes' is None with by='layer'"),
        ({"classes": 7}, "option 'classes' is 7 with by='token'"),
        ({"by": "layer", "classes": 0}, "it must be a whole number from 1 to 16,777,216"),
    ],
)
def test_invalid_configurations_are_refused(options: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        LossTrackingConfig(**options)


def test_invalid_losses_are_refused() -> None:
    losses = tracking()
    with pytest.raises(TokenError, match="2 losses came with 1 classes"):
        losses.add([1], [1.0, 2.0])
    for classes in ([-1, 2], [0, CLASSES]):
        with pytest.raises(TokenError, match="expected values from 0 to 4"):
            losses.add(classes, [1.0, 1.0])
