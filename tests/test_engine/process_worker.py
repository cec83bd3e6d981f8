"""What the tests of several processes run in each of them, by torchrun."""

import json
import os
import sys
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import numpy as np
import torch
import torch.distributed as torch_dist
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_rank, get_world_size
from mmengine.logging import MessageHub

from oaa_mm.attention import AttentionAccumulator, Placement
from oaa_mm.engine import AgreementHook
from oaa_mm.engine.exchange import EpochExchange
from oaa_mm.registry import MODELS
from oaa_mm.runs.launch import prepare_launch

IMAGES = 11  # neither 2 nor 3 divide it
CLASSES = 3
EPOCHS = 4


def sample(epoch, index):
    """Score maps, labels and placement of an image: the same everywhere."""
    rng = np.random.default_rng([epoch, index])
    height, width = ((4, 5), (6, 3))[index % 2]
    scores = torch.from_numpy(rng.normal(size=(1, CLASSES, height, width)))
    labels = torch.zeros(1, CLASSES, dtype=torch.uint8)
    labels[0, index % CLASSES] = labels[0, (index // 3) % CLASSES] = 1
    if epoch == 2 and index == 5:
        scores[0, index % CLASSES, 0, 0] = torch.nan
    # A crop of an image whose map has 8x8 cells; elsewhere in each epoch.
    top = 4 * int(rng.integers(0, 9 - height))
    left = 4 * int(rng.integers(0, 9 - width))
    placement = Placement(
        frame=(32, 32),
        box=(top, left, top + 4 * height, left + 4 * width),
    )
    return scores.float(), labels, replace(placement, grid=(8, 8))


def accumulate(out, **settings):
    """Accumulate fixed scores; the main process writes the memory."""
    exchange = EpochExchange()
    exchange.open()
    accumulator = AttentionAccumulator(keep_epoch_maps=True, **settings)
    sampler = DefaultSampler(range(IMAGES), shuffle=True, seed=0)
    for epoch in range(EPOCHS):
        accumulator.epoch = epoch
        sampler.set_epoch(epoch)
        for index in sampler:
            scores, labels, placement = sample(epoch, index)
            accumulator.update(
                [f'im{index}'], scores, labels, placements=[placement]
            )
        if epoch == 1:
            exchange.gather(accumulator)  # in vain, but allowed
        exchange.gather(accumulator)
        if get_rank() == 0:
            summary = accumulator.finish_epoch(epoch, epoch == EPOCHS - 1)
            print(summary)
        else:
            assert not accumulator.sections()
    if get_rank() == 0:
        accumulator.save(out)
        accumulator.epoch_maps.save(f'{out}.epoch')


def train(data_root, work_dir, *, resume=None, iterations=None, **options):
    """Train the tiny classifier of the hook's tests."""
    from test_oaa_hook import iteration_based, make_config, resume_from
    from test_oaa_hook import train as run

    if iterations is None:
        cfg = make_config(data_root, work_dir, **options)
    else:
        cfg = iteration_based(data_root, work_dir, **iterations, **options)
    cfg.optim_wrapper.optimizer.lr = 0.0  # maps depend on the images alone
    cfg.launcher = 'pytorch'
    prepare_launch(cfg)
    if resume:
        resume_from(cfg, resume)
    else:
        run(cfg)


def agree(model_sums, passes):
    """Report the agreement of fixed sums, each process its own."""
    model = MODELS.build(
        {
            'type': 'oaa_mm.IntegralAttentionModel',
            'backbone': {'type': 'mmseg.ResNet', 'depth': 18},
            'head': {'type': 'oaa_mm.CAMHead', 'in_channels': 512,
                     'num_classes': 2},
        }
    )  # fmt: skip
    runner = SimpleNamespace(
        model=model,
        iter=0,
        max_iters=passes * len(model_sums[0]),
        train_dataloader=model_sums[0],
        message_hub=MessageHub.get_instance('agree'),
        logger=mock.Mock(),
    )
    hook = AgreementHook(min_soft_iou=0.5)
    hook.before_train(runner)
    for sums in model_sums[get_rank()] * passes:
        model.agreement = torch.tensor(sums)
        hook.after_train_iter(runner, runner.iter)
        runner.iter += 1
    hook.after_train(runner)
    if get_rank() == 0:
        for kind in ('info', 'warning'):
            for call in getattr(runner.logger, kind).call_args_list:
                print(f'agree {kind}: {call.args[0]}')


if __name__ == '__main__':
    # Starting processes takes seconds: each does a list of tasks.
    torch.set_num_threads(1)
    # mmengine waits 2 s for its workers between passes; here are none.
    mock.patch('mmengine.runner.loops.time.sleep').start()
    for task, arguments in json.loads(sys.argv[1]):
        if task == 'accumulate':
            if not torch_dist.is_initialized():
                torch_dist.init_process_group('gloo')
            assert get_world_size() > 1
            accumulate(**arguments)
        elif task == 'agree':
            agree(**arguments)
        else:
            train(**arguments)
    # A thread of gloo may outlive Python, which then aborts.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
