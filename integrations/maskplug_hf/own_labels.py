"""Labels that features bring, beside what the strategy wants predicted: which of them counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug_hf.labels import check_lengths
from maskplug_hf.model import ModelFacts
from maskplug_hf.outputs import ORDER, Arrays, Outputs

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

    def judged(self, causal: bool) -> Verdict:
        """Decide between the features' labels and the strategy's.

        Tags of a model that predicts no tokens and texts for a decoder are the features' own; the
        strategy is noise then. Labels in place of the strategy's own may be wanted or not: the user
        is told. What would be lost of an objective (weights, an order, targets) is not lost in
        silence: copies of the inputs, which tell nothing, make way for it, all else is refused.

        Args:
            causal: whether the strategy predicts every input.

        Raises:
            TokenError: when labels and objective cannot both be meant.
        """
        if not self.aligned or not len(self.labels.values):
            return Verdict(True)
        if self._known and self.model is not None and not self.model.language:
            return Verdict(True)
        objective = self._objective(causal)
        if objective:
            return self._against(objective)
        return Verdict(True, "" if self._decoder else self._in_place_warning())

    def _objective(self, causal: bool) -> str:
        """What would be lost with the strategy's labels; empty for plain labels in place."""
        masked = self.out.masked
        if masked.targets is not None:
            return "targets"
        if self._decoder:  # it predicts nothing in place, so that the strategy is noise to it
            return ""
        if masked.weights is not None:
            return "weighted labels"
        if ORDER in masked.layers:
            return "an order of predictions"
        if causal and masked.labels is not None:
            each = np.array_equal(masked.labels.values, masked.inputs.values)
            return "a label for each of its inputs" if each else ""
        return ""

    def _against(self, objective: str) -> Verdict:
        targets = self.out.masked.targets
        if targets is not None and self._is(targets):
            return Verdict(True)
        if self._is(Ragged(self.out.shown.given.ids, self.out.shown.given.offsets)):
            return Verdict(
                False,
                f"the features bring labels that are equal to their input_ids; strategy "
                f"{self.strategy!r} makes {objective} of its own, and the model is trained on "
                f"those. To silence this warning, {DROP}",
            )
        told = (
            f"the features bring one label for each token, and strategy {self.strategy!r} makes "
            f"{objective} of its own"
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

    def _is(self, rows: Ragged) -> bool:
        same = np.array_equal(self.labels.offsets, rows.offsets)
        return same and np.array_equal(self.labels.values, rows.values)

    @property
    def _copies(self) -> bool:
        """Whether the labels are the inputs over again, but for those that are ignored."""
        labelled = self.labels.values != IGNORE
        same = self.labels.values == self.out.shown.given.ids
        return bool(labelled.any() and same[labelled].all())
