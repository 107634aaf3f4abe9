"""Rows of tokens cut from binarized text, under one numbering for several texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from fairseq import utils
from fairseq.data import BaseWrapperDataset, FairseqDataset, TokenBlockDataset, data_utils
from fairseq.data.indexed_dataset import MMapIndexedDataset

from maskplug import Rng, derive
from maskplug.ragged import gather, ranges
from maskplug.types import BoolArray, IntArray, UintArray, lengths_of, offsets_of


def concatenate(rows: Sequence[torch.Tensor]) -> tuple[IntArray, IntArray]:
    """Return the ids of int64 rows in one flat array, and the row offsets."""
    return torch.cat(list(rows)).numpy(), offsets_of([row.numel() for row in rows])


class LinesWithoutEos(BaseWrapperDataset):  # type: ignore[misc]
    """Lines of text without the end-of-sequence token that fairseq-preprocess appends.

    ``StripTokenDataset`` reports the original sizes, so blocks would be cut at wrong positions.
    """

    @property
    def sizes(self) -> Any:
        """Tokens of every line."""
        return self.dataset.sizes - 1

    def __getitem__(self, index: int) -> torch.Tensor:
        line: torch.Tensor = self.dataset[index][:-1]
        return line


class TextRows:
    """Rows of text with the special tokens ``before`` and ``after`` each row.

    ``blocks`` is a ``TokenBlockDataset`` over the lines; None if every row is one line.
    """

    def __init__(
        self, lines: Any, before: tuple[int, ...], after: tuple[int, ...], blocks: Any = None
    ) -> None:
        self.rows = lines if blocks is None else blocks
        self.blocks = blocks
        self.before = torch.tensor(before, dtype=torch.int64)
        self.after = torch.tensor(after, dtype=torch.int64)
        self.sizes = np.asarray(self.rows.sizes, np.int32) + len(before) + len(after)
        self.line_offsets = offsets_of(lines.sizes)
        #: Whether the file holds an end-of-sequence token after each line that is left out here.
        self.drops_eos = isinstance(lines, LinesWithoutEos)
        file = lines.dataset if self.drops_eos else lines
        #: The memory-mapped file; None for fairseq's other formats, which are read row by row.
        self.file = file if isinstance(file, MMapIndexedDataset) else None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.cat((self.before, self.rows[index], self.after))

    def load(self, numbers: IntArray) -> tuple[IntArray, IntArray, BoolArray | None]:
        """Return the ids, offsets and line starts of rows; see ``RowBatch``."""
        if self.blocks is None:
            starts, ends = self.line_offsets[numbers], self.line_offsets[numbers + 1]
        else:
            starts, ends = self.blocks.slice_indices[numbers].astype(np.int64).T
        if self.file is None:
            ids, offsets = concatenate([self[number] for number in numbers.tolist()])
        else:
            ids, offsets = self._read(starts, ends)
        if self.blocks is None:
            return ids, offsets, None
        first, end = np.searchsorted(self.line_offsets[:-1], (starts, ends))
        shifts = np.repeat(offsets[:-1] + len(self.before) - starts, end - first)
        line_starts = np.zeros(len(ids), np.bool_)
        line_starts[self.line_offsets[ranges(first, end - first)[0]] + shifts] = True
        return ids, offsets, line_starts

    def _read(self, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
        """Return ids and offsets of spans of the text with special tokens around them."""
        assert self.file is not None
        before, after = self.before.tolist(), self.after.tolist()
        around = len(before) + len(after)
        positions, offsets = ranges(starts - len(before), ends - starts + around)
        if self.drops_eos:
            positions += np.repeat(*self._lines_of(starts, ends))
        # Not stored: an array over the file could not be pickled.
        tokens = np.frombuffer(self.file._bin_buffer, self.file._index.dtype)
        ids = tokens.take(positions, mode="clip").astype(np.int64)
        for i, special in enumerate(before):
            ids[offsets[:-1] + i] = special
        for i, special in enumerate(after, -len(after)):
            ids[offsets[1:] + i] = special
        return ids, offsets

    def _lines_of(self, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
        """Return the lines of spans, and the tokens of each line, special tokens included."""
        last = len(self.line_offsets) - 2
        first = np.minimum(np.searchsorted(self.line_offsets, starts, "right") - 1, last)
        counts = np.maximum(np.searchsorted(self.line_offsets, ends) - first, 1)
        lines, offsets = ranges(first, counts)
        line_starts = np.maximum(self.line_offsets[lines], np.repeat(starts, counts))
        tokens = np.minimum(self.line_offsets[lines + 1], np.repeat(ends, counts)) - line_starts
        tokens[offsets[:-1]] += len(self.before)
        tokens[offsets[1:] - 1] += len(self.after)
        return lines, tokens


def load_texts(
    cfg: Any,
    dictionary: Any,
    endings: Mapping[str, tuple[int, ...]],
    split: str,
    epoch: int = 1,
    combine: bool = False,
    drop_eos: bool = False,
) -> dict[str, TextRows]:
    """Load the rows of a split by name of their text.

    Args:
        cfg: the options ``data``, ``sample_break_mode`` and ``tokens_per_sample``, the maximum
            tokens of a row, special tokens included; longer lines are not cut.
        dictionary: the dictionary of the texts; rows start with its beginning of sequence.
        endings: ids of the special tokens after each row, by folder in the epoch's data folder.
        split, epoch, combine: see ``FairseqTask.load_dataset``.
        drop_eos: whether to remove the end-of-sequence token of each line.
    """
    folders, mode = utils.split_paths(cfg.data), str(cfg.sample_break_mode)
    before, texts = (dictionary.bos(),), {}
    for name, after in endings.items():
        path = os.path.join(folders[(epoch - 1) % len(folders)], name, split)
        lines = data_utils.load_indexed_dataset(path, dictionary, combine=combine)
        if lines is None:
            raise FileNotFoundError(f"no binarized text at {path}.bin and {path}.idx")
        if drop_eos:
            lines = LinesWithoutEos(lines)
        blocks = None
        if mode != "eos":  # fairseq's own mode "eos" fails with numpy 2
            blocks = TokenBlockDataset(
                lines,
                np.asarray(lines.sizes),
                cfg.tokens_per_sample - len(before) - len(after),
                pad=dictionary.pad(),
                eos=dictionary.eos(),
                break_mode=mode,
                document_sep_len=0 if drop_eos else 1,
            )
        texts[name] = TextRows(lines, before, after, blocks)
    return texts


Bounds = Callable[[IntArray], tuple[IntArray, IntArray]]


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Rows of a batch in flat arrays; iterates over fairseq's items (dicts).

    Attributes:
        indices, keys, texts: the index, the sample key (uint64), and the text of each row.
        times: int64 of shape (rows, 2): epoch and step of each row, counted from 0.
        ids, offsets: the tokens of all rows.
        line_starts: one bool per token, True where a line starts; None if every row is one line.
    """

    indices: IntArray
    keys: UintArray
    texts: IntArray
    times: IntArray
    ids: IntArray
    offsets: IntArray
    line_starts: BoolArray | None

    @classmethod
    def parse(cls, samples: RowBatch | Sequence[dict[str, Any]]) -> RowBatch:
        """Return the batch of one or more items; a ``RowBatch`` stays unchanged."""
        if isinstance(samples, RowBatch):
            return samples
        values = {name: [item[name] for item in samples] for name in samples[0]}
        line_starts = values["line_starts"]
        return cls(
            np.array(values["id"], np.int64),
            np.array(values["key"], np.uint64),
            np.array(values["text"], np.int64),
            np.array(values["time"], np.int64),
            *concatenate(values["source"]),
            None if line_starts[0] is None else np.concatenate(line_starts),
        )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: int) -> dict[str, Any]:
        index = int(self.indices[i])  # IndexError ends an iteration
        tokens = slice(self.offsets[i], self.offsets[i + 1])
        return {
            "id": index,
            "key": int(self.keys[i]),
            "text": int(self.texts[i]),
            "time": tuple(self.times[i].tolist()),
            "source": torch.from_numpy(self.ids[tokens]),
            "line_starts": None if self.line_starts is None else self.line_starts[tokens],
        }


class Rows(FairseqDataset):  # type: ignore[misc]
    """Rows of one or several texts, numbered text by text.

    The sample key of a row is its number in its text; for a named text, ``derive(number, name)``.
    An epoch may repeat rows: index ``i + n * len(rows)`` is repetition n of row i, with the key
    ``derive(key, "copy n")``.

    Args:
        texts: ``TextRows`` by name (a language); "" for a text without a name.
        bounds: ``Strategy.bounds``, the maximum sizes of inputs and predictions after masking.
        seed: fairseq's seed, for the order of rows of equal size and for resampling.
        alpha: an epoch has rows of each text in proportion to (number of rows) ** alpha.
    """

    def __init__(
        self, texts: Mapping[str, Any], bounds: Bounds, seed: int = 1, alpha: float = 1.0
    ) -> None:
        super().__init__()
        self.names = tuple(texts)
        self.texts = tuple(texts.values())
        self.bounds = bounds
        self.seed = seed % (1 << 64)
        self.alpha = alpha
        self.starts = offsets_of([len(text) for text in self.texts])
        self.total = int(self.starts[-1])
        self.epoch = 1

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.load(np.array([index]), np.zeros((1, 2), np.int64))[0]

    def load(self, indices: IntArray, times: IntArray) -> RowBatch:
        """Load rows by index; see ``RowBatch`` for ``times``."""
        copies, rows = np.divmod(indices, self.total)
        texts = np.searchsorted(self.starts, rows, side="right") - 1
        numbers = rows - self.starts[texts]
        keys, parts = numbers.astype(np.uint64), []
        present = sorted(set(texts.tolist()))
        for text in present:
            chosen = texts == text
            if self.names[text]:
                keys[chosen] = derive(keys[chosen], self.names[text])
            parts.append(self.texts[text].load(numbers[chosen]))
        for copy in set(copies.tolist()) - {0}:
            chosen = copies == copy
            keys[chosen] = derive(keys[chosen], f"copy {copy}")
        if len(parts) > 1:  # loaded text by text, and not in the order of indices
            order = np.argsort(np.argsort(texts, kind="stable"))
            joined = offsets_of(np.concatenate([lengths_of(part[1]) for part in parts]))
            positions, offsets = gather(joined, order)
            ids = np.concatenate([part[0] for part in parts])[positions]
            starts = [part[2] for part in parts]
            line_starts = None if starts[0] is None else np.concatenate(starts)[positions]
            return RowBatch(indices, keys, texts, times, ids, offsets, line_starts)
        return RowBatch(indices, keys, texts, times, *parts[0])

    @cached_property
    def sizes(self) -> Any:
        """Tokens of every row before masking, in the texts' dtype."""
        return np.concatenate([np.asarray(text.sizes) for text in self.texts])

    def max_sizes(self, indices: Any) -> tuple[IntArray, IntArray]:
        """Return maximum lengths of inputs and of predictions: int64, one per index."""
        return self.bounds(self.sizes[np.asarray(indices) % self.total].astype(np.int64))

    def size(self, index: int) -> tuple[int, int]:
        """Return the maximum lengths of a row's input and prediction."""
        inputs, outputs = self.max_sizes([index])
        return int(inputs[0]), int(outputs[0])

    def num_tokens(self, index: int) -> int:
        """Return the tokens of a row for ``--max-tokens``."""
        return max(self.size(index))

    def num_tokens_vec(self, indices: Any) -> IntArray:
        """Return the tokens of rows for ``--max-tokens``: int64, one per index."""
        counts: IntArray = np.maximum(*self.max_sizes(indices))
        return counts

    def filter_indices_by_size(self, indices: Any, max_sizes: Any) -> tuple[Any, list[int]]:
        """Return the indices of rows that fit after masking, and the others."""
        limits = max_sizes if isinstance(max_sizes, tuple | list) else (max_sizes, max_sizes)
        fits = np.ones(len(indices), np.bool_)
        for sizes, limit in zip(self.max_sizes(indices), limits, strict=True):
            fits &= sizes <= (np.inf if limit is None else limit)
        return indices[fits], indices[~fits].tolist()

    def ordered_indices(self) -> IntArray:
        """Return the indices of this epoch by size, rows of equal size in random order."""
        indices = self._resample() if self.resampled else np.arange(self.total)
        order = Rng.at(self.seed, 0, [0]).bits("row order", [len(indices)])
        sizes = self.sizes[indices % self.total]
        return np.asarray(indices[np.lexsort((order, sizes))])

    @property
    def resampled(self) -> bool:
        """Whether an epoch repeats or omits rows."""
        return self.alpha != 1.0 and len(self.texts) > 1

    @property
    def can_reuse_epoch_itr_across_epochs(self) -> bool:
        """Whether every epoch has the same rows."""
        return not self.resampled

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 1, that ``ordered_indices`` returns rows for."""
        self.epoch = epoch

    def counts(self) -> IntArray:
        """Return the rows of each text in an epoch: int64.

        Source: Conneau and Lample, "Cross-lingual language model pretraining", 2019.
        """
        weights = lengths_of(self.starts).astype(np.float64) ** self.alpha
        counts: IntArray = np.ceil(self.total * (weights / weights.sum())).astype(np.int64)
        return counts

    def _resample(self) -> IntArray:
        """Repeat all rows of a text equally often, and draw the remaining ones for each epoch."""
        indices = []
        sizes = lengths_of(self.starts)
        for name, start, size, count in zip(
            self.names, self.starts, sizes, self.counts(), strict=False
        ):
            rounds, rest = divmod(int(count), int(size))
            words = Rng.at(self.seed, self.epoch - 1, [name]).bits("resampling", [int(size)])
            drawn = np.argsort(words, kind="stable")[:rest]
            whole = np.arange(rounds * size)
            numbers = np.concatenate((whole % size, drawn))
            copies = np.concatenate((whole // size, np.full(rest, rounds)))
            indices.append(copies * self.total + start + numbers)
        return np.concatenate(indices)
