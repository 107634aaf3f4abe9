"""The task ``maskplug_denoising``: a decoder restores what noise took from a text."""

from __future__ import annotations

import os
from typing import Any

import torch
from fairseq import utils
from fairseq.data import Dictionary
from fairseq.tasks import FairseqTask, register_task

from maskplug import Masked, OptionError, Strategy, compose
from maskplug.types import IntArray
from maskplug_fairseq.blocks import Cut
from maskplug_fairseq.loaded import joined
from maskplug_fairseq.monolingual import DenoisingDataset
from maskplug_fairseq.options import MaskplugDenoisingConfig
from maskplug_fairseq.rows import Rows
from maskplug_fairseq.task import MaskingTask, refuse_layers, short_of_sentinels
from maskplug_fairseq.vocabulary import MASK


class OneDictionaryTask(FairseqTask):  # type: ignore[misc]
    """A task whose sources and targets share the dictionary in the first data folder."""

    def __init__(self, cfg: Any, dictionary: Any) -> None:
        super().__init__(cfg)
        self.dictionary = dictionary

    @classmethod
    def setup_task(cls, cfg: Any, **kwargs: Any) -> Any:
        """Load the dictionary, ``dict.txt``, and make the task."""
        folder = utils.split_paths(cfg.data)[0]
        return cls(cfg, Dictionary.load(os.path.join(folder, "dict.txt")))

    @property
    def source_dictionary(self) -> Any:
        """The dictionary."""
        return self.dictionary

    @property
    def target_dictionary(self) -> Any:
        """The dictionary."""
        return self.dictionary


@register_task("maskplug_denoising", dataclass=MaskplugDenoisingConfig)
class MaskplugDenoisingTask(MaskingTask, OneDictionaryTask):
    """As fairseq's ``denoising`` and ``multilingual_denoising``, for any text-to-text strategy.

    The key of a sample is its row number, or with ``--langs`` ``derive(number, language)``.
    Validation and test sets are masked as at the very start of training; without a strategy,
    fairseq-generate and fairseq-interactive read the text as it is.
    """

    def __init__(self, cfg: Any, dictionary: Any) -> None:
        if not 0 <= cfg.multilang_sampling_alpha <= 1:
            raise OptionError(
                f"--multilang-sampling-alpha is {cfg.multilang_sampling_alpha}; it goes from 0 "
                "(as many rows of each language) to 1 (every row once)"
            )
        if cfg.add_lang_token and not cfg.langs:
            raise OptionError("--add-lang-token needs --langs, the languages in the data folder")
        super().__init__(cfg, dictionary)

    def added_symbols(self) -> list[str]:
        """The languages' symbols and ``<mask>``, in fairseq's order."""
        marks = [f"[{name}]" for name in self.languages] if self.cfg.add_lang_token else []
        return [*marks, MASK]

    @property
    def languages(self) -> list[str]:
        """The names of the texts; "" for the one without ``--langs``."""
        return str(self.cfg.langs).split(",")

    def check_result(self, masked: Masked) -> None:
        """Targets for a decoder, and nothing that the model does not take.

        Raises:
            OptionError: for any other strategy; the message says what to do.
        """
        who = f"strategy {self.masking_strategy.label!r}"
        if masked.targets is None:
            raise OptionError(
                f"{who} predicts in place, and a denoising decoder needs a text to generate: use "
                "--task maskplug_masked_lm, or a strategy with targets (bart, t5, or compose with "
                '"target": "original")'
            )
        refuse_layers(who, masked)

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load and mask a split; only the training split's masks follow the epochs.

        Raises:
            OptionError: when there is no strategy, or it needs a time that this run cannot tell.
            VocabularyError: when the longest row needs more sentinels than there are.
        """
        trained = self.trains_on(split, kwargs)
        saved = kwargs.get("task_cfg")
        marked = bool(getattr(self.cfg if saved is None else saved, "add_lang_token", False))
        made = self._noise(inference=saved is not None)
        rows = Rows(
            {name: self._text(name, split, epoch, combine, marked) for name in self.languages},
            made.bounds,
            self.cfg.seed,
            self.cfg.multilang_sampling_alpha if trained else 1.0,
        )
        if trained:
            self.check_time()
        dataset = DenoisingDataset(
            rows,
            self.masking_vocabularies["source"],
            {name: self._end(name, marked)[-1] for name in self.languages},
            strategy=made,
            seed=self.cfg.masking_seed,
            max_epoch=self.cfg.max_epoch,
            frozen=not trained,
        )
        with short_of_sentinels():  # the longest row needs the most; it should fail now
            dataset.collater([dataset[int(rows.sizes.argmax())]])
        self.datasets[split] = dataset

    def _noise(self, inference: bool) -> Strategy:
        if not self.idle:
            return self.masking_strategy
        if inference:
            return clean()
        raise OptionError(
            f"--masking-plugin is {self.cfg.masking_plugin}, which takes nothing away, so that "
            "there is nothing to restore: name a strategy with targets (maskplug list)"
        )

    def _end(self, language: str, marked: bool) -> tuple[int, ...]:
        """What stands at the end of a row; the decoder begins with the last of it."""
        eos = self.dictionary.eos()
        if not marked:
            return (eos,)
        mark = f"[{language}]"
        if mark not in self.dictionary:
            raise OptionError(
                f"the rows end with their language's symbol, and the model has no {mark!r}: name "
                "with --langs languages that it was trained on"
            )
        return (eos, self.dictionary.index(mark))

    def _text(self, language: str, split: str, epoch: int, combine: bool, marked: bool) -> Any:
        paths = utils.split_paths(self.cfg.data)
        folder = os.path.join(paths[(epoch - 1) % len(paths)], language)
        cut = Cut(
            str(self.cfg.sample_break_mode),
            self.cfg.tokens_per_sample,
            (self.dictionary.bos(),),
            self._end(language, marked),
            bare=True,
        )
        return cut.rows(folder, split, self.dictionary, combine)

    def max_positions(self) -> tuple[int, int]:
        """The longest source and target that are used."""
        return self.cfg.max_source_positions, self.cfg.max_target_positions

    def uneven_epochs(self) -> str:
        """Resampling makes epochs uneven, too."""
        if len(self.languages) > 1 and self.cfg.multilang_sampling_alpha != 1:
            return "--multilang-sampling-alpha"
        return super().uneven_epochs()

    def build_dataset_for_inference(
        self, src_tokens: list[Any], src_lengths: Any, **kwargs: Any
    ) -> Any:
        """Lines that a user types, each a row of its own, as it is.

        Raises:
            OptionError: when their language is not known.
        """
        if self.cfg.add_lang_token and len(self.languages) > 1:
            raise OptionError("--langs names several languages; name the one that is typed")
        language = self.languages[0]
        marked = self.cfg.add_lang_token
        end = self._end(language, marked)
        lines = _Lines(
            [torch.tensor([self.dictionary.bos(), *line.tolist(), *end[1:]]) for line in src_tokens]
        )
        made, vocab = clean(), self.masking_vocabularies["source"]
        rows = Rows({language: lines}, made.bounds, self.cfg.seed)
        return DenoisingDataset(
            rows, vocab, {language: end[-1]}, strategy=made, seed=self.cfg.masking_seed, frozen=True
        )

    def inference_step(
        self,
        generator: Any,
        models: Any,
        sample: dict[str, Any],
        prefix_tokens: Any = None,
        constraints: Any = None,
    ) -> list[Any]:
        """Generate language by language: each begins with its own symbol."""
        heads = sample.get("heads")
        if heads is None:  # fairseq-interactive keeps nothing but the sources
            head = self._end(self.languages[0], self.cfg.add_lang_token)[-1]
            heads = torch.full((len(sample["net_input"]["src_tokens"]),), head)
        found: list[Any] = [None] * len(heads)
        for head in heads.unique().tolist():
            rows = (heads == head).nonzero().flatten()
            with torch.no_grad():
                made = generator.generate(
                    models,
                    _take(sample, rows),
                    prefix_tokens=None if prefix_tokens is None else prefix_tokens[rows],
                    constraints=None if constraints is None else constraints[rows],
                    bos_token=head,
                )
            for row, hypotheses in zip(rows.tolist(), made, strict=True):
                found[row] = hypotheses
        return found


def clean() -> Strategy:
    """No noise: what is there must be said again."""
    return compose("nothing", "delete", "original", "never")


class _Lines(list[torch.Tensor]):
    """Rows in memory."""

    @property
    def sizes(self) -> list[int]:
        return [len(line) for line in self]

    def load(self, numbers: IntArray) -> tuple[IntArray, IntArray, None]:
        """Rows by their numbers; a row is a line."""
        return *joined([self[number] for number in numbers.tolist()]), None


def _take(batch: dict[str, Any], rows: torch.Tensor) -> dict[str, Any]:
    """Some rows of a batch."""
    taken = {name: value[rows] for name, value in batch.items() if torch.is_tensor(value)}
    return {**taken, "net_input": {n: value[rows] for n, value in batch["net_input"].items()}}
