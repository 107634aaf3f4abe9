"""The renderers of a mask: intervals, matrices, and FlexAttention's forms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention.call import AttentionCall, AttentionKind
from maskplug.attention.fallback import Fallback
from maskplug.attention.intervals import Intervals
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, shortened
from maskplug.parts import Part
from maskplug.rng import keys_of
from maskplug.types import BoolArray, FloatArray
from maskplug.validation.options import SIZE, check_argument

if TYPE_CHECKING:
    from maskplug.attention.flex import BlockMask, MaskMod


class Rendered(Part):
    """A mask in every form; for the shared arguments see :class:`maskplug.Pattern`."""

    @abstractmethod
    def at(self, call: AttentionCall, fallback: Fallback | None = None) -> Intervals:
        """Return the visible keys of every query of a call."""

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
        """Return the mask as row intervals; for the arguments see :class:`maskplug.Pattern`.

        Raises:
            MaskplugError: if lengths, annotations and options do not fit together.

        Example:
            >>> import maskplug
            >>> maskplug.pattern("window", left=2, right=0).intervals(4).to_lists()
            [[[[(0, 1)], [(0, 2)], [(0, 3)], [(1, 4)]]]]
        """
        batch = max((_samples(value) for value in annotations.values()), default=1)
        numbers = np.zeros(batch, np.uint64) if keys is None else keys_of(keys)
        if batch > 1 and len(numbers) != batch:
            raise OptionError(
                f"expected one key per sample, got {len(numbers)} keys for {batch} samples"
            )
        check_argument("q_len", q_len, 0, SIZE)
        check_argument("offset", offset, 0, SIZE)
        kv_len = q_len + offset if kv_len is None else kv_len
        check_argument("kv_len", kv_len, 0, SIZE)
        context = MaskingContext.at(seed, epoch, t, numbers, progress)
        call = AttentionCall(
            q_len, kv_len, context, heads, offset, attention_kind, layer_idx, annotations
        )
        return self.at(call, fallback)

    def dense(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> BoolArray:
        """Return the mask as a matrix; for the arguments see :class:`maskplug.Pattern`.

        Returns:
            bool of shape (batch, heads, q_len, kv_len), True = may attend. The batch or head axis
            is 1 if all samples or heads have the same mask.

        Example:
            >>> import maskplug
            >>> maskplug.pattern("causal").dense(3)[0, 0].astype(int)
            array([[1, 0, 0], [1, 1, 0], [1, 1, 1]])
        """
        return self.intervals(q_len, kv_len, t, **more).dense()

    def hidden(self, q_len: int, kv_len: int | None = None, t: int = 0, **more: Any) -> BoolArray:
        """Return the mask with fairseq's polarity: as :meth:`dense`, but True = may *not* attend.

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
        """Return the mask to add to attention scores: 0 = may attend, minimum = may not.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
            dtype: a floating dtype of numpy or torch.

        Returns:
            An array, or a tensor on the CPU, of this dtype and of the shape of :meth:`dense`.
            Hidden cells have the dtype's smallest finite number, not minus infinity, so that the
            softmax of an empty row is not NaN.

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
        except Exception:  # numpy calls methods of the object, which may raise anything
            kind = np.dtype(np.bool_)
        if kind.kind != "f":
            raise OptionError(f"dtype is {shortened(dtype)}; it must be a floating type")
        visible = self.dense(q_len, kv_len, t, **more)
        return np.where(visible, kind.type(0), np.finfo(kind).min)

    def mask_mod(
        self, q_len: int, kv_len: int | None = None, t: int = 0, *, device: Any = None, **more: Any
    ) -> MaskMod:
        """Return the mask as FlexAttention's function ``(b, h, q_idx, kv_idx) -> bool``.

        All patterns use the same function with different tensors, and share compiled graphs.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
            device: of the tensors; by default the accelerator if there is one, else the CPU.

        Example:
            >>> import maskplug, torch
            >>> mask_mod = maskplug.pattern("causal").mask_mod(3, device="cpu")
            >>> zero, at = torch.tensor(0), torch.arange(3)
            >>> mask_mod(zero, zero, at[:, None], at).int().tolist()
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
        """Return the mask as FlexAttention's ``BlockMask``, equal to ``create_block_mask``'s.

        It is built from the intervals, without the matrix, in time linear in intervals and blocks.
        The batch or head axis is 1 if all have the same mask; FlexAttention broadcasts it.

        Args:
            q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
            block_size: number of queries and keys per block; one number for both, or a pair.
            device: of the tensors; by default the accelerator if there is one, else the CPU.

        Example:
            >>> import maskplug
            >>> mask = maskplug.pattern("causal").block_mask(6, block_size=2, device="cpu")
            >>> mask.kv_num_blocks[0, 0].tolist(), mask.full_kv_num_blocks[0, 0].tolist()
            ([1, 1, 1], [0, 1, 2])
        """
        from maskplug.attention.flex import block_mask

        return block_mask(self.intervals(q_len, kv_len, t, **more), block_size, device)


def _samples(annotation: Any) -> int:
    """Return the number of samples of an annotation; 1 if it is one row for all samples."""
    try:
        shape = np.shape(annotation)
    except ValueError:  # ragged: samples of different lengths
        return len(annotation)
    except Exception:  # the pattern that reads the annotation reports the error
        return 1
    return shape[0] if len(shape) > 1 else 1
