"""Attention of some images, drawn while the classifier trains."""

from collections.abc import Sequence
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.checks import check_number, name_some
from oaa_mm.engine.oaa_hook import OAAHook
from oaa_mm.io import read_image
from oaa_mm.registry import HOOKS

from .epochs import EpochStores, evenly_spaced
from .layouts import film_rows
from .tiles import ImageTiles


@HOOKS.register_module()
class AttentionVisualizationHook(Hook):
    """Hand the accumulated attention of some images to the visualizer.

    Stands beside an OAAHook. The pictures, ``attention_{image_id}``, go to
    every backend of the config's `visualizer` (files in
    ``vis_data/vis_image``, TensorBoard, Weights & Biases): the image, A (the
    epoch alone, where OAAHook has `keep_epoch_maps`) and M (accumulated).

    Args:
        image_ids (Sequence[str] | None): The images. Defaults to None:
            `num_images` of the training set, evenly spaced in its list.
        num_images (int): Defaults to 4.
        interval (int): Draw after every so many epochs; iterations in an
            iteration-based training. Defaults to 1.
        alpha (float): Weight of the colours over the image, 0..1. Defaults
            to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.

    Raises:
        ValueError: A number is not positive; at the start of training: there
            is no OAAHook, or an image is not in the training set.
    """

    priority = 'LOW'  # after OAAHook has fused the epoch

    def __init__(
        self,
        image_ids: Sequence[str] | None = None,
        num_images: int = 4,
        interval: int = 1,
        alpha: float = 0.6,
        tile_height: int = 200,
    ) -> None:
        name = 'AttentionVisualizationHook'
        check_number(f'{name}: num_images', num_images, low=1, integer=True)
        check_number(f'{name}: interval', interval, low=1, integer=True)
        self.image_ids = image_ids
        self.num_images = num_images
        self.interval = interval
        self.tile_options = dict(alpha=alpha, height=tile_height)

    def before_train(self, runner: Runner) -> None:
        """Find the images.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        self._oaa = next(
            (hook for hook in runner.hooks if isinstance(hook, OAAHook)), None
        )
        if self._oaa is None:
            raise ValueError(
                'AttentionVisualizationHook draws what OAAHook accumulates; '
                "add dict(type='oaa_mm.OAAHook') to custom_hooks"
            )
        dataset = runner.train_dataloader.dataset
        indices = range(len(dataset))
        if self.image_ids is None:
            indices = evenly_spaced(indices, self.num_images)
        infos = map(dataset.get_data_info, indices)
        paths = {info['image_id']: info['img_path'] for info in infos}
        wanted = self.image_ids or paths
        absent = sorted(set(wanted) - set(paths))
        if absent:
            raise ValueError(
                'AttentionVisualizationHook: image_ids names images that the '
                f'training set does not hold: {name_some(absent)}'
            )
        self._paths = {image_id: paths[image_id] for image_id in wanted}

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Draw, every so many epochs or iterations.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Number of the batch in the epoch.
            data_batch (dict): Not used.
            outputs (dict | None): Not used.
        """
        clock = self._oaa.clock
        if clock.stops_within_epochs:
            done, unit = runner.iter + 1, 'iteration'
        elif clock.ends_epoch(batch_idx):
            done, unit = runner.epoch + 1, 'epoch'
        else:
            return
        # The maps are in the main process.
        if done % self.interval == 0 and is_main_process():
            self._draw(runner, done, unit)

    def _draw(self, runner: Runner, step: int, unit: str) -> None:
        memory = self._oaa.accumulator
        stores = EpochStores(step, memory.epoch_maps, memory.store)
        names = runner.train_dataloader.dataset.metainfo['classes']
        for image_id, path in self._paths.items():
            image = read_image(path)
            tiles = ImageTiles(image, names, **self.tile_options)
            maps = stores.maps_of(image_id)
            (rows,) = film_rows(tiles, [maps], unit=unit)
            # The local backend makes no sub-folders.
            name = f'attention_{image_id}'.replace('/', '_')
            picture = tiles.draw(rows, image_id)
            runner.visualizer.add_image(name, picture, step=step)
