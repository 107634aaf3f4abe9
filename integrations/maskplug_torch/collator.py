"""The masking collator of any PyTorch data loader: samples in, masked and padded tensors out."""

from __future__ import annotations

import copy
import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch

import maskplug
from maskplug.collate import Side, pad
from maskplug.errors import MaskplugWarning, OptionError, TokenError, VocabularyError, shortened
from maskplug.loss_tracking import Tables
from maskplug.ragged import Ragged
from maskplug.selectors.adaptive import CLASSES
from maskplug.targets import IGNORE
from maskplug.tokens import Masked
from maskplug.validation.options import check_argument
from maskplug.warm_up import warm_up
from maskplug_torch.batch_pickle import Batch
from maskplug_torch.collate import Arrays, Collation, decoder_name
from maskplug_torch.features import Features
from maskplug_torch.layout import OutputLayout
from maskplug_torch.loop_time import LoopTime
from maskplug_torch.losses import predicts_nothing
from maskplug_torch.model_info import (
    ORDER,
    UNKNOWN,
    ModelInfo,
    check_embedded,
    fit_vocabulary,
    refuse,
    refuse_early,
    try_fitted,
)
from maskplug_torch.rows import PackedRows, Padding, Rows
from maskplug_torch.sample_labels import SampleLabels, replaced_by_objective

#: The column with the class of each token, for adaptive strategies; models do not receive it.
CLASSES_COLUMN = "maskplug_classes"


class MaskingCollator:
    """Mask and pad batches for any PyTorch training loop.

    A mask depends on the strategy, the seed, t and the sample's key: its ``sample_id``, or its
    index in a :class:`maskplug_torch.KeyedDataset`, or else its content. Samples are mappings, or
    bare rows of ids; see :class:`maskplug_hf.DataCollatorForMasking` for their columns.

    Args:
        vocabulary: the vocabulary of the ids.
        strategy: a name (``"span@1"``), a spec, or a ``maskplug.Strategy``.
        seed: from 0 to 2**64 - 1.
        pad_id: the id that fills ``input_ids``; by default that of the vocabulary.
        padding_side: "right" or "left".
        pad_to_multiple_of: widths are rounded up to a multiple of it.
        packed_length: pack several samples into each row of up to this number of tokens; None: pad.
        model: what is known of the model.
        return_tensors: "pt" for torch, "np" for numpy.
        sample_keys: whether batches have a column ``sample_keys``.
        strategy_options: the strategy's options (``rate=0.15``).

    Raises:
        MaskplugError: when strategy, options, vocabulary and model do not fit together.

    Example:
        >>> vocab = maskplug.Vocabulary(size=100, mask_id=4, pad_id=0, special_ids=[0, 2, 3, 4])
        >>> collator = MaskingCollator(vocab, rate=0.5, seed=1)
        >>> collator.set_epoch(0)
        >>> batch = collator([{"input_ids": [2, 17, 88, 3]}, {"input_ids": [2, 5, 3]}])
        >>> batch["input_ids"].shape, list(batch)
        (torch.Size([2, 4]), ['input_ids', 'attention_mask', 'labels'])
    """

    #: The types of batches with tensors and with numpy arrays.
    batch_type: type[Any] = Batch
    array_batch_type: type[Any] = dict

    def __init__(
        self,
        vocabulary: maskplug.Vocabulary,
        strategy: str | Mapping[str, Any] | maskplug.Strategy = "dynamic",
        *,
        seed: int = 0,
        pad_id: int | None = None,
        padding_side: Side = "right",
        pad_to_multiple_of: int | None = None,
        packed_length: int | None = None,
        model: ModelInfo = UNKNOWN,
        return_tensors: str = "pt",
        sample_keys: bool = False,
        **strategy_options: Any,
    ) -> None:
        self.vocabulary = self._whole_vocabulary = vocabulary
        self.strategy = maskplug.strategy(strategy, **strategy_options)
        self.seed = seed
        self.return_tensors = _check_kind(return_tensors)
        self.pad_to_multiple_of = whole_or_none("pad_to_multiple_of", pad_to_multiple_of)
        if packed_length is not None:
            check_argument("packed_length", packed_length, 1)
        self.packed_length = packed_length
        self.sample_keys = sample_keys
        self._pad_id = vocabulary.pad_id if pad_id is None else pad_id
        self._padding_side: Side = padding_side
        #: Whether samples without a time are evaluation data, as training samples carry theirs.
        self.attached = False
        #: The loss tables that an adaptive strategy follows.
        self.feedback: Tables | None = None
        #: What is known of the model.
        self.model_info = UNKNOWN
        self._loop = LoopTime(self.strategy)
        self._warned: set[str] = set()
        self._tried = self._dry_run()
        self._warm_up(self._tried)
        self._fit(model)

    @property
    def padding(self) -> Padding:
        """How batches are padded."""
        if self._pad_id is None:
            raise VocabularyError("the vocabulary has no pad_id; pass pad_id to the collator")
        return Padding(self._pad_id, self._padding_side, self.pad_to_multiple_of)

    @property
    def spec(self) -> dict[str, Any]:
        """The strategy's name, version and options."""
        return self.strategy.spec

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the spec."""
        return self.strategy.fingerprint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.strategy!r}, seed={self.seed})"

    def set_epoch(self, epoch: int, progress: float | None = None) -> None:
        """Set the epoch of the following batches, in a training loop of your own.

        Call it before the epoch's iterator is made; data-loading workers also receive it. It has
        no effect on evaluation copies, nor on samples that carry their time.

        Args:
            epoch: counted from 0.
            progress: for schedules, from 0 (start of training) to 1 (end of training). Without it
                they stay at their start, with a warning.

        Raises:
            OptionError: when either value is out of range.
        """
        if not self.attached:
            self._loop.set_epoch(epoch, progress)

    def for_evaluation(self) -> Self:
        """Return a copy for evaluation data in a training loop of your own.

        Its masks never change (t = 0, progress 0), so that evaluation losses are comparable, and
        samples with their own labels are not masked.
        """
        twin = copy.copy(self)
        twin.attached = True
        twin._warned = set(self._warned)
        return twin

    def __call__(self, features: Sequence[Any], return_tensors: str | None = None) -> Any:
        """Mask and pad a batch.

        Returns:
            A mapping with ``input_ids`` and ``attention_mask`` (unless samples are bare rows),
            int64 of shape (samples, width), and ``labels``: the samples' own; or the original id
            where masked, -100 elsewhere; or the targets, with a width of their own.
            Depending on the strategy also its annotations (``position_ids``), those of its targets
            (``decoder_input_ids``), ``loss_weights`` (float32, one per label) with
            ``loss_divisors`` (int64, (samples,), see :func:`maskplug_torch.weighted_loss`), and for
            predictions in an order ``perm_mask`` (float32, (samples, width, width), 1 = may not
            attend), ``target_mapping`` (samples, predicted, width) and labels of shape (samples,
            predicted). Then the samples' other columns, and ``sample_keys`` if requested: int64,
            (samples,), the bits of the uint64 keys.

        Raises:
            TokenError: naming the column and sample that do not fit, or a column that is missing.
            OptionError: when the model cannot predict what the strategy makes.
        """
        kind = self.return_tensors if return_tensors is None else _check_kind(return_tensors)
        parsed = Features.parse(features, self.strategy)
        collation = self._collation(self._mask(parsed), parsed)
        arrays = {"input_ids": collation.input_ids()}
        plan = self.strategy.feedback_plan
        if self.feedback is not None and plan is not None and plan.by != "token":
            arrays[CLASSES_COLUMN] = collation.token_classes(CLASSES)
        always = collation.rows.padding.attention_mask
        if parsed.has_attention_mask or (parsed.mappings and always):
            arrays["attention_mask"] = collation.attention_mask()
        arrays |= collation.other_columns()
        if self.model_info != UNKNOWN:
            self._warn_of_left_out(collation.masked, self.model_info)
            check_embedded(parsed, collation.masked, self.vocabulary, self.model_info)
        arrays |= collation.annotations()
        if parsed.labels is None:
            arrays |= self._predictions(collation)
        else:
            arrays |= self._sample_labels(parsed.labels, collation)
        if self.sample_keys:  # as int64, because torch barely supports uint64
            arrays["sample_keys"] = collation.sample_keys()
        if kind == "np":
            return self.array_batch_type(arrays)
        return self.batch_type({name: torch.from_numpy(a) for name, a in arrays.items()})

    def _mask(self, features: Features) -> Masked:
        clean = self.attached and not features.training and features.labels is not None
        if clean and not replaced_by_objective(features, self._tried, self.model_info):
            return maskplug.strategy("none")(features.tokens, self.vocabulary)
        time = features.time
        if time is None:
            time = {} if self.attached else self._loop.now()
        return self.strategy(
            features.tokens, self.vocabulary, seed=self.seed, feedback=self.feedback, **time
        )

    def _collation(self, masked: Masked, features: Features) -> Collation:
        room = self.packed_length
        layout = OutputLayout(features, masked.inputs, keep_padding=room is None)
        padding = self.padding
        rows = Rows(layout, padding) if room is None else PackedRows(layout, padding, room)
        return Collation(masked, layout, rows, self.model_info)

    def _predictions(self, collation: Collation) -> Arrays:
        """Return the labels or targets of the strategy."""
        model = self.model_info
        if model != UNKNOWN:
            refuse(collation.masked, model, self.strategy.label)
        arrays = collation.predictions()
        nothing = not self.attached and predicts_nothing(arrays.get("labels"), model.predicts_next)
        if nothing and "nothing" not in self._warned and self._predicts_anything():
            keys = collation.layout.features.tokens.keys
            self._warn_once(
                "nothing",
                f"nothing is predicted in a batch of {len(keys)} samples (the first has the key "
                f"{keys[0]}), and models compute the loss NaN: leave out samples without a token "
                "that can be masked, or skip such batches (if (batch['labels'] != -100).any())",
            )
        return arrays

    def _sample_labels(self, labels: Ragged | np.ndarray[Any, Any], collation: Collation) -> Arrays:
        """Return the samples' labels, or the strategy's where those are copies of the inputs."""
        layout, masked = collation.layout, collation.masked
        packed = self.packed_length is not None
        if packed and (
            not isinstance(labels, Ragged) or (labels.lengths != layout.features.lengths).any()
        ):
            raise TokenError(
                "packed labels need one label for each token; these have another length than their "
                "samples, or are one per sample: pad them (DataCollatorForMasking)"
            )
        if not isinstance(labels, Ragged):
            return {"labels": layout.check_not_per_token("labels", labels)}
        samples = SampleLabels(labels, layout, masked, self.model_info, self.strategy.label)
        keep, warning = samples.decide(self._tried)
        if warning:
            self._warn_once("labels", warning)
        if not keep:
            return self._predictions(collation)
        if packed or samples.are_per_token():
            return collation.label_per_token(labels)
        return collation.label_sequences(labels)

    def _predicts_anything(self) -> bool:
        """Whether the strategy predicts anything at all; noise does not."""
        tries = [self.strategy.dry_run(self.vocabulary, seed) for seed in range(8)]
        return any(
            tried.targets is not None
            or (tried.labels is not None and bool((tried.labels.values != IGNORE).any()))
            for tried in tries
        )

    def _warn_once(self, topic: str, message: str) -> None:
        if topic not in self._warned:
            self._warned.add(topic)
            warnings.warn(message, MaskplugWarning, stacklevel=4)

    def _dry_run(self) -> Masked:
        """Raise every error of strategy, seed and vocabulary now, not in a worker at step 1."""
        self.padding.width(np.zeros(1, np.int64))
        tried = self.strategy.dry_run(self.vocabulary, self.seed)
        in_place = tried.targets is None and ORDER not in tried.annotations
        if self.packed_length is not None and not in_place:
            raise OptionError(
                f"strategy {self.strategy.label!r} does not predict its inputs in place, which is "
                "needed to pack rows: choose a strategy with labels in place ('dynamic', 'span', "
                "'fim'), or pad (DataCollatorForMasking)"
            )
        return tried

    def _warm_up(self, tried: Masked) -> None:
        """Run the code of a batch outside of the strategy, so that workers do not compile it."""
        if self.packed_length is not None and len(tried.inputs.values) > self.packed_length:
            return  # it would be refused
        warm_up(tried)
        pad(Ragged(np.arange(3), np.array([0, 1, 3])), self.padding.pad_id)
        ids = self.vocabulary.ordinary[:8].tolist()  # as in the dry run
        sample = {
            "input_ids": ids,
            **{name: [0] * len(ids) for name in self.strategy.required_annotations},
        }
        collation = self._collation(tried, Features.parse([sample], self.strategy))
        collation.input_ids(), collation.attention_mask()
        collation.annotations(), collation.predictions()

    def _fit(self, model: ModelInfo) -> None:
        """Adapt to a model, and refuse what cannot be trained with it."""
        if model == self.model_info:
            return
        if self.model_info.embeddings != model.embeddings:
            vocab = fit_vocabulary(self._whole_vocabulary, self.padding.pad_id, model)
            if vocab is not self.vocabulary:
                self.vocabulary = vocab
                self._tried = try_fitted(self.strategy, vocab, self.seed, model)
        self.model_info = model
        refuse_early(self._tried, model, self.strategy.label)
        self._warned = {topic for topic in self._warned if not topic.startswith("no argument ")}
        self._warn_of_left_out(self._tried, model, stacklevel=4)
        if self.packed_length is not None and model.has_decoder:
            raise OptionError(
                f"{model.name} has an encoder and a decoder, and their pairs cannot be packed: pad "
                "them (DataCollatorForMasking)"
            )

    def _warn_of_left_out(self, masked: Masked, model: ModelInfo, stacklevel: int = 3) -> None:
        names = [name for name in masked.annotations if name != ORDER]
        names += map(decoder_name, masked.target_annotations)
        topics = {f"no argument {n}": n for n in names if not model.accepts(n)}
        new = [name for topic, name in topics.items() if topic not in self._warned]
        if not new:
            return
        self._warned.update(topics)
        warnings.warn(
            f"strategy {self.strategy.label!r} makes {', '.join(map(repr, new))}, but {model.name} "
            "has no such argument: the model is trained without",
            MaskplugWarning,
            stacklevel=stacklevel,
        )


def whole_or_none(name: str, value: Any) -> int | None:
    """Return an optional argument that must be an integer, or raise an `OptionError`."""
    if value is None:
        return None
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise OptionError(f"{name} is {shortened(value)}; it must be an integer or None")


def _check_kind(return_tensors: str) -> str:
    if return_tensors not in ("pt", "np"):
        raise OptionError(f"return_tensors is {return_tensors!r}; choices: 'pt' (torch), 'np'")
    return return_tensors
