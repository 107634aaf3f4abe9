"""The vocabulary: token ids, special tokens and word boundaries of a tokenizer, as arrays."""

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
    """Conversion between ids and text, for strategies that cut text inside tokens."""

    def encode(self, text: str) -> Sequence[int]:
        """Return the ids of a text without special tokens."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The properties of a tokenizer that masking needs.

    Args:
        size: number of ids; ids range from 0 to ``size`` - 1.
        mask_id, pad_id, bos_id, eos_id: special ids, or None.
        special_ids: further ids that are never selected and never drawn as random tokens.
        word_start: bool[size], True for tokens that start a word (``▁``, ``Ġ``, no ``##``).
        joins_next: bool[size], True for tokens that continue in the next token (``@@``).
        word_rule: a :class:`WordRule`, for word boundaries that depend on both
            neighbouring tokens, as in languages without spaces. At most one of the three; without
            any, whole words need the annotation ``word_starts``.
        word_mark: word boundary mark of pieces: "▁", "Ġ", "##", "@@", "</w>", " "; "" for none.
        sentinel_ids: ids of span sentinels in order of use; also special.
        sentence_end: bool[size], True for sentence-final punctuation.
        named: special ids by text, for strategies that insert tokens by name: mode tokens, language
            codes, the markers of fill-in-the-middle.
        codec: converts ids to text and back, for strategies that cut inside tokens.

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
                f"word_rule covers {len(self.word_rule.first)} ids, not {self.size}"
            )
        tables = (self.word_start, self.joins_next, self.word_rule)
        if sum(table is not None for table in tables) > 1:
            raise VocabularyError(
                "word_start, joins_next and word_rule all define word boundaries: pass only one of "
                "them (dataclasses.replace: set the others to None)"
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Unpickled arrays are writable; kernels would be compiled again for them.
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
                f"{name} {shortened(value)} is outside the vocabulary: ids range from 0 to "
                f"{self.size - 1}"
            )

    def _checked_ids(self, name: str, values: Any) -> IntArray:
        """Return the ids of an iterable as a flat array, or raise a VocabularyError."""
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
        """Return a table of one bool per id, or raise a VocabularyError."""
        try:
            table = np.asarray(values)
        except Exception:  # numpy calls methods of the object, which may raise anything
            table = np.zeros((0, 0))
        if table.shape != (self.size,):
            raise VocabularyError(f"{name} has shape {table.shape}, not ({self.size},)")
        if table.dtype.kind not in "biu":
            raise VocabularyError(
                f"{name} has values of type {table.dtype}, such as {shortened(table[0])}; it must "
                "have one bool per id"
            )
        return readonly(table, np.bool_)

    @cached_property
    def special(self) -> BoolArray:
        """bool[size]: True for ids that are never selected and never drawn as random tokens."""
        table = np.zeros(self.size, np.bool_)
        table[self.special_ids] = True
        table[self.sentinel_ids] = True
        named = [self.mask_id, self.pad_id, self.bos_id, self.eos_id, *self.named.values()]
        table[[i for i in named if i is not None]] = True
        return readonly(table, np.bool_)

    @cached_property
    def ordinary(self) -> IntArray:
        """int64: the ids that are not special, in order; random tokens are drawn from them."""
        return readonly(np.flatnonzero(~self.special), np.int64)

    @cached_property
    def word_codes(self) -> Words | None:
        """uint32[size]: word boundaries in the form that kernels read (``WordRule.codes``).

        0 for special ids; None if the vocabulary defines no word boundaries.
        """
        rule = self.word_rule
        if self.word_start is not None:
            rule = WordRule.from_starts(self.word_start)
        elif self.joins_next is not None:
            rule = WordRule.from_joins(self.joins_next)
        return None if rule is None else rule.codes(self.special)

    @property
    def has_words(self) -> bool:
        """Whether the vocabulary defines word boundaries."""
        return self.word_codes is not None

    def maskable(self, tokens: TokenBatch) -> BoolArray:
        """Return one bool per token: True = may be masked (neither special nor protected).

        Raises:
            TokenError: when an id is outside the vocabulary; the message contains its position.
        """
        from maskplug.kernels.units import ordinary_tokens

        self.check(tokens)
        free = np.empty(len(tokens.ids), np.bool_)
        ordinary_tokens(tokens.ids, self.special, free)
        if "protected" in tokens.annotations:
            free &= ~tokens.annotations["protected"].astype(np.bool_)
        return free

    def check(self, tokens: TokenBatch) -> None:
        """Raise when an id is outside the vocabulary.

        Raises:
            TokenError: contains the position of the first such id.
        """
        from maskplug.kernels.units import outside

        if not outside(tokens.ids, self.size):
            return
        where = int(np.flatnonzero((tokens.ids < 0) | (tokens.ids >= self.size))[0])
        row = int(np.searchsorted(tokens.offsets, where, side="right")) - 1
        raise TokenError(
            f"token id {tokens.ids[where]} (sample {row}, position {where - tokens.offsets[row]}) "
            f"is outside the vocabulary: ids range from 0 to {self.size - 1}"
        )

    def word_starts(self, tokens: TokenBatch) -> BoolArray:
        """Return one bool per token: True = first token of a word.

        The annotation ``word_starts`` takes precedence over the vocabulary. In the vocabulary's
        boundaries, the token after a special token starts a word.

        Raises:
            VocabularyError: when neither defines word boundaries.
        """
        if "word_starts" in tokens.annotations:
            return tokens.annotations["word_starts"].astype(np.bool_)
        if self.word_codes is None:
            raise VocabularyError(
                "whole words need word boundaries: pass word_start or joins_next to the "
                "vocabulary, or the annotation 'word_starts' to the batch"
            )
        from maskplug.kernels.units import word_starts

        starts = np.empty(len(tokens.ids), np.bool_)
        word_starts(tokens.ids, self.word_codes, tokens.offsets, starts)
        return starts

    def sentence_starts(self, tokens: TokenBatch) -> BoolArray:
        """Return one bool per token: True = first token of a sentence.

        The annotation ``sentence_starts`` takes precedence over the vocabulary, in which a sentence
        starts after sentence-final punctuation ("?!" counts once). The first token of a sample need
        not be marked.

        Raises:
            VocabularyError: when neither defines sentence boundaries.
        """
        if "sentence_starts" in tokens.annotations:
            return tokens.annotations["sentence_starts"].astype(np.bool_)
        if self.sentence_end is None or not self.sentence_end.any():
            raise VocabularyError(
                "sentences need boundaries: pass the annotation 'sentence_starts' (True = first "
                "token of a sentence) to the batch, or sentence_end (True = sentence-final "
                "punctuation; from_pieces sets it) to the vocabulary"
            )
        ends = self.sentence_end[tokens.ids]
        starts = np.zeros(len(tokens.ids), np.bool_)
        starts[1:] = ends[:-1] & ~ends[1:]
        starts[tokens.offsets[:-1][tokens.lengths > 0]] = True
        return starts

    def id_of(self, name: str | int, who: str) -> int:
        """Return the id of a special token that an option gives as text or id.

        Raises:
            VocabularyError: when there is no such special token; the message lists them.
        """
        if isinstance(name, int):
            self._check_id(who, name)
            return name
        if name not in self.named:
            have = ", ".join(map(repr, sorted(self.named))) or "none"
            raise VocabularyError(
                f"{who} inserts the special token {shortened(name)}, which is not in the "
                f"vocabulary (special tokens: {have}). Add it to the tokenizer as a special "
                "token, or pass the text or id of another one"
            )
        return self.named[name]

    def require_ordinary(self) -> IntArray:
        """Return the ids that random tokens are drawn from: int64, at least one.

        Raises:
            VocabularyError: when every id is special.
        """
        if not len(self.ordinary):
            raise VocabularyError(f"all {self.size} ids are special: no random token can be drawn")
        return self.ordinary

    def require_mask(self, who: str) -> int:
        """Return the mask id.

        Raises:
            VocabularyError: when there is none; the message contains the remedies.
        """
        if self.mask_id is None:
            raise VocabularyError(
                f"{who} inserts a mask token, but the vocabulary has none. Add one "
                '(tokenizer.add_special_tokens({"mask_token": "<mask>"}), then '
                "model.resize_token_embeddings(len(tokenizer))), pass an existing id as "
                "mask_id=, or choose a strategy without mask tokens (maskplug list)"
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
        """Build a vocabulary from the texts of its tokens.

        Word boundaries follow from the spelling.

        ``##`` marks continuations (WordPiece), a final ``@@`` a word that continues (subword-nmt),
        a final ``</w>`` the end of a word, ``▁`` (SentencePiece) and ``Ġ`` (byte-level BPE) the
        start of a word. A mark is recognized if at least a tenth of the pieces of two or more
        characters carry it; otherwise every token is a word. In scripts without spaces, words end
        by Unicode's word-break rules, but never inside a piece or character. Line ends are words.

        Args:
            pieces: the text of every id, in order.
            spelling: the ``spelling.Spelling``, if known; detected by default.
            whole_ids: ids that are words, whatever their spelling.
            ids: further arguments of the constructor (``mask_id``, ``special_ids``, …).

        Returns:
            A vocabulary with ``word_start`` or ``joins_next`` if one of them is sufficient,
            otherwise with a ``word_rule``.

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
            processor: a loaded model. Its control, unknown and unused pieces are special, as are
                pieces spelled ``<name>`` or ``[name]``; byte pieces (``<0x0A>``) are text.
                Sentinels are ``<extra_id_0>``, ``<extra_id_1>``, …, also with a leading ``▁``.
                The model becomes the ``codec``.
            mask: the mask piece; ``<mask>`` or ``[MASK]`` by default.

        Raises:
            VocabularyError: when the model has no piece ``mask``.
        """
        size = processor.get_piece_size()
        pieces = [processor.id_to_piece(i) for i in range(size)]
        names = [mask] if mask else ["<mask>", "[MASK]"]
        mask_ids = [pieces.index(name) for name in names if name in pieces]
        if mask and not mask_ids:
            raise VocabularyError(f"the SentencePiece model has no piece {mask!r}")
        special = [
            i
            for i in range(size)
            if processor.is_control(i)
            or processor.is_unknown(i)
            or processor.is_unused(i)
            or MARK.fullmatch(pieces[i])
        ]
        named = {name: getattr(processor, name)() for name in ("pad_id", "bos_id", "eos_id")}
        return cls.from_pieces(
            pieces,
            Spelling("▁"),
            mask_id=mask_ids[0] if mask_ids else None,
            special_ids=special,
            sentinel_ids=sentinels(enumerate(pieces)),
            codec=processor,
            **{name: value for name, value in named.items() if value >= 0},
        )
