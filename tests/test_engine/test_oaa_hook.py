"""OAAHook in real trainings on a handful of small images."""

import json
import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from mmengine.runner import Runner
from torch import nn

from oaa_mm.attention import AttentionStore
from oaa_mm.engine import OAAHook
from oaa_mm.registry import MODELS

NAMES = ('red', 'green', 'blue')


@MODELS.register_module(name='OAAHookTestBackbone')
class PixelBackbone(BaseModule):
    """Averages cells of 4x4 pixels: flips commute with it exactly."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 4, 1)

    def forward(self, inputs):
        return (self.mix(nn.functional.avg_pool2d(inputs, 4)).relu(),)


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Eight images of two sizes, whose labels are colours of patches."""
    root = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    lines = []
    for number in range(8):
        size = (24, 32) if number % 2 else (32, 24)
        image = rng.integers(0, 60, (*size, 3), dtype=np.uint8)
        label = sorted({number % 3, (number // 3) % 3})
        for index in label:  # cv2 writes BGR: class 0 is the red channel
            y, x = rng.integers(0, 12, 2)
            image[y : y + 12, x : x + 12, 2 - index] = 255
        (root / 'img').mkdir(exist_ok=True)
        cv2.imwrite(str(root / f'img/im{number}.png'), image)
        lines.append(f'im{number} {" ".join(map(str, label))}')
    (root / 'list.txt').write_text('\n'.join(lines) + '\n')
    return root


def make_config(data_root, work_dir, *, epochs=3, flip=False, **hook):
    pipeline = [
        {'type': 'LoadImageFromFile'},
        {'type': 'oaa_mm.PackImageLevelInputs'},
    ]
    if flip:
        pipeline.insert(1, {'type': 'RandomFlip', 'prob': 0.5})
    loader = {
        'batch_size': 3,
        'num_workers': 0,
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'dataset': {
            'type': 'oaa_mm.ImageLevelDataset',
            'data_root': str(data_root),
            'ann_file': 'list.txt',
            'data_prefix': {'img_path': 'img'},
            'img_suffix': '.png',
            'metainfo': {'classes': NAMES},
            'pipeline': pipeline,
        },
    }
    return Config(
        {
            'default_scope': 'mmseg',
            'work_dir': str(work_dir),
            'model': {
                'type': 'oaa_mm.CAMClassifier',
                'data_preprocessor': {
                    'type': 'ImgDataPreprocessor',
                    'mean': [127.0] * 3,
                    'std': [60.0] * 3,
                    'bgr_to_rgb': True,
                },
                'backbone': {'type': 'oaa_mm.OAAHookTestBackbone'},
                'head': {
                    'type': 'oaa_mm.CAMHead',
                    'in_channels': 4,
                    'num_classes': 3,
                    'num_convs': 0,
                    'init_cfg': {
                        'type': 'Normal', 'layer': 'Conv2d', 'std': 0.5,
                    },
                },
            },
            'train_dataloader': loader,
            'train_cfg': {'by_epoch': True, 'max_epochs': epochs},
            'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.1}},
            'custom_hooks': [{'type': 'oaa_mm.OAAHook', **hook}],
            'default_hooks': {
                'logger': {
                    'type': 'LoggerHook', 'interval': 1, 'ignore_last': False,
                },
                'checkpoint': {'type': 'CheckpointHook', 'interval': 1},
            },
            'log_processor': {'by_epoch': True, 'window_size': 1},
            'randomness': {'seed': 0},
            'experiment_name': f'{Path(work_dir).name}_{id(object())}',
        }
    )  # fmt: skip


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def final_store(work_dir, epoch=3):
    return AttentionStore.load(
        Path(work_dir) / f'attention_epoch_{epoch}.safetensors'
    )


def assert_equal(first, second):
    assert list(first) == list(second)
    assert len(first) > 0
    for pair in first:
        assert np.array_equal(first[pair], second[pair])


def test_every_labelled_pair_gets_a_map_and_the_log_tells(data_root, tmp_path):
    runner = train(make_config(data_root, tmp_path))
    store = final_store(tmp_path)
    expected = [
        (line.split()[0], int(c))
        for line in (data_root / 'list.txt').read_text().splitlines()
        for c in line.split()[1:]
    ]
    assert list(store) == sorted(expected)
    # Cells of 4 pixels, in the image's own size although batches are padded.
    assert store['im0', 0].shape == (8, 6)
    assert store['im1', 0].shape == (6, 8)
    assert all(store[pair].max() == 255 for pair in store)
    scalars = Path(
        runner.visualizer._vis_backends['LocalVisBackend']._save_dir
    )
    lines = [
        json.loads(line)
        for line in (scalars / 'scalars.json').read_text().splitlines()
    ]
    ends = [line for line in lines if line.get('step') in (3, 6, 9)]
    assert ends[0]['oaa_accept_rate'] == 0
    assert 0 < ends[1]['oaa_accept_rate'] <= 1
    assert ends[2]['oaa_coverage'] >= ends[1]['oaa_coverage'] > 0
    assert all('loss' in line for line in ends)


def test_batches_shuffling_and_flips_do_not_change_the_result(
    data_root, tmp_path
):
    """With a fixed model, the store depends on the images alone."""
    stores = []
    for number, (batch, shuffle, flip, sampler) in enumerate(
        [
            (1, False, False, None),
            (8, True, True, None),
            (3, True, True, 'oaa_mm.EqualSizeBatchSampler'),
        ]
    ):
        cfg = make_config(data_root, tmp_path / str(number), flip=flip)
        cfg.train_dataloader.batch_size = batch
        cfg.train_dataloader.sampler.shuffle = shuffle
        if sampler:
            cfg.train_dataloader.batch_sampler = {'type': sampler}
        cfg.optim_wrapper.optimizer.lr = 0.0
        train(cfg)
        stores.append(final_store(tmp_path / str(number)))
    assert_equal(stores[0], stores[1])
    assert_equal(stores[0], stores[2])


@pytest.mark.parametrize('fusion', ['max', 'mean'])
def test_resuming_equals_going_through(data_root, tmp_path, fusion):
    train(make_config(data_root, tmp_path / 'whole', fusion=fusion, epochs=4))
    train(make_config(data_root, tmp_path / 'parts', fusion=fusion, epochs=4))
    # Forget the last two epochs, as if the machine had stopped there. A
    # newer store that was written before the stop must not be used.
    for epoch in (3, 4):
        (tmp_path / f'parts/epoch_{epoch}.pth').unlink()
    last = tmp_path / 'parts/last_checkpoint'
    last.write_text(str(tmp_path / 'parts/epoch_2.pth'))
    cfg = make_config(data_root, tmp_path / 'parts', fusion=fusion, epochs=4)
    cfg.resume = True
    train(cfg)
    assert_equal(
        final_store(tmp_path / 'whole', 4), final_store(tmp_path / 'parts', 4)
    )
    whole = (tmp_path / 'whole/attention_epoch_4.safetensors').read_bytes()
    parts = (tmp_path / 'parts/attention_epoch_4.safetensors').read_bytes()
    assert whole == parts


def test_each_checkpoint_has_its_store(data_root, tmp_path):
    train(make_config(data_root, tmp_path))
    for epoch in (1, 2, 3):
        state = torch.load(tmp_path / f'epoch_{epoch}.pth', weights_only=False)
        name = state['oaa']['store']
        assert name == f'attention_epoch_{epoch}.safetensors'
        assert (tmp_path / name).is_file()
    assert len(final_store(tmp_path, 1)) == 0


@pytest.mark.parametrize(
    ('damage', 'error', 'message'),
    [
        (Path.unlink, FileNotFoundError, r'attention_epoch_3.*not in'),
        (
            lambda p: p.write_bytes(p.read_bytes()[:-1]),
            ValueError,
            'not an attention store',
        ),
    ],
)
def test_a_lost_or_damaged_store_is_named_and_left_alone(
    data_root, tmp_path, damage, error, message
):
    train(make_config(data_root, tmp_path))
    path = tmp_path / 'attention_epoch_3.safetensors'
    damage(path)
    before = path.read_bytes() if path.exists() else None
    cfg = make_config(data_root, tmp_path, epochs=5)
    cfg.resume = True
    with pytest.raises(error, match=message):
        train(cfg)
    assert (path.read_bytes() if path.exists() else None) == before


def test_other_settings_are_not_resumed(data_root, tmp_path):
    train(make_config(data_root, tmp_path))
    cfg = make_config(data_root, tmp_path, epochs=4, acceptance='none')
    cfg.resume = True
    with pytest.raises(ValueError, match=r"acceptance.*'topk', 'none'"):
        train(cfg)


def test_loading_weights_alone_does_not_restore_the_memory(
    data_root, tmp_path
):
    train(make_config(data_root, tmp_path / 'a'))
    cfg = make_config(data_root, tmp_path / 'b', epochs=1)
    cfg.load_from = str(tmp_path / 'a/epoch_3.pth')
    runner = train(cfg)
    hook = next(h for h in runner.hooks if isinstance(h, OAAHook))
    # One epoch, which only trains: nothing but fallback maps.
    assert len(hook.accumulator.store) == len(final_store(tmp_path / 'b', 1))
    state = torch.load(tmp_path / 'b/epoch_1.pth', weights_only=False)
    assert state['oaa']['store'] == 'attention_epoch_1.safetensors'


def test_validation_takes_no_part(data_root, tmp_path):
    cfg = make_config(data_root, tmp_path)
    loader = json.loads(json.dumps(cfg.train_dataloader.to_dict()))
    loader['sampler']['shuffle'] = False
    cfg.train_dataloader.dataset.indices = [0, 1, 2, 3]
    cfg.val_dataloader = loader
    cfg.val_cfg = {'type': 'ValLoop'}
    cfg.val_evaluator = {'type': 'oaa_mm.MultiLabelMetric'}
    train(cfg)
    assert final_store(tmp_path).image_ids == ('im0', 'im1', 'im2', 'im3')


def test_epoch_maps_are_kept_on_request(data_root, tmp_path):
    train(make_config(data_root, tmp_path, keep_epoch_maps=True))
    stores = [
        AttentionStore.load(tmp_path / f'epoch_maps_{epoch}.safetensors')
        for epoch in (1, 2, 3)
    ]
    assert [len(store) for store in stores] == [len(final_store(tmp_path))] * 3


def test_iteration_based_training_needs_a_declared_epoch(data_root, tmp_path):
    cfg = make_config(data_root, tmp_path)
    cfg.train_cfg = {'type': 'IterBasedTrainLoop', 'max_iters': 9}
    with pytest.raises(ValueError, match='OAAHook.epoch_length'):
        train(cfg)


def test_iteration_based_training_with_a_declared_epoch(data_root, tmp_path):
    train(make_config(data_root, tmp_path / 'epochs'))
    cfg = make_config(data_root, tmp_path / 'iters', epoch_length=3)
    cfg.train_cfg = {'type': 'IterBasedTrainLoop', 'max_iters': 9}
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.default_hooks.checkpoint.interval = 3
    cfg.log_processor.by_epoch = False
    train(cfg)
    store = AttentionStore.load(
        tmp_path / 'iters/attention_iter_9.safetensors'
    )
    # Three iterations are one pass, in the order of DefaultSampler.
    assert list(store) == list(final_store(tmp_path / 'epochs'))
    assert (tmp_path / 'iters/attention_iter_6.safetensors').is_file()


def test_epoch_length_is_refused_where_there_are_epochs(data_root, tmp_path):
    with pytest.raises(ValueError, match='epoch_length is for IterBased'):
        train(make_config(data_root, tmp_path, epoch_length=3))
    with pytest.raises(ValueError, match='epoch_length counts'):
        OAAHook(epoch_length=0)


def test_ending_early_still_applies_the_fallback(data_root, tmp_path):
    cfg = make_config(
        data_root, tmp_path, epochs=9, acceptance='threshold', threshold=1.0
    )
    runner = Runner.from_cfg(cfg)

    class Stop:
        def __call__(self):
            runner.train_loop.stop_training = True

    hook = next(h for h in runner.hooks if isinstance(h, OAAHook))
    original = hook.accumulator.finish_epoch

    def finish_and_stop(epoch, last=False):
        if epoch == 1:
            Stop()()
        return original(epoch, last=last)

    hook.accumulator.finish_epoch = finish_and_stop
    runner.train()
    assert len(final_store(tmp_path, 2)) > 0


def test_a_model_without_maps_is_refused(data_root, tmp_path):
    cfg = make_config(data_root, tmp_path)
    cfg.model = {
        'type': 'EncoderDecoder',
        'backbone': {'type': 'oaa_mm.OAAHookTestBackbone'},
        'decode_head': {
            'type': 'FCNHead', 'in_channels': 4, 'channels': 4,
            'num_convs': 0, 'concat_input': False, 'num_classes': 3,
        },
    }  # fmt: skip
    with pytest.raises(ValueError, match=r'CAMClassifier.*EncoderDecoder'):
        train(cfg)


def test_samples_without_a_place_are_refused(data_root, tmp_path):
    cfg = make_config(data_root, tmp_path)
    cfg.train_dataloader.dataset.pipeline[-1].meta_keys = (
        'image_id',
        'img_shape',
    )
    with pytest.raises(ValueError, match='`placement`'):
        train(cfg)


def test_maps_with_nan_are_reported(data_root, tmp_path, caplog):
    cfg = make_config(data_root, tmp_path, epochs=1)
    runner = Runner.from_cfg(cfg)
    model = runner.model
    original = model.score_maps

    def poisoned(inputs):
        scores = original(inputs)
        return scores + torch.where(
            torch.arange(len(scores)) == 0, torch.nan, 0.0
        ).view(-1, 1, 1, 1)

    model.score_maps = poisoned
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        runner.train()
    assert 'NaN or Inf' in caplog.text
