"""Labels that features bring, beside what the strategy wants predicted: which of them counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.tokens import Masked
from maskplug_hf.labels import check_lengths
from maskplug_hf.model import ModelFacts, predicts_every_input
from maskplug_hf.outputs import ORDER, Arrays, Outputs
from maskplug_hf.shown import Given

DROP = "remove the column 'labels' from the dataset (dataset.remove_columns('labels'))"
ANSWERS = (
    "to mask only what has a label, turn the column into an answer mask: dataset.map(lambda row: "
    "{'protected': [int(label == -100) for label in row['labels']]}, remove_columns='labels')"
)


@dataclass(frozen=True)
class Verdict:
    """Whether the features' labels are kept, and what the user must be told.

    Attributes:
        kept: False: what the strategy wants predicted takes their place.
        warning: for the first batch; empty where there is nothing to say.
    """

    kept: bool
    warning: str = ""


def make_way(
    labels: Ragged | np.ndarray[Any, Any], given: Given, tried: Masked, model: ModelFacts | None
) -> bool:
    """Whether labels are copies of the inputs, which make way for the strategy's objective.

    Args:
        labels: of the features.
        given: the features.
        tried: what the strategy made of the tokens on which it was tried out.
        model: what is known of the model, or None.
    """
    if not isinstance(labels, Ragged) or not _same(labels, Ragged(given.ids, given.offsets)):
        return False
    return not _are_tags(model) and bool(_objective(tried, model, predicts_every_input(tried)))


def _same(one: Ragged, two: Ragged) -> bool:
    same = np.array_equal(one.offsets, two.offsets)
    return same and np.array_equal(one.values, two.values)


def _are_tags(model: ModelFacts | None) -> bool:
    """Whether labels of tokens can be no tokens themselves."""
    return model is not None and model.known and not model.language


def _objective(masked: Masked, model: ModelFacts | None, causal: bool) -> str:
    """What would be lost with the strategy's labels; empty for plain labels in place."""
    if masked.targets is not None:
        return "targets"
    if model is not None and model.decoder:  # it predicts nothing in place: the strategy is noise
        return ""
    if masked.weights is not None:
        return "weighted labels"
    if ORDER in masked.annotations:
        return "an order of predictions"
    return "a label for each input" if causal else ""


@dataclass(frozen=True, eq=False)
class OwnLabels:
    """The labels of a batch's features, sequences of ids.

    Args:
        labels: one row for each feature.
        out: what the strategy made of the features, or ``none`` where they are evaluated.
        model: what is known of the model, or None.
        strategy: its label, for messages.
    """

    labels: Ragged
    out: Outputs
    model: ModelFacts | None
    strategy: str

    @cached_property
    def aligned(self) -> bool:
        """Whether there is one label for each token of the features."""
        return np.array_equal(self.labels.lengths, self.out.shown.given.lengths)

    def at_their_tokens(self) -> Arrays:
        """The labels where their tokens stand."""
        return {"labels": self.out.own_labels(self.labels.values)}

    def as_texts(self) -> Arrays:
        """The labels in rows of a width of their own."""
        return {"labels": self.out.pad(self.labels, IGNORE)}

    @property
    def _known(self) -> bool:
        return self.model is not None and self.model.known

    @property
    def _decoder(self) -> bool:
        return self.model is not None and self.model.decoder

    @property
    def follow_tokens(self) -> bool:
        """Whether each label belongs to a token, and goes where that goes.

        Raises:
            TokenError: when the model asks for one label a token and there are others, or nothing
                is known of the model and the strategy moves tokens.
        """
        if self.model is not None and self.model.per_token:
            check_lengths(self.labels, self.out.shown.given.lengths, self.model.name)
            return True
        if self._known or not self.aligned:
            return False
        if not self.out.shown.in_place:
            raise TokenError(
                f"strategy {self.strategy!r} moves tokens, the features have as many labels as "
                "tokens, and it is not known whether each label belongs to its token (tags) or all "
                "of them are a text to generate: give the collator the model (model=)"
            )
        return True

    def judged(self, tried: Masked) -> Verdict:
        """Decide between the features' labels and the strategy's.

        Tags of a model that predicts no tokens and texts for a decoder are the features' own; the
        strategy is noise then. Labels in place of the strategy's own may be wanted or not: the user
        is told. What would be lost of an objective (weights, an order, targets) is not lost in
        silence: copies of the inputs, which tell nothing, make way for it, all else is refused.

        Args:
            tried: what the strategy made of the tokens on which it was tried out.

        Raises:
            TokenError: when labels and objective cannot both be meant.
        """
        if not self.aligned or not len(self.labels.values):
            return Verdict(True)
        if _are_tags(self.model):
            return Verdict(True)
        masked = self.out.masked
        objective = _objective(masked, self.model, self._causal(tried))
        if objective:
            return self._against(objective)
        return Verdict(True, "" if self._decoder else self._in_place_warning())

    def _causal(self, tried: Masked) -> bool:
        labels, inputs = self.out.masked.labels, self.out.masked.inputs
        every = labels is not None and np.array_equal(labels.values, inputs.values)
        return every and predicts_every_input(tried)

    def _against(self, objective: str) -> Verdict:
        given, targets = self.out.shown.given, self.out.masked.targets
        if targets is not None and _same(self.labels, targets):
            return Verdict(True)
        if _same(self.labels, Ragged(given.ids, given.offsets)):
            return Verdict(
                False,
                "the features bring labels that are equal to their input_ids; strategy "
                f"{self.strategy!r} has an objective of its own ({objective}), which is trained. "
                f"To silence this warning, {DROP}",
            )
        told = (
            f"the features bring one label for each token, and strategy {self.strategy!r} has an "
            f"objective of its own ({objective})"
        )
        if (self._known and not self._decoder) or self._copies:
            raise TokenError(
                f"{told}: to train its objective, {DROP}; {ANSWERS}; to keep these labels, choose "
                "a strategy with plain labels in place ('dynamic', 'span', 'word_dropout')"
            )
        return Verdict(
            True, f"{told}. The features' labels are trained on; to train its objective, {DROP}"
        )

    def _in_place_warning(self) -> str:
        if not len(self.out.masked.selection.starts):
            return ""
        if self._copies:
            return (
                "the features bring labels that are equal to their input_ids. They are kept as "
                "they are, so that the model must predict every token, masked or not; to predict "
                f"the masked tokens only, {DROP}; {ANSWERS}"
            )
        if not self._known:
            return ""
        return (
            "the features bring one label for each token. They are kept, and the strategy only "
            f"masks the inputs; to predict the masked tokens, {DROP}"
        )

    @property
    def _copies(self) -> bool:
        """Whether the labels are the inputs over again, but for those that are ignored."""
        labelled = self.labels.values != IGNORE
        same = self.labels.values == self.out.shown.given.ids
        return bool(labelled.any() and same[labelled].all())
