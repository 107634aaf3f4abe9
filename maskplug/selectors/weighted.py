"""Select tokens by their scores."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from maskplug.errors import OptionError, TokenError, VocabularyError, shortened
from maskplug.parts import Schedule, Selector
from maskplug.preprocessing.resource import Resource
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.annotation import place
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray, readonly, thresholds
from maskplug.units import budget, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


def by_weight(
    candidates: Selection, weights: FloatArray, rate: Schedule | float, rng: Rng
) -> Selection:
    """Select ``rate`` times the candidates of each sample in proportion to weight.

    Units are drawn without replacement. Weights are finite and not negative; units of weight 0 are
    selected only if no others are left.
    """
    return _drawn(candidates, weights, budget(rate, candidates.counts, rng), rng)


def _drawn(candidates: Selection, weights: FloatArray, budgets: IntArray, rng: Rng) -> Selection:
    from maskplug.kernels.weighted import weighted

    keys = rng.stream_keys("weighted")
    chosen = weighted(
        keys, candidates.offsets, readonly(weights, np.float64), readonly(budgets, np.int64)
    )
    return candidates.take(chosen)


@lru_cache(maxsize=8)
def read_scores(file: Resource) -> FloatArray:
    """Read the scores of a file: float64, one for each id, finite and not negative.

    The file has one number per line, or is a one-dimensional ``.npy`` file.

    Raises:
        OptionError: for an invalid score; the message names the line.
    """
    if file.path.endswith(".npy"):
        values, position = _from_npy(file), "entry"
    else:
        values, position = _from_text(file), "line"
    wrong = ~(np.isfinite(values) & (values >= 0.0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise OptionError(
            f"{file.path}, {position} {first + 1}: {values[first]} is no score; scores are finite "
            "numbers that are not negative"
        )
    return readonly(values, np.float64)


def _from_text(file: Resource) -> FloatArray:
    lines = file.lines()
    values = np.empty(len(lines))
    for number, line in enumerate(lines):
        try:
            values[number] = float(line)
        except ValueError:
            raise OptionError(
                f"{file.path}, line {number + 1}: {shortened(line)} is no number; a file of "
                "scores has one number a line, one line for each id of the vocabulary"
            ) from None
    return values


def _from_npy(file: Resource) -> FloatArray:
    try:
        array = np.load(io.BytesIO(file.content()), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise OptionError(f"{file.path} is no .npy file of numbers: {error}") from None
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise OptionError(
            f"{file.path} holds {array.dtype} of shape {array.shape}; scores are one row of numbers"
        )
    return np.asarray(array, np.float64)


def _check_count(file: Resource, size: int) -> None:
    """Raise unless a file has one score for each id of a vocabulary of this size."""
    count = len(read_scores(file))
    if count != size:
        what = "is one too many" if count > size else "is missing"
        raise VocabularyError(
            f"{file.path} has {count} scores for a vocabulary of {size} ids: line "
            f"{min(count, size) + 1} {what}"
        )


def raised(values: FloatArray, power: float) -> FloatArray:
    """Return the values to a power, using only multiplication, division and square root.

    These are correctly rounded on every platform, unlike ``pow``. The power is rounded to a
    multiple of 2**-16. With a negative power, 0 is treated as 1, as in XLM, which counts unseen
    tokens as seen once.

    Example:
        >>> raised(np.array([0.0, 4.0, 100.0]), -0.5).tolist()
        [1.0, 0.5, 0.1]
    """
    whole, part = divmod(round(abs(power) * 65536), 65536)
    base = np.where(values == 0.0, 1.0, values) if power < 0 else values
    out = np.ones(len(values))
    root = base
    while part:
        root = np.sqrt(root)
        part *= 2
        if part >= 65536:
            out = out * root
            part -= 65536
    while whole:
        if whole % 2:
            out = out * base
        base = base * base
        whole //= 2
    return 1.0 / out if power < 0 else out


@lru_cache(maxsize=8)
def _table(file: Resource, power: float, exact: bool) -> FloatArray:
    """Return the weight of every id; errors name the line of the file."""
    with np.errstate(over="ignore", divide="ignore"):
        weights = raised(read_scores(file), power)
    wrong = ~np.isfinite(weights) if exact else ~(weights <= 1.0)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise OptionError(
            f"{file.path}, line {first + 1}: {read_scores(file)[first]} to the power {power} is "
            f"{weights[first]}; it must be {'finite' if exact else 'a probability, from 0 to 1'}"
        )
    return weights


@dataclass(frozen=True)
class Weighted(Selector):
    """Select tokens with probabilities that follow their scores.

    Args:
        scores: a file with one number per line, one for each id of the vocabulary, or a ``.npy``
            file. If omitted, the annotation ``scores`` holds a number for each token.
        power: exponent applied to the scores, rounded to a multiple of 2**-16: with token counts,
            -0.5 gives the weights of XLM. With a negative power, 0 is treated as 1.
        exact: select exactly ``rate`` times the tokens, without replacement, in proportion to their
            weights. If False, each token is selected independently with its score as probability;
            if none is drawn, one is selected in proportion to its score.
        rate: share of the tokens, 0 to 1, or a schedule; ignored if not ``exact``.

    Raises:
        OptionError: for an invalid score; the message names its line.

    Source: frequency weighting of Conneau and Lample, "Cross-lingual language model pretraining",
    2019; with ``exact=False``, Sadeq et al., "InforMask", 2022.
    """

    scores: Resource | None = None
    power: float = 1.0
    exact: bool = True
    rate: Schedule | float = 0.15

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("power", self.power, least=-64.0, most=64.0)
        if self.scores is not None:
            _table(self.scores, self.power, self.exact)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return () if self.scores is not None else ("scores",)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        weights = self._weights(tokens, vocab)[candidates.starts]
        if self.exact:
            return by_weight(candidates, weights, self.rate, rng)
        words = rng.bits("by score", candidates.counts)
        chosen = words < thresholds(weights)
        drawn = np.bincount(candidates.rows[chosen], minlength=len(tokens))
        # Samples in which no token was drawn get one, drawn as with an exact budget of 1.
        single = np.minimum(candidates.counts, 1) * (drawn == 0)
        return Selection.from_mask(
            candidates.take(chosen).mask | _drawn(candidates, weights, single, rng).mask, tokens
        )

    def _weights(self, tokens: TokenBatch, vocab: Vocabulary) -> FloatArray:
        """Return the weight of every token."""
        if self.scores is not None:
            _check_count(self.scores, vocab.size)
            return _table(self.scores, self.power, self.exact)[tokens.ids]
        scores = tokens.annotations["scores"].astype(np.float64)
        with np.errstate(all="ignore"):
            weights = raised(scores, self.power)
        valid = (scores >= 0.0) & (weights <= (np.finfo(np.float64).max if self.exact else 1.0))
        if not valid.all():
            first = int(np.argmin(valid))
            expected = "finite numbers that are not negative" if self.exact else "probabilities"
            raise TokenError(
                f"the annotation 'scores' must hold {expected}; {place(tokens, first)} has "
                f"{scores[first]} (to the power {self.power}: {weights[first]})"
            )
        return weights
