"""OAA-drop: attended regions are hidden so that attention moves on."""

import time
from typing import Any

import numpy as np
from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import Runner

from oaa_mm.attention.drop import attended_pixels, is_dropped
from oaa_mm.checks import check_number
from oaa_mm.models.attention_model import AttentionModel
from oaa_mm.registry import HOOKS

from .batch_attention import metainfo
from .oaa_hook import OAAHook


@HOOKS.register_module()
class OAADropHook(OAAHook):
    """OAAHook with the attention drop layer of the authors' OAA-drop.

    Where the attention of an image hardly moves from epoch to epoch, it has to
    be pushed. In each epoch an image is drawn with the probability
    `drop_prob`; then its pixels are hidden (zero after normalisation, which is
    the mean colour) where the latest accepted map of any of its classes
    exceeds `drop_threshold`. This is the map of a single epoch, not the
    accumulated one; it is taken through the flip, crop and resize of the
    sample. Dropping begins with the epoch after `start_epoch`, when there are
    maps. Images are drawn one by one (the authors' release blanks the regions
    of one image in its whole batch).

    Which images are drawn depends on the training's seed, the epoch and the
    image id; the latest maps are part of the store's file. So a resumed
    training hides what an uninterrupted one hides. With several processes,
    all hold the latest maps, which the main one sends once an epoch: as many
    bytes of memory in each as the accumulated maps have in the main one.

    The mean share of hidden pixels in the images of the epoch so far is logged
    as `oaa_hidden`.

    Args:
        drop_prob (float): Probability of an image to be drawn, in [0, 1].
            Defaults to 0.5.
        drop_threshold (float): Attention in [0, 1] above which a pixel is
            hidden. Defaults to 0.6.
        **kwargs: Arguments of :class:`OAAHook`.

    Raises:
        ValueError: An argument is out of its range; see also OAAHook.
    """

    keep_latest = True

    def __init__(
        self,
        drop_prob: float = 0.5,
        drop_threshold: float = 0.6,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        drop = {'drop_prob': drop_prob, 'drop_threshold': drop_threshold}
        for name, value in drop.items():
            check_number(f'OAADropHook: {name}', value, low=0, high=1)
        self.drop_prob = drop_prob
        self.drop_threshold = drop_threshold
        self._epoch: int | None = None
        self._images, self._shares = 0, 0.0  # of that epoch so far
        self.settings |= drop  # a resumed training must not differ in them

    def before_train(self, runner: Runner) -> None:
        """Prepare as OAAHook does, and share maps that were restored.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        super().before_train(runner)
        if not isinstance(self.source.model, AttentionModel):
            raise ValueError(
                'OAADropHook hides pixels from models of oaa_mm, such as '
                f'CAMClassifier, but got {type(self.source.model).__name__}: '
                'derive it from oaa_mm.models.attention_model.AttentionModel, '
                'or use OAAHook'
            )
        self._share(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Tell the model which pixels of the batch are hidden.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Number of the batch in the epoch.
            data_batch (dict): The batch; its `data_samples` get the field
                `hidden_pixels`, an (H, W) bool array.
        """
        epoch = self.clock.epoch
        if epoch != self._epoch:
            self._epoch, self._images, self._shares = epoch, 0, 0.0
        for image, sample in zip(
            data_batch['inputs'], data_batch['data_samples'], strict=True
        ):
            self._images += 1
            image_id = metainfo(sample, 'image_id')
            if not is_dropped(
                image_id, epoch=epoch, seed=runner.seed, prob=self.drop_prob
            ):
                continue
            maps = list(self.accumulator.latest.maps_of(image_id).values())
            if maps:
                hidden = attended_pixels(
                    np.stack(maps),
                    metainfo(sample, 'placement'),
                    tuple(image.shape[-2:]),
                    threshold=self.drop_threshold,
                )
                self._shares += float(hidden.mean())
                sample.set_field(hidden, 'hidden_pixels')
        # The logger shows the latest value as it is.
        runner.message_hub.update_scalar(
            'train/oaa_hidden', self._shares / self._images
        )

    def _finish_epoch(self, runner: Runner, epoch: int, last: bool) -> None:
        super()._finish_epoch(runner, epoch, last)
        if not last:
            self._share(runner)

    def _share(self, runner: Runner) -> None:
        if get_world_size() == 1:
            return
        start = time.perf_counter()
        self._exchange.share(self.accumulator.latest)
        if is_main_process():
            runner.logger.info(
                f'OAADropHook: shared {len(self.accumulator.latest)} maps in '
                f'{time.perf_counter() - start:.2f} s'
            )
