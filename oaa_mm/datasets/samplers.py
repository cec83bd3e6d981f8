"""Batches of images that have the same size."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import torch
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_dist_info
from torch.utils.data import BatchSampler

from oaa_mm.checks import check_number
from oaa_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class EqualSizeBatchSampler(BatchSampler):
    """Group images whose size after resizing is equal.

    Nothing is padded in such a batch, so no computation is wasted and no
    convolution sees padding: a batch gives the same as its images one by one.
    Left-over images of a size form smaller batches, or mixed ones.

    Every process gets the same number of batches: all of them are planned
    from the seed and the epoch that the processes share, and some are given
    out twice if their number is not a multiple of the number of processes.

    Args:
        sampler (DefaultSampler): Decides on shuffling; its data set knows the
            size of each image (`input_size`, see
            :class:`~oaa_mm.datasets.ImageLevelDataset`).
        batch_size (int): Images in a full batch.
        merge_leftovers (bool): Put the images that are left over of all sizes
            together, neighbouring sizes first, so that all batches but one
            are full; those mixed batches are padded. This makes training
            steadier where many sizes are rare. Defaults to False.
        min_iters (int): Iterations that an epoch has at least. A smaller data
            set is gone through as often as that takes, each time in another
            order, so that a recipe stated in epochs trains on it as long as
            on a larger one. Defaults to 1: once.

    Raises:
        ValueError: The sampler is not a DefaultSampler, `batch_size` or
            `min_iters` is not positive, or the data set does not know the
            sizes of its images.
    """

    def __init__(
        self,
        sampler: DefaultSampler,
        batch_size: int,
        merge_leftovers: bool = False,
        min_iters: int = 1,
    ) -> None:
        if not isinstance(sampler, DefaultSampler):
            raise ValueError(
                'EqualSizeBatchSampler needs sampler=dict('
                f"type='DefaultSampler'), but got {type(sampler).__name__}"
            )
        check_number('batch_size', batch_size, low=1, integer=True)
        check_number('min_iters', min_iters, low=1, integer=True)
        super().__init__(sampler, batch_size, drop_last=False)
        self.merge_leftovers = merge_leftovers
        dataset = sampler.dataset
        self._sizes = [
            dataset.get_data_info(index).get('input_size')
            for index in range(len(dataset))
        ]
        if None in self._sizes:
            raise ValueError(
                'EqualSizeBatchSampler needs a data set that knows the sizes '
                'of its images: an ImageLevelDataset with check_images=True'
            )
        self.rank, self.world_size = get_dist_info()
        self._once = len(self._plan(range(len(dataset))))
        share = -(-self._once // self.world_size)
        self._times = -(-min_iters // share)

    def __len__(self) -> int:
        """Number of batches of this process."""
        return -(-self._once * self._times // self.world_size)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of this process."""
        generator = torch.Generator()
        generator.manual_seed(self.sampler.seed + self.sampler.epoch)
        batches = [
            batch
            for _ in range(self._times)
            for batch in self._read_once(generator)
        ]
        total = len(self) * self.world_size
        dealt = islice(cycle(batches), total)
        return islice(dealt, self.rank, None, self.world_size)

    def _read_once(self, generator: torch.Generator) -> list[list[int]]:
        """The batches of all processes that hold every image once."""
        order = list(range(len(self._sizes)))
        if self.sampler.shuffle:
            order = torch.randperm(len(order), generator=generator).tolist()
        batches = self._plan(order)
        if self.sampler.shuffle:
            # Else the small batches would always come last.
            mixed = torch.randperm(len(batches), generator=generator)
            batches = [batches[number] for number in mixed.tolist()]
        return batches

    def _plan(self, order: Sequence[int]) -> list[list[int]]:
        """Cut the images of each size, in this order, into batches."""
        waiting: dict[tuple[int, int], list[int]] = {}
        batches = []
        for index in order:
            group = waiting.setdefault(self._sizes[index], [])
            group.append(index)
            if len(group) == self.batch_size:
                batches.append(waiting.pop(self._sizes[index]))
        leftovers = list(waiting.values())
        if self.merge_leftovers:
            row = [i for size in sorted(waiting) for i in waiting[size]]
            leftovers = [
                row[start : start + self.batch_size]
                for start in range(0, len(row), self.batch_size)
            ]
        return batches + leftovers
