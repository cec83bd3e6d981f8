"""Maps on their way from the device to their images' frames."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .by_image import Pair
from .maps import LabelledMaps
from .place import Placement, to_frame

#: Batches, and bytes of maps, that wait before they are fused. It bounds the
#: memory that this takes; on a GPU it also decides how rarely the CPU waits.
MAX_BATCHES = 256
MAX_BYTES = 8 << 20


#: A pair, its (h, w) uint8 map, whether it is accepted and finite, and the
#: (h, w) uint8 mask of where the network looked.
FramedMap = tuple[Pair, np.ndarray, bool, bool, np.ndarray]


class WaitingBatches:
    """Batches of maps whose copies from the device may not be done yet."""

    def __init__(self) -> None:
        self._batches: list[tuple[LabelledMaps, Sequence, Sequence]] = []
        self._num_bytes = 0

    @property
    def full(self) -> bool:
        """Whether the batches should be taken out now."""
        many = len(self._batches) >= MAX_BATCHES
        return many or self._num_bytes >= MAX_BYTES

    def add(
        self,
        batch: LabelledMaps,
        image_ids: Sequence[str],
        placements: Sequence[Placement | None] | None,
    ) -> None:
        """Begin to fetch the maps of a batch, without waiting for them.

        Args:
            batch (LabelledMaps): Its P maps, on any device.
            image_ids (Sequence[str]): Ids of its N images.
            placements (Sequence[Placement | None] | None): How each of the N
                images lies in its frame.
        """
        names = ('maps', 'accepted', 'finite')
        fetched = {name: _fetch(getattr(batch, name)) for name in names}
        placements = placements or [None] * len(image_ids)
        self._batches.append(
            (replace(batch, **fetched), image_ids, placements)
        )
        self._num_bytes += batch.maps.numel()

    def take(self) -> Iterator[FramedMap]:
        """Take all batches out, un-padded and in their images' frames.

        Yields:
            FramedMap: Each map in turn, a view that is not to be kept.
        """
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        batches, self._batches, self._num_bytes = self._batches, [], 0
        for batch, image_ids, placements in batches:
            yield from _framed(batch, image_ids, placements)


def _fetch(tensor: Tensor) -> Tensor:
    if tensor.device.type != 'cuda':
        return tensor.cpu()
    # Only a copy into pinned memory runs beside the training step.
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return pinned.copy_(tensor, non_blocking=True)


def _framed(
    batch: LabelledMaps,
    image_ids: Sequence[str],
    placements: Sequence[Placement | None],
) -> Iterator[FramedMap]:
    groups: dict[tuple, list[int]] = {}
    for row, image in enumerate(batch.images):
        size = batch.valid[image] if batch.valid else batch.maps.shape[1:]
        groups.setdefault((*size, placements[image]), []).append(row)
    accepted, finite = batch.accepted.tolist(), batch.finite.tolist()
    for (height, width, placement), rows in groups.items():
        all_alike = len(rows) == len(batch.images)
        maps = batch.maps.numpy()[slice(None) if all_alike else rows]
        maps, cells = to_frame(maps[:, :height, :width], placement)
        seen = np.zeros(maps.shape[1:], np.uint8)
        seen[cells] = 1
        for row, attention in zip(rows, maps, strict=True):
            pair = image_ids[batch.images[row]], batch.classes[row]
            yield pair, attention, accepted[row], finite[row], seen
