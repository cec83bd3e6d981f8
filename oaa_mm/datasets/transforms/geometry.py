"""Recording where the network's input lies in its image.

Transforms of mmseg hardly tell their effect: a random crop does not return its
box. So every step of a pipeline is watched with a witness: an array of the
image's size that holds the number of each pixel and goes through the
transforms as a segmentation map does. The result tells which pixels were kept,
flipped or resized, for any transform that treats segmentation maps as it
treats the image, and betrays most others.
"""

from collections.abc import Callable

import cv2
import numpy as np
from mmcv.transforms import RandomFlip
from mmengine.dataset import Compose
from mmseg.datasets import transforms as mmseg_transforms

from oaa_mm.datasets.entries import sample_id
from oaa_mm.io.images import check_extent
from oaa_mm.registry import TRANSFORMS

from .axis import trace_axis
from .frame_size import draws_scale, iterate_transforms, size_after
from .image_geometry import ImageGeometry

#: Errors that mmcv's loading raises for damaged files.
UNREADABLE = (OSError, AssertionError, cv2.error)
WITNESS = 'oaa_geometry_witness'
#: Keys that transforms miss if they need a segmentation map.
MASK_KEYS = (('gt_seg_map',), ('seg_map_path',))
#: Transforms of mmseg that cannot be undone on a map of cells.
REFUSED = ('RandomRotate', 'RandomRotFlip', 'RandomMosaic', 'Albu', 'Pad')


@TRANSFORMS.register_module()
class RecordingCompose(Compose):
    """A pipeline that records flips, crops and resizes exactly.

    After each transform ``results['placement']`` says where the present image
    lies in the frame of the original one. ImageLevelDataset has one; for data
    sets of mmseg, which give no `image_id` either, it is the one transform of
    their pipeline that holds all others.

    Args:
        transforms (list[dict | Callable]): The pipeline.

    Raises:
        ValueError: A transform cannot be undone on attention maps; at the
            first sample if it is a foreign one.
    """

    def __init__(self, transforms: list[dict | Callable]) -> None:
        super().__init__(transforms)
        for transform in self.transforms:
            for inner in iterate_transforms(transform):
                _check_known(inner)
        scales = [draws_scale(transform) for transform in self.transforms]
        #: For each transform: whether an earlier one draws a scale.
        self._drawn = [any(scales[:n]) for n in range(len(scales))]

    def __call__(self, data: dict) -> dict:
        """Run the pipeline on one sample.

        Args:
            data (dict): The entries of an image in its data set.

        Returns:
            dict: The packed sample.

        Raises:
            ValueError: An image is unreadable, or a transform returned
                nothing, needs a mask that the image lacks, or moved pixels in
                a way that cannot be undone.
        """
        path = data.get('img_path', 'image')
        if 'img_path' in data:
            data['image_id'] = sample_id(data)
        geometry = self._begin(data, path) if 'img' in data else None
        for transform, drawn in zip(self.transforms, self._drawn, strict=True):
            had_scale = data.get('scale_factor')
            try:
                data = transform(data)
            except UNREADABLE as error:
                if geometry is not None and not isinstance(error, OSError):
                    raise  # not the loading, whose assertions these are
                raise ValueError(
                    f'{path}: cannot be read ({error}); '
                    'tools/check_dataset.py lists all such files'
                ) from error
            except KeyError as error:
                if error.args[:1] not in MASK_KEYS:
                    raise
                raise _needs_mask(transform, path) from error
            if data is None:
                raise ValueError(
                    f'{type(transform).__name__} returned nothing for {path}'
                )
            if not isinstance(data, dict) or 'img' not in data:
                continue
            if geometry is None:
                geometry = self._begin(data, path)
            else:
                hint = data.get('scale_factor') is not had_scale
                geometry = self._observe(
                    data, geometry, transform, hint=hint, drawn=drawn
                )
            data['placement'] = geometry.placement
        return data

    @staticmethod
    def _begin(data: dict, path: str) -> ImageGeometry:
        shape = data['img'].shape[:2]
        check_extent(path, shape)
        data[WITNESS] = _number_pixels(shape)
        data['seg_fields'] = [*data.get('seg_fields', []), WITNESS]
        return ImageGeometry(shape=shape, frame=shape)

    @staticmethod
    def _observe(
        data: dict,
        before: ImageGeometry,
        transform: Callable,
        *,
        hint: bool,
        drawn: bool,
    ) -> ImageGeometry:
        """Update the geometry by the effect of a transform on the witness."""
        if WITNESS not in data:
            raise _refusal(transform, 'dropped the segmentation maps')
        witness, shape = data[WITNESS], data['img'].shape[:2]
        if witness.shape != shape:
            raise _refusal(
                transform,
                f'made the image {shape} but left its segmentation maps at '
                f'{witness.shape}',
            )
        height, width = before.shape
        rows, columns = witness[:, 0] // width, witness[0] % width
        traces = (
            trace_axis(rows, height, resize_hint=hint),
            trace_axis(columns, width, resize_hint=hint),
        )
        straight = np.array_equal(witness, rows[:, None] * width + columns)
        if None in traces or not straight:
            raise _refusal(transform, 'moved pixels in another way')
        frame = size_after(transform, before.frame, drawn=drawn)
        after = before.after(shape, traces, frame)
        if after != before:
            data[WITNESS] = _number_pixels(shape)
        return after


def placement_is_current(results: dict) -> bool:
    """Whether `placement` tells where the present image lies.

    It does not where something moved pixels without being watched: wrappers
    that run transforms of their own after those of the data set.

    Args:
        results (dict): The sample in its present state.

    Returns:
        bool: False if pixels have moved since `placement` was written.
    """
    if WITNESS not in results or 'img' not in results:
        return True
    numbers = _number_pixels(results['img'].shape[:2])
    return np.array_equal(results[WITNESS], numbers)


def _number_pixels(shape: tuple[int, int]) -> np.ndarray:
    return np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)


def _check_known(transform: Callable) -> None:
    """Refuse, before the first sample, transforms known not to work."""
    if type(transform).__name__ in REFUSED:
        raise _refusal(transform, 'is known not to be undone')
    mmseg_flip = isinstance(transform, mmseg_transforms.RandomFlip)
    if isinstance(transform, RandomFlip) and not mmseg_flip:
        raise _refusal(
            transform, 'of mmcv leaves segmentation maps as they were'
        )
    resize = getattr(transform, 'resize', transform)
    if getattr(resize, 'backend', None) == 'pillow':
        raise _refusal(
            transform, "with backend='pillow' (use 'cv2') cannot be watched"
        )


def _needs_mask(transform: Callable, path: str) -> ValueError:
    return ValueError(
        f'transform {type(transform).__name__} needs a segmentation map, but '
        f'{path} has none: image-level data is used without. Take it out of '
        'the pipeline; with RandomCrop, set cat_max_ratio=1.0. Or give masks '
        'to all images (`data_prefix.seg_map_path`) and load them before it '
        '(LoadAnnotations; oaa_mm.LoadMaskOrIgnore ignores all pixels of '
        'images without a mask).'
    )


def _refusal(transform: Callable, why: str) -> ValueError:
    return ValueError(
        f'transform {type(transform).__name__} {why}: attention maps could '
        'not be brought back to their image, so they must not be '
        'accumulated. Flips, crops and resizes that treat segmentation maps '
        'as mmseg does (RandomFlip, RandomCrop, RandomResize, Resize, '
        'ResizeShortestEdge) are undone exactly; padding is done per batch '
        'by the data preprocessor.'
    )
