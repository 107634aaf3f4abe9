"""What masking must know of a tokenizer, as arrays; no tokenizer library is imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from maskplug.errors import TokenError, VocabularyError, shortened
from maskplug.tokens import TokenBatch
from maskplug.types import BoolArray, IntArray, Words, integers, readonly
from maskplug.validation.options import SIZE, is_whole
from maskplug.vocabulary.spelling import MARK, Spelling, sentinels, spelling_of
from maskplug.vocabulary.words import WordRule


class Codec(Protocol):
    """A tokenizer's text side: what it takes to cut a text inside a token."""

    def encode(self, text: str) -> Sequence[int]:
        """The ids of a piece of text, without special tokens."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A vocabulary as masking sees it.

    Args:
        size: the number of ids; ids run from 0 to ``size`` - 1.
        mask_id, pad_id, bos_id, eos_id: ids or None; all of them count as special.
        special_ids: further ids that are never selected and never produced at random.
        word_start: bool[size], True for tokens that begin a word (``▁``, ``Ġ``, no ``##``).
        joins_next: bool[size], True for tokens whose word goes on in the next token (``@@``).
        word_rule: a :class:`WordRule`, where it takes both tokens to tell whether
            a word goes on, as in languages without blanks. Give one of the three, or none: whole
            words then need a ``word_starts`` layer.
        word_mark: how pieces show words: "▁", "Ġ", "##", "@@", "</w>", " "; "" if they do not.
        sentinel_ids: the ids of span sentinels in the order of their use; special as well.
        sentence_end: bool[size], True for full stops and their like: a sentence begins behind them.
        named: special ids by their text, for strategies that write a token by name: mode tokens,
            language codes, the parts of a fill-in-the-middle example.
        codec: turns ids into text and back, for strategies that cut inside tokens.

    Raises:
        VocabularyError: when an id is outside the vocabulary or a table has another length.

    Example:
        >>> vocab = Vocabulary(size=10, mask_id=4, pad_id=0, eos_id=3, special_ids=[1])
        >>> vocab.special.nonzero()[0].tolist(), vocab.ordinary.tolist()
        ([0, 1, 3, 4], [2, 5, 6, 7, 8, 9])
    """

    size: int
    mask_id: int | None = None
    pad_id: int | None = None
    bos_id: int | None = None
    eos_id: int | None = None
    special_ids: Any = ()
    word_start: Any = None
    joins_next: Any = None
    word_rule: WordRule | None = None
    word_mark: str | None = None
    sentinel_ids: Any = ()
    sentence_end: Any = None
    named: Mapping[str, int] = field(default_factory=dict)
    codec: Codec | None = None

    def __post_init__(self) -> None:
        if not is_whole(self.size) or not 1 <= self.size <= SIZE:
            raise VocabularyError(
                f"size is {shortened(self.size)}; it must be the number of ids, from 1 to {SIZE:,}"
            )
        for name in ("mask_id", "pad_id", "bos_id", "eos_id"):
            self._check_id(name, getattr(self, name))
        for name in ("special_ids", "sentinel_ids"):
            object.__setattr__(self, name, self._checked_ids(name, getattr(self, name)))
        if not isinstance(self.named, Mapping):
            raise VocabularyError(
                f"named is {shortened(self.named)}; expected a mapping of texts to ids"
            )
        for text, value in self.named.items():
            if value is None or not isinstance(text, str):
                raise VocabularyError(
                    f"named has the entry {shortened({text: value})}; expected texts and their ids"
                )
            self._check_id(shortened(text), value)
        for name in ("word_start", "joins_next", "sentence_end"):
            table = getattr(self, name)
            if table is not None:
                object.__setattr__(self, name, self._checked_table(name, table))
        if self.word_rule is not None and len(self.word_rule.first) != self.size:
            raise VocabularyError(
                f"word_rule is about {len(self.word_rule.first)} ids, not {self.size}"
            )
        tables = (self.word_start, self.joins_next, self.word_rule)
        if sum(table is not None for table in tables) > 1:
            raise VocabularyError(
                "word_start, joins_next and word_rule all say where words begin: give one of them, "
                "not both (dataclasses.replace: set the others to None)"
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Arrays come out of a pickle writable, for which kernels would be compiled once more.
        for name, value in state.items():
            array = isinstance(value, np.ndarray)
            self.__dict__[name] = readonly(value, value.dtype.type) if array else value

    def _check_id(self, name: str, value: int | None) -> None:
        if value is None:
            return
        if not is_whole(value):
            raise VocabularyError(f"{name} is {shortened(value)}; it must be an id or None")
        if not 0 <= value < self.size:
            raise VocabularyError(
                f"{name} {shortened(value)} is outside the vocabulary: ids run from 0 to "
                f"{self.size - 1}"
            )

    def _checked_ids(self, name: str, values: Any) -> IntArray:
        """Ids of any iterable as a flat array, or a VocabularyError."""
        ids = None
        if np.iterable(values) and not isinstance(values, str | bytes):
            ids = integers(values if isinstance(values, np.ndarray) else list(values))
        if ids is None or ids.ndim != 1:
            raise VocabularyError(f"{name} is {shortened(values)}; it must be a sequence of ids")
        if len(ids):
            self._check_id(name, int(ids.min()))
            self._check_id(name, int(ids.max()))
        return readonly(ids, np.int64)

    def _checked_table(self, name: str, values: Any) -> BoolArray:
        """A table of one bool for each id, or a VocabularyError."""
        try:
            table = np.asarray(values)
        except Exception:  # numpy asks the object itself, which may raise anything
            table = np.zeros((0, 0))
        if table.shape != (self.size,):
            raise VocabularyError(f"{name} has shape {table.shape}, not ({self.size},)")
        if table.dtype.kind not in "biu":
            raise VocabularyError(
                f"{name} has values of type {table.dtype}, such as {shortened(table[0])}; it must "
                "have one bool for each id"
            )
        return readonly(table, np.bool_)

    @cached_property
    def special(self) -> BoolArray:
        """bool[size]: True for ids that are never selected and never produced at random."""
        table = np.zeros(self.size, np.bool_)
        table[self.special_ids] = True
        table[self.sentinel_ids] = True
        named = [self.mask_id, self.pad_id, self.bos_id, self.eos_id, *self.named.values()]
        table[[i for i in named if i is not None]] = True
        return readonly(table, np.bool_)

    @cached_property
    def ordinary(self) -> IntArray:
        """int64: the ids that are not special, in order; random replacements come from here."""
        return readonly(np.flatnonzero(~self.special), np.int64)

    @cached_property
    def word_codes(self) -> Words | None:
        """uint32[size]: where words begin, as kernels read it (``WordRule.codes``).

        0 for special ids; None where no table says where words begin.
        """
        rule = self.word_rule
        if self.word_start is not None:
            rule = WordRule.from_starts(self.word_start)
        elif self.joins_next is not None:
            rule = WordRule.from_joins(self.joins_next)
        return None if rule is None else rule.codes(self.special)

    @property
    def has_words(self) -> bool:
        """Whether a table says where words begin."""
        return self.word_codes is not None

    def maskable(self, tokens: TokenBatch) -> BoolArray:
        """One bool for each token: True = may be masked (neither special nor protected).

        Raises:
            TokenError: when an id is outside the vocabulary; the message says where it stands.
        """
        from maskplug.kernels.units import ordinary_tokens

        self.check(tokens)
        free = np.empty(len(tokens.ids), np.bool_)
        ordinary_tokens(tokens.ids, self.special, free)
        if "protected" in tokens.annotations:
            free &= ~tokens.annotations["protected"].astype(np.bool_)
        return free

    def check(self, tokens: TokenBatch) -> None:
        """Refuse ids that are not in the vocabulary.

        Raises:
            TokenError: saying where the first of them stands.
        """
        from maskplug.kernels.units import outside

        if not outside(tokens.ids, self.size):
            return
        where = int(np.flatnonzero((tokens.ids < 0) | (tokens.ids >= self.size))[0])
        row = int(np.searchsorted(tokens.offsets, where, side="right")) - 1
        raise TokenError(
            f"token id {tokens.ids[where]} (sample {row}, position {where - tokens.offsets[row]}) "
            f"is outside the vocabulary: ids run from 0 to {self.size - 1}"
        )

    def word_starts(self, tokens: TokenBatch) -> BoolArray:
        """One bool for each token: True where a word begins, by the layer or by the table.

        By the table, special tokens stand alone: the token behind one begins a word.

        Raises:
            VocabularyError: when neither the batch nor the vocabulary knows of words.
        """
        if "word_starts" in tokens.annotations:
            return tokens.annotations["word_starts"].astype(np.bool_)
        if self.word_codes is None:
            raise VocabularyError(
                "whole words need to know where words begin: give the vocabulary a word_start or "
                "joins_next table, or the batch a 'word_starts' layer"
            )
        from maskplug.kernels.units import word_starts

        starts = np.empty(len(tokens.ids), np.bool_)
        word_starts(tokens.ids, self.word_codes, tokens.offsets, starts)
        return starts

    def sentence_starts(self, tokens: TokenBatch) -> BoolArray:
        """One bool for each token: True where a sentence begins, by the layer or by the table.

        By the table, a sentence begins behind a full stop or the like, but not before another one
        ("?!"). The first token of a sample need not be marked.

        Raises:
            VocabularyError: when neither the batch nor the vocabulary knows of sentences.
        """
        if "sentence_starts" in tokens.annotations:
            return tokens.annotations["sentence_starts"].astype(np.bool_)
        if self.sentence_end is None or not self.sentence_end.any():
            raise VocabularyError(
                "sentences need to know where they begin: give the batch a 'sentence_starts' layer "
                "(True where one begins), or the vocabulary a sentence_end table (True for full "
                "stops and their like; from_pieces makes one where there are such pieces)"
            )
        ends = self.sentence_end[tokens.ids]
        starts = np.zeros(len(tokens.ids), np.bool_)
        starts[1:] = ends[:-1] & ~ends[1:]
        starts[tokens.offsets[:-1][tokens.lengths > 0]] = True
        return starts

    def id_of(self, name: str | int, who: str) -> int:
        """The id of a special token that an option names by its text, or by its id.

        Raises:
            VocabularyError: when no special token is called so; the message says which there are.
        """
        if isinstance(name, int):
            self._check_id(who, name)
            return name
        if name not in self.named:
            have = ", ".join(map(repr, sorted(self.named))) or "none"
            raise VocabularyError(
                f"{who} writes the special token {shortened(name)}, which this vocabulary does not "
                f"have (special tokens: {have}). Add it to the tokenizer as a special token, or "
                "name another one, by its text or its id"
            )
        return self.named[name]

    def require_ordinary(self) -> IntArray:
        """The ids that random tokens come from: int64, at least one.

        Raises:
            VocabularyError: when every id is special.
        """
        if not len(self.ordinary):
            raise VocabularyError(f"all {self.size} ids are special: no random token can be drawn")
        return self.ordinary

    def require_mask(self, who: str) -> int:
        """The mask id, or an error that names the ways out.

        Raises:
            VocabularyError: when the vocabulary has no mask id.
        """
        if self.mask_id is None:
            raise VocabularyError(
                f"{who} writes a mask token, and this vocabulary has none. Add one "
                '(tokenizer.add_special_tokens({"mask_token": "<mask>"}), then '
                "model.resize_token_embeddings(len(tokenizer))), name an existing id with "
                "mask_id=, or choose a strategy that writes none (maskplug list)"
            )
        return self.mask_id

    @classmethod
    def from_pieces(
        cls,
        pieces: Sequence[str],
        spelling: Spelling | None = None,
        whole_ids: Sequence[int] = (),
        **ids: Any,
    ) -> Vocabulary:
        """Build a vocabulary from its tokens' texts; the spelling tells where words begin.

        ``##`` marks continuations (WordPiece); ``@@`` at the end a word that goes on (subword-nmt),
        ``</w>`` one that ends; ``▁`` (SentencePiece) or ``Ġ`` (byte-level BPE) marks the tokens
        that begin a word. A mark counts where a tenth of the longer pieces carry it beside text;
        else every token is a word. Words of scripts without blanks end by Unicode's word-break
        rules, never inside a piece or a character; a line end is a word of its own.

        Args:
            pieces: the text of every id, in order.
            spelling: how they are spelled, where that is known (``spelling.Spelling``).
            whole_ids: ids that are a word each, whatever their spelling.
            ids: further arguments of the constructor (``mask_id``, ``special_ids``, …).

        Returns:
            A vocabulary with ``word_start`` or ``joins_next`` where such a table says it all, else
            with a ``word_rule``.

        Example:
            >>> Vocabulary.from_pieces(["[MASK]", "un", "##seen"], mask_id=0).word_start.tolist()
            [True, True, False]
        """
        if isinstance(pieces, str) or not np.iterable(pieces):
            raise VocabularyError(
                f"pieces are {shortened(pieces)}; expected a sequence with the text of every id"
            )
        pieces = list(pieces)
        for number, piece in enumerate(pieces):
            if not isinstance(piece, str):
                raise VocabularyError(f"the piece of id {number} is {shortened(piece)}, not a text")
        bare = cls(size=len(pieces), **ids)
        if spelling is None:
            spelling = spelling_of([pieces[i] for i in bare.ordinary if pieces[i]])
        rule = spelling.rule(pieces, whole_ids)
        return replace(
            bare,
            **rule.simplest(bare.special),
            word_mark=spelling.mark,
            sentence_end=spelling.sentence_ends(pieces),
            named={pieces[i]: i for i in np.flatnonzero(bare.special).tolist() if pieces[i]},
        )

    @classmethod
    def from_sentencepiece(cls, processor: Any, mask: str | None = None) -> Vocabulary:
        """Build a vocabulary from a ``sentencepiece.SentencePieceProcessor``.

        Args:
            processor: a loaded model; its control, unknown and unused pieces become special, and
                those that no text contains, written as ``<name>`` or ``[name]``; its byte pieces
                (``<0x0A>``) are text. Sentinels are ``<extra_id_0>``, ``<extra_id_1>``, …, with
                ``▁`` before the name or without; the model is the ``codec``.
            mask: the piece that stands for a mask; without it ``<mask>`` or ``[MASK]`` if there is.

        Raises:
            VocabularyError: when the model has no piece called ``mask``.
        """
        size = processor.get_piece_size()
        pieces = [processor.id_to_piece(i) for i in range(size)]
        names = [mask] if mask else ["<mask>", "[MASK]"]
        found = [pieces.index(name) for name in names if name in pieces]
        if mask and not found:
            raise VocabularyError(f"the SentencePiece model has no piece {mask!r}")
        special = [
            i
            for i in range(size)
            if processor.is_control(i)
            or processor.is_unknown(i)
            or processor.is_unused(i)
            or MARK.fullmatch(pieces[i])
        ]
        named = {"pad_id": processor.pad_id(), "bos_id": processor.bos_id()}
        named["eos_id"] = processor.eos_id()
        return cls.from_pieces(
            pieces,
            Spelling("▁"),
            mask_id=found[0] if found else None,
            special_ids=special,
            sentinel_ids=sentinels(enumerate(pieces)),
            codec=processor,
            **{name: value for name, value in named.items() if value >= 0},
        )
