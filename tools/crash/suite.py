"""All scenarios, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from .endurance import train_long
from .processes import crash_processes
from .report import Report
from .scenarios import crash_labels, crash_training
from .signals import interrupt_all, run_twice
from .stages import crash_pipeline
from .world import EPOCHS, World


def crash_all(
    world: World, what: Sequence[str], *, kills: int, seed: int
) -> Iterator[Report]:
    """Break several kinds of runs.

    Args:
        world (World): Data and configs.
        what (Sequence[str]): Of ``'oaa'``, ``'oaa_plus'``, ``'labels'``,
            ``'signals'``, ``'twice'``, ``'pipeline'``, ``'processes'`` and
            ``'long'``.
        kills (int): Number of kills of each of the first three and of the
            pipeline.
        seed (int): Seed of the moments.

    Yields:
        Report: One per kind; ``'oaa'`` gives two, without and with
        augmentation.
    """
    random = Random(seed)
    folder = world.folder
    store = folder / f'plain/reference/attention_epoch_{EPOCHS}.safetensors'
    plain = crash_training(
        world,
        'plain',
        folder / 'plain',
        kills=kills if 'oaa' in what else 0,
        random=random,
    )
    common = {'kills': kills, 'random': random}
    if 'oaa' in what:
        yield plain
        yield crash_training(world, 'oaa', folder / 'oaa', **common)
    if 'oaa_plus' in what:
        target = f'train_dataloader.dataset.pipeline.0.store={store}'
        yield crash_training(
            world,
            'oaa_plus',
            folder / 'oaa_plus',
            options=[target],
            **common,
        )
    if 'labels' in what:
        yield crash_labels(world, store, folder / 'labels', **common)
    if 'signals' in what:
        yield interrupt_all(world, folder / 'signals', store)
    if 'twice' in what:
        yield run_twice(world, folder / 'twice', store)
    if 'processes' in what:
        yield crash_processes(world, folder / 'processes')
    if 'pipeline' in what:
        yield crash_pipeline(world, folder / 'pipeline', **common)
    if 'long' in what:
        yield train_long(world, folder / 'long')
