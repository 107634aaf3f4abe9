"""The task ``maskplug_denoising``: a decoder restores a text from its masked form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from fairseq import utils
from fairseq.data import Dictionary, ListDataset
from fairseq.tasks import register_task
from fairseq.tasks.denoising import DenoisingTask

from maskplug import Masked, OptionError, Strategy, Vocabulary, compose
from maskplug.collate import pad
from maskplug_fairseq.dataset import shift_right
from maskplug_fairseq.masked_lm import MaskedRowsDataset
from maskplug_fairseq.options import MaskplugDenoisingConfig
from maskplug_fairseq.rows import RowBatch, Rows, TextRows, load_texts
from maskplug_fairseq.task import MaskingTask, explain_sentinels
from maskplug_fairseq.vocabulary import MASK


@cache
def unmasked() -> Strategy:
    """Return a strategy that leaves sources unmasked; its targets are the sources."""
    return compose("nothing", "delete", "original", "never")


class DenoisingDataset(MaskedRowsDataset):
    """Generate the strategy's targets from the masked rows; batches start with the longest source.

    ``first_tokens`` are the first tokens of the decoder's input by text.
    """

    def __init__(
        self, dataset: Rows, vocab: Vocabulary, first_tokens: Mapping[str, int], **options: Any
    ) -> None:
        super().__init__(dataset, vocab, **options)
        self.first_tokens = np.array([first_tokens[name] for name in dataset.names], np.int64)

    def collate(self, rows: RowBatch, masked: Masked) -> dict[str, Any]:
        """Return a text-to-text batch, and ``first_tokens``: the decoder's first tokens."""
        assert masked.targets is not None  # checked by the task
        order = np.argsort(-masked.inputs.lengths, kind="stable")
        first = self.first_tokens[rows.texts]
        sources, targets, decoder_inputs = (
            torch.from_numpy(pad(ragged, self.pad_id)[order])
            for ragged in (masked.inputs, masked.targets, shift_right(masked.targets, first))
        )
        return {
            "id": torch.from_numpy(rows.indices[order]),
            "nsentences": len(rows),
            "ntokens": len(masked.targets.values),
            "net_input": {
                "src_tokens": sources,
                "src_lengths": torch.from_numpy(masked.inputs.lengths[order]),
                "prev_output_tokens": decoder_inputs,
            },
            "target": targets,
            "first_tokens": torch.from_numpy(first[order]),
        }


class OneDictionaryTask(DenoisingTask):  # type: ignore[misc]
    """fairseq's ``denoising`` without the options of its own noise."""

    @classmethod
    def setup_task(cls, cfg: Any, **kwargs: Any) -> Any:
        """Load ``dict.txt`` of the first data folder and create the task."""
        folder = utils.split_paths(cfg.data)[0]
        return cls(cfg, Dictionary.load(os.path.join(folder, "dict.txt")))


@register_task("maskplug_denoising", dataclass=MaskplugDenoisingConfig)
class MaskplugDenoisingTask(MaskingTask, OneDictionaryTask):
    """fairseq's ``denoising`` and ``multilingual_denoising`` with any text-to-text strategy.

    The key of a sample is its row number; with ``--langs``, ``derive(number, language)``.
    Validation and test sets have the masks of epoch 0 in every epoch. fairseq-generate and
    fairseq-interactive read unmasked text if no strategy is given.
    """

    def __init__(self, cfg: Any, dictionary: Any) -> None:
        if not 0 <= cfg.multilang_sampling_alpha <= 1:
            raise OptionError(
                f"--multilang-sampling-alpha is {cfg.multilang_sampling_alpha}; it must be from 0 "
                "(equally many rows of each language) to 1 (every row once)"
            )
        if cfg.add_lang_token and not cfg.langs:
            raise OptionError("--add-lang-token needs --langs, the languages in the data folder")
        super().__init__(cfg, dictionary)

    def added_symbols(self) -> list[str]:
        """Return the language symbols and ``<mask>``, in fairseq's order."""
        marks = [f"[{name}]" for name in self.languages] if self.cfg.add_lang_token else []
        return [*marks, MASK]

    @property
    def languages(self) -> list[str]:
        """The names of the texts; [""] without ``--langs``."""
        return str(self.cfg.langs).split(",")

    def check_result(self, masked: Masked) -> None:
        """Require targets for a decoder, and no other outputs."""
        if masked.targets is None:
            raise OptionError(
                f"{self._strategy_name} predicts in place, but a denoising decoder needs a text to "
                "generate: use --task maskplug_masked_lm, or a strategy with targets (bart, t5, or "
                'compose with "target": "original")'
            )
        self.refuse_annotations(masked)

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load and mask a split; only the masks of the training split change with the epoch."""
        trained = self.is_trained(split, kwargs)
        saved = kwargs.get("task_cfg")
        marked = bool(getattr(self.cfg if saved is None else saved, "add_lang_token", False))
        strategy = self.masking_strategy
        if self.masks_nothing:
            if saved is None:
                raise OptionError(
                    f"--masking-plugin is {self.cfg.masking_plugin}, which masks nothing, so there "
                    "is nothing to restore: choose a strategy with targets (maskplug list)"
                )
            strategy = unmasked()
        if trained:
            self.check_time()
        endings = {name: self._row_end(name, marked) for name in self.languages}
        texts = load_texts(self.cfg, self.dictionary, endings, split, epoch, combine, drop_eos=True)
        alpha = self.cfg.multilang_sampling_alpha if trained else 1.0
        rows = Rows(texts, strategy.bounds, self.cfg.seed, alpha)
        dataset = DenoisingDataset(
            rows,
            self.masking_vocabularies["source"],
            {name: end[-1] for name, end in endings.items()},
            **{**self.dataset_options, "strategy": strategy},
            fixed_masks=not trained,
        )
        with explain_sentinels():  # the longest row needs most sentinels; fail before training
            dataset.collater([dataset[int(rows.sizes.argmax())]])
        self.datasets[split] = dataset

    def _row_end(self, language: str, marked: bool) -> tuple[int, ...]:
        """Return the special tokens at the end of a row; the decoder starts with the last one."""
        eos = self.dictionary.eos()
        if not marked:
            return (eos,)
        mark = f"[{language}]"
        if mark not in self.dictionary:
            raise OptionError(
                f"rows end with their language's symbol, but the model has no {mark!r}: set "
                "--langs to languages that it was trained on"
            )
        return (eos, self.dictionary.index(mark))

    def uneven_epochs_reason(self) -> str:
        """Return why epochs may differ in their number of batches; resampling is one reason."""
        if len(self.languages) > 1 and self.cfg.multilang_sampling_alpha != 1:
            return "--multilang-sampling-alpha"
        return super().uneven_epochs_reason()

    def build_dataset_for_inference(
        self, src_tokens: list[Any], src_lengths: Any, **kwargs: Any
    ) -> Any:
        """Return unmasked rows for lines of fairseq-interactive."""
        marked = self.cfg.add_lang_token
        if marked and len(self.languages) > 1:
            raise OptionError("--langs has several languages; set it to the language of the input")
        language = self.languages[0]
        end = self._row_end(language, marked)
        lines = ListDataset(src_tokens, [len(line) for line in src_tokens])
        text = TextRows(lines, (self.dictionary.bos(),), end[1:])  # lines end with eos
        return DenoisingDataset(
            Rows({language: text}, unmasked().bounds, self.cfg.seed),
            self.masking_vocabularies["source"],
            {language: end[-1]},
            strategy=unmasked(),
            seed=self.cfg.masking_seed,
            fixed_masks=True,
        )

    def inference_step(
        self,
        generator: Any,
        models: Any,
        sample: dict[str, Any],
        prefix_tokens: Any = None,
        constraints: Any = None,
    ) -> list[Any]:
        """Generate language by language, each with its symbol as the first token."""
        first_tokens = sample.get("first_tokens")
        if first_tokens is None:  # fairseq-interactive keeps only the sources
            first = self._row_end(self.languages[0], self.cfg.add_lang_token)[-1]
            first_tokens = torch.full((len(sample["net_input"]["src_tokens"]),), first)
        hypotheses: list[Any] = [None] * len(first_tokens)
        for first in first_tokens.unique().tolist():
            rows = (first_tokens == first).nonzero().flatten()
            batch = {name: value[rows] for name, value in sample.items() if torch.is_tensor(value)}
            net_input = {name: value[rows] for name, value in sample["net_input"].items()}
            with torch.no_grad():
                generated = generator.generate(
                    models,
                    {**batch, "net_input": net_input},
                    prefix_tokens=None if prefix_tokens is None else prefix_tokens[rows],
                    constraints=None if constraints is None else constraints[rows],
                    bos_token=first,
                )
            for row, beams in zip(rows.tolist(), generated, strict=True):
                hypotheses[row] = beams
        return hypotheses
