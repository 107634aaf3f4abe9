"""Labels that samples bring themselves: whether they are kept, or those of the strategy trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.targets import IGNORE
from maskplug.tokens import Masked
from maskplug_torch.features import Features
from maskplug_torch.layout import OutputLayout
from maskplug_torch.model_info import ORDER, ModelInfo, predicts_every_input

_DROP = "remove the column 'labels' from the dataset (dataset.remove_columns('labels'))"
_PROTECT = (
    "to mask only what has a label, turn the column into an answer mask: dataset.map(lambda row: "
    "{'protected': [int(label == -100) for label in row['labels']]}, remove_columns='labels')"
)


def replaced_by_objective(features: Features, tried: Masked, model: ModelInfo) -> bool:
    """Whether labels are copies of the inputs, which the strategy's objective replaces."""
    labels = features.labels
    if not isinstance(labels, Ragged) or not _same(labels, Ragged(features.ids, features.offsets)):
        return False
    return not _are_tags(model) and bool(_objective(tried, model, predicts_every_input(tried)))


def _same(a: Ragged, b: Ragged) -> bool:
    return np.array_equal(a.offsets, b.offsets) and np.array_equal(a.values, b.values)


def _are_tags(model: ModelInfo) -> bool:
    """Whether labels of tokens cannot be tokens."""
    return model.has_config and not model.predicts_tokens


def _objective(masked: Masked, model: ModelInfo, causal: bool) -> str:
    """What is lost without the strategy's labels; empty for plain labels in place."""
    if masked.targets is not None:
        return "targets"
    if model.has_decoder:  # predicts nothing in place: the mask is noise
        return ""
    if masked.weights is not None:
        return "weighted labels"
    if ORDER in masked.annotations:
        return "an order of predictions"
    return "a label for each input" if causal else ""


@dataclass(frozen=True, eq=False)
class SampleLabels:
    """The labels of a batch's samples, one sequence of ids each."""

    labels: Ragged
    layout: OutputLayout
    masked: Masked
    model: ModelInfo
    strategy: str

    @property
    def aligned(self) -> bool:
        """Whether there is one label per token."""
        return np.array_equal(self.labels.lengths, self.layout.features.lengths)

    def are_per_token(self) -> bool:
        """Whether each label belongs to a token, and moves with it."""
        if self.model.needs_label_per_token:
            lengths = self.layout.features.lengths
            wrong = np.flatnonzero(self.labels.lengths != lengths)
            if len(wrong):
                i = int(wrong[0])
                raise TokenError(
                    f"feature {i} has {self.labels.lengths[i]} labels for {lengths[i]} tokens, and "
                    f"{self.model.name} has no decoder: it needs one label for each token"
                )
            return True
        if self.model.has_config or not self.aligned:
            return False
        if not self.layout.in_place:
            raise TokenError(
                f"strategy {self.strategy!r} moves tokens, the features have as many labels as "
                "tokens, and it is not known whether each label belongs to its token (tags) or all "
                "of them are a text to generate: pass the model to the collator (model=)"
            )
        return True

    def decide(self, tried: Masked) -> tuple[bool, str]:
        """Decide between the samples' labels and those of the strategy.

        Tags for a model that predicts no tokens and texts for a decoder are kept, and the mask is
        noise. Labels that replace plain labels in place may be a mistake: there is a warning. An
        objective (weights, an order, targets) is never lost silently: it replaces copies of the
        inputs, and other labels are refused.

        Returns:
            Whether the samples' labels are kept, and a warning, or an empty text.
        """
        if not self.aligned or not len(self.labels.values) or _are_tags(self.model):
            return True, ""
        labels, inputs = self.masked.labels, self.masked.inputs
        every_input = labels is not None and np.array_equal(labels.values, inputs.values)
        causal = every_input and predicts_every_input(tried)
        objective = _objective(self.masked, self.model, causal)
        if objective:
            return self._against(objective)
        return True, "" if self.model.has_decoder else self._in_place_warning()

    def _against(self, objective: str) -> tuple[bool, str]:
        features, targets = self.layout.features, self.masked.targets
        if targets is not None and _same(self.labels, targets):
            return True, ""
        if _same(self.labels, Ragged(features.ids, features.offsets)):
            return (
                False,
                "the features have labels that are equal to their input_ids; strategy "
                f"{self.strategy!r} has its own objective ({objective}), which is trained. "
                f"To silence this warning, {_DROP}",
            )
        conflict = (
            f"the features have one label for each token, and strategy {self.strategy!r} has its "
            f"own objective ({objective})"
        )
        if self.model.needs_label_per_token or self._copies():
            raise TokenError(
                f"{conflict}: to train its objective, {_DROP}; {_PROTECT}; to keep these labels, "
                "choose a strategy with plain labels in place ('dynamic', 'span', 'word_dropout')"
            )
        return True, (
            f"{conflict}. The labels of the features are trained; to train its objective, {_DROP}"
        )

    def _in_place_warning(self) -> str:
        if not len(self.masked.selection.starts):
            return ""
        if self._copies():
            return (
                "the features have labels that are equal to their input_ids. They are kept, so "
                "that the model must predict every token, masked or not; to predict only the "
                f"masked tokens, {_DROP}; {_PROTECT}"
            )
        if not self.model.has_config:
            return ""
        return (
            "the features have one label for each token. They are kept, and the strategy only "
            f"masks the inputs; to predict the masked tokens, {_DROP}"
        )

    def _copies(self) -> bool:
        """Whether the labels are the inputs again, except where they are ignored."""
        labelled = self.labels.values != IGNORE
        same = self.labels.values == self.layout.features.ids
        return bool(labelled.any() and same[labelled].all())
