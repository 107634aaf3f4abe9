import numpy as np
import pytest

import maskplug

VOCAB = maskplug.Vocabulary(size=50, mask_id=0, special_ids=[1, 2])


def masks(period: int, epoch: int = 0, keys: range = range(40)) -> list[np.ndarray]:
    tokens = maskplug.TokenBatch.from_lists([[1, *range(3, 31), 2] for _ in keys], keys=keys)
    masked = maskplug.strategy("periodic", period=period)(tokens, VOCAB, epoch=epoch)
    return np.split(masked.selection.mask, tokens.offsets[1:-1])


@pytest.mark.parametrize("period", [1, 4, 7])
def test_chosen_tokens_are_one_period_apart(period: int) -> None:
    for mask in masks(period):
        assert set(np.diff(np.flatnonzero(mask))) == {period}
        assert len(np.flatnonzero(mask)) == 28 / period


def test_starts_differ_between_samples_and_epochs() -> None:
    assert len({mask.tobytes() for mask in masks(7)}) == 7
    assert any((a != b).any() for a, b in zip(masks(7), masks(7, epoch=1), strict=True))


def test_special_tokens_are_not_chosen() -> None:
    assert not any(mask[0] or mask[-1] for mask in masks(1))


def test_invalid_period() -> None:
    with pytest.raises(maskplug.OptionError, match="'period' is 0"):
        maskplug.strategy("periodic", period=0)


def test_strategy_is_registered_with_its_distribution() -> None:
    from maskplug.plugins import registry

    assert registry().find("strategy", "periodic").provider == "maskplug-example"
