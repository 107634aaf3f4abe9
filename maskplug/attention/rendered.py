"""The forms in which a mask is given, from intervals and matrices to pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.site import AttentionCall, AttentionKind
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, shortened
from maskplug.parts import Part
from maskplug.rng import keys_of
from maskplug.types import BoolArray, FloatArray
from maskplug.validation.options import SIZE, check_argument

if TYPE_CHECKING:
    from maskplug.attention.flashmask import FlashMask
    from maskplug.attention.flex import BlockMask, MaskMod
    from maskplug.attention.pattern import Pattern
    from maskplug.attention.pictures.picture import Picture

Fallback = Literal["self", "first", "error"]


def check_fallback(fallback: Any) -> None:
    """Refuse what is neither None nor a :data:`Fallback`.

    Raises:
        OptionError: naming the value received and the choices.
    """
    if fallback is not None and not (isinstance(fallback, str) and fallback in get_args(Fallback)):
        raise OptionError(f"fallback is {shortened(fallback)}; choices: 'self', 'first', 'error'")


class Rendered(Part):
    """Gives its mask in every form; :class:`maskplug.Pattern` explains the arguments."""

    @abstractmethod
    def at(self, site: AttentionCall, fallback: Fallback | None = None) -> Intervals:
        """What every query sees at this site."""

    def intervals(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        epoch: int = 0,
        progress: float | FloatArray = 0.0,
        seed: int = 0,
        keys: Iterable[int | str | bytes] | None = None,
        heads: int = 1,
        offset: int = 0,
        attention_kind: AttentionKind = "encoder",
        layer_idx: int = 0,
        fallback: Fallback | None = None,
        **annotations: Any,
    ) -> Intervals:
        """The mask as row intervals; :class:`maskplug.Pattern` explains the arguments.

        Raises:
            MaskplugError: when lengths, layers and options do not fit together.

        Example:
            >>> import maskplug
            >>> maskplug.pattern("window", left=2, right=0).intervals(4).to_lists()
            [[[[(0, 1)], [(0, 2)], [(0, 3)], [(1, 4)]]]]
        """
        batch = max((_samples(value) for value in annotations.values()), default=1)
        numbers = np.zeros(batch, np.uint64) if keys is None else keys_of(keys)
        if batch > 1 and len(numbers) != batch:
            raise OptionError(f"there are {len(numbers)} keys for {batch} samples")
        check_argument("q_len", q_len, 0, SIZE)
        check_argument("offset", offset, 0, SIZE)
        kv_len = q_len + offset if kv_len is None else kv_len
        check_argument("kv_len", kv_len, 0, SIZE)
        context = MaskingContext.at(seed, epoch, t, numbers, progress)
        site = AttentionCall(
            q_len, kv_len, context, heads, offset, attention_kind, layer_idx, annotations
        )
        return self.at(site, fallback)

    def dense(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> BoolArray:
        """The mask as a matrix; :class:`maskplug.Pattern` explains the arguments.

        Returns:
            bool of shape (batch, heads, q_len, kv_len), True = may attend. A batch or head axis of
            1 stands for all samples or heads.

        Example:
            >>> import maskplug
            >>> maskplug.pattern("causal").dense(3)[0, 0].astype(int)
            array([[1, 0, 0], [1, 1, 0], [1, 1, 1]])
        """
        return self.intervals(q_len, kv_len, t, **more).dense()

    def hidden(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> BoolArray:
        """The mask with fairseq's polarity: bool as :meth:`dense`, but True = may *not* attend.

        Example:
            >>> import maskplug
            >>> maskplug.pattern("causal").hidden(2)[0, 0].astype(int)
            array([[0, 1], [0, 0]])
        """
        return ~self.dense(q_len, kv_len, t, **more)

    def additive(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        dtype: Any = np.float32,
        **more: Any,
    ) -> Any:
        """The mask as what is added to the scores: 0 = may attend, the least number = may not.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
            dtype: a floating dtype of numpy or torch.

        Returns:
            An array, or a tensor on the CPU, of that dtype and of the shape of :meth:`dense`. The
            least finite number, not minus infinity, stands for "may not": a softmax over such
            numbers alone is no NaN.

        Example:
            >>> import maskplug
            >>> maskplug.pattern("causal").additive(2, dtype="float16")[0, 0].tolist()
            [[0.0, -65504.0], [0.0, 0.0]]
        """
        if type(dtype).__module__ == "torch":
            from maskplug.attention.flex import additive

            return additive(self.dense(q_len, kv_len, t, **more), dtype)
        try:
            kind = np.dtype(dtype)
        except Exception:  # numpy reads all sorts of objects, and raises as many errors
            kind = np.dtype(np.bool_)
        if kind.kind != "f":
            raise OptionError(f"dtype is {shortened(dtype)}; it must be a floating type")
        seen = self.dense(q_len, kv_len, t, **more)
        return np.where(seen, kind.type(0), np.finfo(kind).min)

    def mask_mod(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        device: Any = None,
        **more: Any,
    ) -> MaskMod:
        """The mask as FlexAttention's function ``(b, h, q_idx, kv_idx) -> bool``.

        It is the same function for every pattern, closed over tensors of intervals, so that
        patterns share compiled graphs.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
            device: where the tensors live; the accelerator if there is one, else the CPU.

        Example:
            >>> import maskplug, torch
            >>> sees = maskplug.pattern("causal").mask_mod(3, device="cpu")
            >>> zero, at = torch.tensor(0), torch.arange(3)
            >>> sees(zero, zero, at[:, None], at).int().tolist()
            [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
        """
        from maskplug.attention.flex import mask_mod

        return mask_mod(self.intervals(q_len, kv_len, t, **more), device)

    def block_mask(
        self,
        q_len: int,
        kv_len: int | None = None,
        t: int = 0,
        *,
        block_size: int | tuple[int, int] = 128,
        device: Any = None,
        **more: Any,
    ) -> BlockMask:
        """The mask as FlexAttention's ``BlockMask``: what ``create_block_mask`` makes, bit by bit.

        It is made from the intervals, without the matrix, in time linear in them and the blocks.
        Where samples or heads do not differ, their axis is 1, and FlexAttention spreads it.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
            block_size: how many queries and keys a block has; one number for both.
            device: where the tensors live; the accelerator if there is one, else the CPU.

        Example:
            >>> import maskplug
            >>> mask = maskplug.pattern("causal").block_mask(6, block_size=2, device="cpu")
            >>> mask.kv_num_blocks[0, 0].tolist(), mask.full_kv_num_blocks[0, 0].tolist()
            ([1, 1, 1], [0, 1, 2])
        """
        from maskplug.attention.flex import block_mask

        return block_mask(self.intervals(q_len, kv_len, t, **more), block_size, device)

    def flashmask(
        self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any
    ) -> FlashMask:
        """The mask as FlashMask's columns; :class:`~maskplug.attention.FlashMask` explains them.

        Raises:
            OptionError: when a key is hidden from more runs of queries than the form can tell.

        Example:
            >>> import maskplug
            >>> rows, causal = maskplug.pattern("window:left=1").flashmask(4)
            >>> rows[0, 0].tolist(), causal
            ([[2], [3], [4], [4]], True)
        """
        from maskplug.attention.flashmask import FlashMask

        return FlashMask.of(self.intervals(q_len, kv_len, t, **more), self)

    def picture(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> Picture:
        """The mask of one sample and head to look at, in a terminal, a notebook or a file.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`; and by name:
                ``sample`` and ``head``, the ones to show, counted from 0;
                ``block``, the size of the blocks to outline;
                ``times``, for M(t) at several times side by side (they are the steps, and the
                epochs too unless ``epoch`` is given), and ``total``, the steps of the training, of
                which the last one is at progress 1;
                ``compare``, a pattern to show the difference to;
                ``within``, a pattern beyond which visible cells are leaks; with the layers
                ``documents`` and ``valid``, so are those across documents and to padding;
                ``queries`` and ``key_texts``, texts for the axes.

        Raises:
            MaskplugError: when lengths, layers and options do not fit together.

        Example:
            >>> import maskplug
            >>> print(maskplug.pattern("causal").picture(3))
            causal
               0 1 2
             0 ██· ·
             1 ████·
             2 ██████
            visible: 66.7% (6 of 9 cells)
            rows that see nothing: 0
            ██ visible  · hidden
        """
        from maskplug.attention.pictures.snapshot import picture

        return picture(cast("Pattern", self), q_len, kv_len, t, **more)

    def _repr_svg_(self) -> str | None:
        """For notebooks; a pattern that needs layers is shown as text."""
        from maskplug.attention.pictures.snapshot import glance

        seen = glance(cast("Pattern", self))
        return None if seen is None else seen._repr_svg_()


def _samples(layer: Any) -> int:
    """How many samples a layer tells apart; 1 where it is one row for all of them."""
    try:
        shape = np.shape(layer)
    except ValueError:  # ragged: a row of its own length for each sample
        return len(layer)
    except Exception:  # what it is, the pattern says that reads it
        return 1
    return shape[0] if len(shape) > 1 else 1
