"""The collator: features in, masked and padded tensors out."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from transformers import BatchEncoding

import maskplug
from maskplug.collate import Side, pad, padded_width
from maskplug.errors import MaskplugWarning, OptionError, VocabularyError
from maskplug.ragged import Ragged
from maskplug.tokens import Masked
from maskplug.warm_up import warm_up
from maskplug_hf.arguments import check_vocabulary, refuse_foreign, whole_or_none
from maskplug_hf.batch import take_keys, take_tokens
from maskplug_hf.columns import Column, aligned, columns_of, stacked
from maskplug_hf.decoder import decoded
from maskplug_hf.embeddings import check_embedded, embedded, lacks_embeddings, try_embedded
from maskplug_hf.feedback import SharedTables
from maskplug_hf.labels import take_labels
from maskplug_hf.loop_time import LoopTime
from maskplug_hf.model import ModelFacts, refuse, refuse_early
from maskplug_hf.outputs import Arrays, Outputs, untaken
from maskplug_hf.own_labels import OwnLabels, make_way
from maskplug_hf.predicted import nothing_predicted, predicts, predicts_nothing
from maskplug_hf.samples import Sample
from maskplug_hf.shown import Given, Shown
from maskplug_hf.travel import Batch
from maskplug_hf.vocabulary import vocabulary as vocabulary_of


class DataCollatorForMasking:
    """Masks and pads; takes the place of transformers' ``DataCollatorForLanguageModeling``.

    A mask depends on the strategy, the seed, t and the sample's key: the ``sample_id`` column if
    there is one, the index in the dataset after :func:`maskplug_hf.attach`, else the content.

    Features are mappings (or bare rows of ids) whose values are lists, numpy or torch rows:

    - ``input_ids``; ``attention_mask``, whose zeros are padding and never masked;
    - ``special_tokens_mask``: 1 = never masked, besides the tokenizer's special tokens;
    - ``word_ids``: the number of each token's word, None or -1 for special tokens;
    - ``word_starts``, ``sentence_starts`` (1 = one begins), ``protected`` (1 = never masked), and
      whatever else the strategy reads: one number for each token;
    - ``sample_id``: an int, str or bytes;
    - ``labels`` (or ``label``, ``label_ids``): the sample's own. They are kept, and only the inputs
      are masked: texts to generate are padded with -100, labels of tokens follow their tokens,
      single labels are stacked. What an attached Trainer evaluates is not masked at all then. Of an
      objective with weights, an order, targets or a label for each input, copies of ``input_ids``
      take nothing away; other labels of tokens are refused, unless the model predicts no tokens;
    - ``token_type_ids`` are padded; other columns are stacked.

    Args:
        tokenizer: gives the padding, and the vocabulary unless that is given.
        strategy: a name (``"span@1"``), a spec, or a ``maskplug.Strategy``.
        seed: from 0 to 2**64 - 1.
        model: tells what it takes, which ids it has embeddings for, and how ``decoder_input_ids``
            are made of labels if it has a decoder; the collator does not keep it. Layers that it
            does not take are left out; an objective that it cannot predict is refused.
        return_tensors: "pt" for torch, "np" for numpy.
        pad_to_multiple_of: rounds the width up.
        mask_id: the id to use as mask where the tokenizer has none of its own, or instead of it.
        vocabulary: to use instead of ``maskplug_hf.vocabulary(tokenizer, mask_id)``.
        sample_keys: whether batches hold ``sample_keys``, for attention patterns that draw.
        strategy_options: the strategy's options (``rate=0.15``).

    Raises:
        MaskplugError: when strategy, options and tokenizer do not fit together.
    """

    def __init__(
        self,
        tokenizer: Any,
        strategy: str | Mapping[str, Any] | maskplug.Strategy = "dynamic",
        *,
        seed: int = 0,
        model: Any = None,
        return_tensors: str = "pt",
        pad_to_multiple_of: int | None = None,
        mask_id: int | None = None,
        vocabulary: maskplug.Vocabulary | None = None,
        sample_keys: bool = False,
        **strategy_options: Any,
    ) -> None:
        refuse_foreign(strategy, strategy_options)
        self.tokenizer = tokenizer
        self.strategy = maskplug.strategy(strategy, **strategy_options)
        self.seed = seed
        self.return_tensors = _known(return_tensors)
        self.pad_to_multiple_of = whole_or_none("pad_to_multiple_of", pad_to_multiple_of)
        mask_id = whole_or_none("mask_id", mask_id)
        check_vocabulary(vocabulary, mask_id)
        self.vocabulary = vocabulary_of(tokenizer, mask_id) if vocabulary is None else vocabulary
        self._whole_vocabulary = self.vocabulary
        self.sample_keys = sample_keys
        #: Whether plain features are evaluation data, because training data come with their time.
        self.attached = False
        #: The losses that an adaptive strategy follows; attach sets it.
        self.feedback: SharedTables | None = None
        self._loop = LoopTime(self.strategy)
        self._looked = False
        self._told_of_nothing = False
        self._left_out: set[str] = set()
        #: What is known of the model, from ``model`` or from attach.
        self.facts: ModelFacts | None = None
        self._tried = self._try()
        self._rehearse(self._tried)
        if model is not None:
            self._fit(ModelFacts.of(model))

    @property
    def spec(self) -> dict[str, Any]:
        """The strategy's name, version and options."""
        return self.strategy.spec

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stand for the spec."""
        return self.strategy.fingerprint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.strategy!r}, seed={self.seed})"

    def set_epoch(self, epoch: int, progress: float | None = None) -> None:
        """Say which epoch comes next, in a training loop of one's own.

        Call it before the epoch's iterator is made; it reaches data-loading workers. Trainer needs
        :func:`maskplug_hf.attach` instead. It has no effect on the copies that attach and
        :meth:`for_evaluation` make.

        Args:
            epoch: counted from 0.
            progress: for schedules, from 0 (start of training) to 1 (its end). Without it they
                stay at their start, and there is a warning.

        Raises:
            OptionError: when the epoch is no whole number, or one of them is out of range.
        """
        if not self.attached:
            self._loop.set_epoch(epoch, progress)

    def for_evaluation(self) -> Self:
        """A copy for the evaluation data of a training loop of one's own.

        Its masks never change (t = 0, progress 0), so that evaluation losses can be compared, and
        samples with labels of their own are not masked. :func:`maskplug_hf.attach` does the same.

        Example:
            >>> import transformers
            >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]
            >>> tokenizer = transformers.BertTokenizer(vocab={w: i for i, w in enumerate(words)})
            >>> collator = DataCollatorForMasking(tokenizer, rate=0.5, return_tensors="np")
            >>> evaluation = collator.for_evaluation()
            >>> first = evaluation([[2, 5, 6, 7, 8, 3]])["input_ids"]
            >>> collator.set_epoch(1)
            >>> bool((evaluation([[2, 5, 6, 7, 8, 3]])["input_ids"] == first).all())
            True
        """
        return self.as_attached()

    def as_attached(self, model: Any = None) -> Self:
        """A copy for a Trainer whose datasets bring the time; plain features are evaluated.

        Args:
            model: the trainer's. A model of another class that the constructor was given is asked
                in its place.

        Raises:
            OptionError: when the model cannot predict what the strategy asks for.
        """
        twin = copy.copy(self)
        twin.attached = True
        if model is not None:
            facts = ModelFacts.of(model)
            # A model of another class is a wrapper, of which less is known than of what it wraps.
            if self.facts is None or self.facts.name == facts.name:
                twin._fit(facts)
        return twin

    def __call__(
        self, features: Sequence[Any], return_tensors: str | None = None
    ) -> BatchEncoding[Any]:
        """Mask and pad a batch.

        Returns:
            A ``BatchEncoding`` of ``input_ids`` and ``attention_mask`` (unless features are bare
            rows), int64 of shape (samples, width), and ``labels``: the samples' own; else the
            original id where masked, -100 elsewhere; else the targets, of a width of their own.
            With them come, where the strategy makes them, its layers (``position_ids``), those of
            its targets (``decoder_input_ids``), ``loss_weights`` (float32, one for each label) with
            ``loss_divisors`` (int64 of shape (samples,), see :func:`maskplug_hf.weighted_loss`),
            and for predictions in an order ``perm_mask`` (float32, (samples, width, width), 1 = may
            not see), ``target_mapping`` (samples, predicted, width) and labels of shape (samples,
            predicted). Other columns of the features follow, and where they were asked for
            ``sample_keys``: int64 of shape (samples,), the bits of the uint64 keys.

        Raises:
            TokenError: naming column and row when features do not fit together, or the column that
                the strategy reads and the features lack.
            OptionError: when the model cannot predict what the strategy asks for.
        """
        kind = self.return_tensors if return_tensors is None else _known(return_tensors)
        columns = columns_of(features)
        keys = take_keys(features, columns)
        own = take_labels(columns)
        given = take_tokens(columns, keys, self.strategy)
        if own is not None and self._evaluates_clean(features, own, given):
            masked = maskplug.strategy("none")(given.tokens, self.vocabulary)
        else:
            masked = self.strategy(
                given.tokens,
                self.vocabulary,
                seed=self.seed,
                feedback=self.feedback,
                **self._time(features),
            )
        out = self._outputs(masked, Shown(given, masked.inputs))
        arrays = {"input_ids": out.input_ids()}
        if self.feedback is not None:
            arrays |= self.feedback.columns(out)
        wanted = "attention_mask" in self.tokenizer.model_input_names
        if columns.pop("attention_mask", None) or (wanted and isinstance(features[0], Mapping)):
            arrays["attention_mask"] = out.attention_mask()
        arrays |= self._others(columns, out)
        arrays |= self._layers(out)
        arrays |= self._predictions(out) if own is None else self._own(own, out)
        if self.sample_keys:  # torch can do little with uint64, and next to nothing on a GPU
            arrays["sample_keys"] = out.sample_keys()
        return _tensors(arrays, kind)

    def _try(self) -> Masked:
        """Meet every error of strategy, seed and vocabulary now, not in a worker at step 1."""
        padded_width(np.zeros(1, np.int64), self.pad_to_multiple_of)
        if self._pad_id is None:
            raise VocabularyError(
                f"{type(self.tokenizer).__name__} has no padding token; give it one "
                "(tokenizer.pad_token = tokenizer.eos_token, for example)"
            )
        return self.strategy.dry_run(self.vocabulary, self.seed)

    def _rehearse(self, tried: Masked) -> None:
        """Go a batch's way outside of the strategy, so that workers find all of it compiled."""
        warm_up(tried)
        pad(Ragged(np.arange(3), np.array([0, 1, 3])), self._pad_id)
        ids = self.vocabulary.ordinary[:8].tolist()  # what was tried
        feature = {
            "input_ids": ids,
            **{name: [0] * len(ids) for name in self.strategy.required_annotations},
        }
        given = take_tokens(columns_of([feature]), None, self.strategy)
        out = self._outputs(tried, Shown(given, tried.inputs))
        out.input_ids(), out.attention_mask(), out.layers(), out.predictions()

    def _fit(self, facts: ModelFacts) -> None:
        """Take up what is known of the model, and meet now what cannot be trained with it."""
        if facts == self.facts:
            return
        if self.facts is None or self.facts.embeddings != facts.embeddings:
            self._fit_vocabulary(facts)
        self.facts = facts
        refuse_early(self._tried, facts, self.strategy.label)
        self._left_out = set()
        self._warn_of_left_out(self._tried, facts)

    def _fit_vocabulary(self, facts: ModelFacts) -> None:
        """Write only tokens that the model has; it may have more now than at construction."""
        vocab = self._whole_vocabulary
        if lacks_embeddings(vocab, facts):
            vocab = embedded(vocab, self._pad_id, facts)
        if vocab is not self.vocabulary:
            self.vocabulary = vocab
            self._tried = try_embedded(self.strategy, vocab, self.seed, facts)

    def _warn_of_left_out(self, masked: Masked, model: ModelFacts) -> None:
        new = [name for name in untaken(masked, model) if name not in self._left_out]
        if not new:
            return
        self._left_out.update(new)
        warnings.warn(
            f"strategy {self.strategy.label!r} gives {', '.join(map(repr, new))}, for which "
            f"{model.name} has no argument: the model is trained without",
            MaskplugWarning,
            stacklevel=4,
        )

    @property
    def _pad_id(self) -> Any:
        own = self.tokenizer.pad_token_id
        return self.vocabulary.pad_id if own is None else own

    @property
    def _side(self) -> Side:
        return "left" if self.tokenizer.padding_side == "left" else "right"

    def _outputs(self, masked: Masked, shown: Shown) -> Outputs:
        return Outputs(masked, shown, self.facts, self._pad_id, self._side, self.pad_to_multiple_of)

    def _evaluates_clean(self, features: Sequence[Any], labels: Any, given: Given) -> bool:
        """Whether a Trainer evaluates these, whose labels are kept, as they are."""
        first = features[0]
        trained = isinstance(first, Sample) and first.trained  # only training data have a time
        if trained or not self.attached:
            return False
        return not make_way(labels, given, self._tried, self.facts)

    def _time(self, features: Sequence[Any]) -> dict[str, Any]:
        if isinstance(features[0], Sample):
            return {
                "epoch": np.array([feature.epoch for feature in features]),
                "step": np.array([feature.step for feature in features]),
                "progress": np.array([feature.progress for feature in features]),
            }
        return {} if self.attached else self._loop.now()

    def _others(self, columns: dict[str, Column], out: Outputs) -> Arrays:
        """The columns that have nothing to do with masking."""
        arrays: Arrays = {}
        for name, values in columns.items():
            if name == "token_type_ids":
                types = out.shown.followed(aligned(name, values, out.shown.given.offsets), name)
                arrays[name] = out.pad(types, self.tokenizer.pad_token_type_id, out.width)
            else:
                arrays[name] = out.shown.check_unmoved(name, stacked(name, values))
        return arrays

    def _layers(self, out: Outputs) -> Arrays:
        if self.facts is not None:
            self._warn_of_left_out(out.masked, self.facts)
            check_embedded(out, self.vocabulary, self.facts)
        return out.layers()

    def _predictions(self, out: Outputs) -> Arrays:
        """What the strategy wants predicted."""
        if self.facts is not None:
            refuse(out.masked, self.facts, self.strategy.label)
        arrays = out.predictions()
        shifts = self.facts is not None and self.facts.shifts
        if not self.attached and predicts_nothing(arrays.get("labels"), shifts):
            self._warn_of_nothing(out)
        return arrays if out.masked.targets is None else decoded(arrays, self.facts)

    def _warn_of_nothing(self, out: Outputs) -> None:
        if not self._told_of_nothing and predicts(self.strategy, self.vocabulary):
            self._told_of_nothing = True
            message = nothing_predicted(out.shown.given.tokens.keys)
            warnings.warn(message, MaskplugWarning, stacklevel=4)

    def _own(self, labels: Any, out: Outputs) -> Arrays:
        """The samples' own labels, or the strategy's where those are copies of the inputs."""
        if not isinstance(labels, Ragged):
            return {"labels": out.shown.check_unmoved("labels", labels)}
        own = OwnLabels(labels, out, self.facts, self.strategy.label)
        verdict = own.judged(self._tried)
        if verdict.warning and not self._looked:
            self._looked = True
            warnings.warn(verdict.warning, MaskplugWarning, stacklevel=4)
        return self._kept(own) if verdict.kept else self._predictions(out)

    def _kept(self, labels: OwnLabels) -> Arrays:
        if labels.follow_tokens:
            return labels.at_their_tokens()
        return decoded(labels.as_texts(), self.facts)


def _known(return_tensors: str) -> str:
    if return_tensors not in ("pt", "np"):
        raise OptionError(f"return_tensors is {return_tensors!r}; choices: 'pt' (torch), 'np'")
    return return_tensors


def _tensors(arrays: Arrays, kind: str) -> BatchEncoding[Any]:
    if kind == "np":
        return BatchEncoding(arrays)
    return Batch({name: torch.from_numpy(array) for name, array in arrays.items()})
