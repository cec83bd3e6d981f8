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
from oaa_mm.attention.record import DataRecord
from oaa_mm.engine import OAAHook
from oaa_mm.io import write_mask
from oaa_mm.registry import MODELS
from oaa_mm.visualization import find_epochs, load_epochs

NAMES = ('red', 'green', 'blue')


@MODELS.register_module(name='OAAHookTestBackbone')
class PixelBackbone(BaseModule):
    """Averages cells of 4x4 pixels: flips commute with it exactly."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 4, 1)

    def forward(self, inputs):
        return (self.mix(nn.functional.avg_pool2d(inputs, 4)).relu(),)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """mmengine waits 2 s for its workers between passes; here are none."""
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda _: None)


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


def flip_last_bit(path):
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize(
    ('damage', 'error', 'message'),
    [
        (Path.unlink, FileNotFoundError, r'attention_epoch_3.*not in'),
        (flip_last_bit, ValueError, 'is damaged: its'),
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


def test_the_store_of_another_run_is_refused(data_root, tmp_path):
    train(make_config(data_root, tmp_path / 'one'))
    other = make_config(data_root, tmp_path / 'two')
    other.randomness.seed = 1
    train(other)
    foreign = (tmp_path / 'two/attention_epoch_3.safetensors').read_bytes()
    path = tmp_path / 'one/attention_epoch_3.safetensors'
    path.write_bytes(foreign)
    cfg = make_config(data_root, tmp_path / 'one', epochs=5)
    cfg.resume = True
    with pytest.raises(ValueError, match=r'one/att.*is from another run'):
        train(cfg)
    assert path.read_bytes() == foreign


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
    cfg = make_config(
        data_root, tmp_path / 'b', epochs=1, start_epoch=0,
        acceptance='threshold', threshold=1.0, fallback='none',
    )  # fmt: skip
    cfg.load_from = str(tmp_path / 'a/epoch_3.pth')
    train(cfg)
    # Nothing is ever accepted: all that could be here came from the file.
    assert len(final_store(tmp_path / 'b', 1)) == 0
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
    assert final_store(tmp_path).image_ids == ['im0', 'im1', 'im2', 'im3']


def test_iteration_based_training_needs_a_declared_epoch(data_root, tmp_path):
    cfg = make_config(data_root, tmp_path)
    cfg.train_cfg = {'type': 'IterBasedTrainLoop', 'max_iters': 9}
    with pytest.raises(ValueError, match='OAAHook.epoch_length'):
        train(cfg)


def test_iteration_based_training_with_a_declared_epoch(data_root, tmp_path):
    trainings = (
        make_config(data_root, tmp_path / 'epochs'),
        iteration_based(data_root, tmp_path / 'iters', interval=3),
    )
    # Upstream's mmengine draws a number before an iteration-based training
    # initialises its weights: both begin with the same ones.
    start = tmp_path / 'start.pth'
    torch.save(MODELS.build(trainings[0].model).state_dict(), start)
    for cfg in trainings:
        cfg.load_from = str(start)
        train(cfg)
    # Three iterations are one pass, in the order of DefaultSampler.
    for epoch in (2, 3):
        assert_equal(
            final_store(tmp_path / 'iters', epoch),
            final_store(tmp_path / 'epochs', epoch),
        )


def iteration_based(data_root, work_dir, *, interval, max_iters=9, **hook):
    """Three iterations are an epoch; a checkpoint every `interval`."""
    cfg = make_config(data_root, work_dir, epoch_length=3, **hook)
    cfg.train_cfg = {'type': 'IterBasedTrainLoop', 'max_iters': max_iters}
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.default_hooks.checkpoint.interval = interval
    cfg.log_processor.by_epoch = False
    return cfg


def resume_from(cfg, name):
    """Go on from a checkpoint, as if the machine had stopped there."""
    path = Path(cfg.work_dir) / name
    (path.parent / 'last_checkpoint').write_text(str(path))
    cfg.resume = True
    return train(cfg)


@pytest.mark.parametrize(
    ('fusion', 'iters'), [('max', 4), ('mean', 8), ('max', 6)]
)
def test_resuming_within_a_declared_epoch_loses_nothing(
    data_root, tmp_path, fusion, iters
):
    """Iterations 4 and 8 are in the middle of an epoch, 6 is its end."""
    args = {'interval': 2, 'fusion': fusion, 'keep_epoch_maps': True}
    train(iteration_based(data_root, tmp_path, **args))
    names = [
        *(f'attention_epoch_{n}.safetensors' for n in (2, 3)),
        *(f'epoch_maps_{n}.safetensors' for n in (2, 3)),
    ]
    expected = {name: (tmp_path / name).read_bytes() for name in names}
    for name in names if iters == 4 else names[1::2]:
        (tmp_path / name).unlink()
    cfg = iteration_based(data_root, tmp_path, **args)
    resume_from(cfg, f'iter_{iters}.pth')
    assert expected == {n: (tmp_path / n).read_bytes() for n in names}


def test_stores_of_iterations_are_found_by_epoch(data_root, tmp_path):
    cfg = iteration_based(
        data_root, tmp_path, interval=2, keep_epoch_maps=True
    )
    train(cfg)
    # Checkpoints at 2, 4, 6, 8, 9: the sixth and the ninth end an epoch.
    assert find_epochs(tmp_path) == ([2, 3], [1, 2, 3])
    first, last = load_epochs(tmp_path, [1, 3])
    assert first.reason == 'not started'
    assert_equal(last.accumulated, final_store(tmp_path))
    for iters, name in ((4, 'iter_4'), (6, 'epoch_2')):
        state = torch.load(tmp_path / f'iter_{iters}.pth', weights_only=False)
        assert state['oaa']['store'] == f'attention_{name}.safetensors'


def test_a_last_epoch_that_is_cut_short_can_be_continued_once(
    data_root, tmp_path
):
    args = {'interval': 4, 'start_epoch': 0}
    train(iteration_based(data_root, tmp_path, max_iters=4, **args))
    assert find_epochs(tmp_path)[0] == [2]
    resume_from(
        iteration_based(data_root, tmp_path, max_iters=6, **args),
        'iter_4.pth',
    )
    assert find_epochs(tmp_path)[0] == [2]
    # Now the file is that of six iterations.
    cfg = iteration_based(data_root, tmp_path, max_iters=6, **args)
    with pytest.raises(ValueError, match='iteration 6, but .* iteration 4'):
        resume_from(cfg, 'iter_4.pth')


def test_ending_early_fuses_the_unfinished_epoch(data_root, tmp_path):
    cfg = iteration_based(data_root, tmp_path, interval=9, fallback='none')
    runner = Runner.from_cfg(cfg)
    original = runner.train_loop.run_iter

    def run_iter(data_batch):
        original(data_batch)
        runner.train_loop.stop_training = runner.iter == 4

    runner.train_loop.run_iter = run_iter
    runner.train()
    # The first epoch only trains, the second has seen one batch of three.
    assert 0 < len(final_store(tmp_path, 2).image_ids) <= 3


def test_stores_lie_beside_the_checkpoints(data_root, tmp_path):
    def config(epochs):
        cfg = make_config(
            data_root, tmp_path / 'work', epochs=epochs, keep_epoch_maps=True
        )
        cfg.default_hooks.checkpoint.out_dir = str(tmp_path / 'out')
        return cfg

    train(config(2))
    folder = tmp_path / 'out/work'
    assert (folder / 'epoch_2.pth').is_file()
    assert find_epochs(folder) == ([1, 2], [1, 2])
    assert (folder / 'attention_epoch_2.safetensors.manifest.json').is_file()
    assert not list((tmp_path / 'work').glob('*.safetensors'))
    cfg = config(3)
    cfg.resume = True
    train(cfg)
    assert find_epochs(folder) == ([1, 2, 3], [1, 2, 3])


def test_accumulation_that_would_never_start_is_refused(data_root, tmp_path):
    match = r'OAAHook\.start_epoch=2 .*train_cfg\.max_epochs=2\. .*below 2'
    with pytest.raises(ValueError, match=match):
        train(make_config(data_root, tmp_path, epochs=2, start_epoch=2))
    # Nine iterations are three epochs, though the loop has one.
    cfg = iteration_based(data_root, tmp_path, interval=9, start_epoch=3)
    match = r'start_epoch=3 .*max_iters=9 with OAAHook\.epoch_length=3.* 3 of'
    with pytest.raises(ValueError, match=match):
        train(cfg)


@pytest.mark.parametrize(
    ('fallback', 'text'),
    [('last', '14 of the 14 maps are fallback'), ('none', 'have no map')],
)
def test_fallback_maps_are_reported(
    data_root, tmp_path, caplog, fallback, text
):
    cfg = make_config(
        data_root, tmp_path, epochs=2, fallback=fallback,
        acceptance='threshold', threshold=1.0,
    )  # fmt: skip
    runner = Runner.from_cfg(cfg)
    MMLogger.get_current_instance().addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        runner.train()
    assert 'never sure of 14 labelled (image, class) pairs, ' in caplog.text
    assert text in caplog.text


def test_maps_of_zeros_are_reported(data_root, tmp_path, caplog):
    cfg = make_config(data_root, tmp_path, epochs=1, start_epoch=0)
    runner = Runner.from_cfg(cfg)
    original = runner.model.score_maps
    runner.model.score_maps = lambda inputs: -original(inputs).abs()
    MMLogger.get_current_instance().addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        runner.train()
    accepted = final_store(tmp_path, 1)
    assert all(not accepted[pair].any() for pair in accepted)
    assert 'accumulated maps are zero everywhere' in caplog.text


def test_epoch_length_is_refused_where_there_are_epochs(data_root, tmp_path):
    with pytest.raises(ValueError, match='epoch_length is for IterBased'):
        train(make_config(data_root, tmp_path, epoch_length=3))
    with pytest.raises(ValueError, match='epoch_length should be an int'):
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
    # The result has replaced the store of the last checkpoint, which has no
    # fallback maps; going on from there, now and once more, still works.
    for epochs in (2, 3):
        cfg.experiment_name += 'x'
        cfg.train_cfg.max_epochs = epochs
        cfg.resume = True
        train(cfg)
        assert len(final_store(tmp_path, epochs)) > 0


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
    with pytest.raises(ValueError, match=r'EncoderDecoder has none'):
        train(cfg)


def test_samples_without_a_place_are_refused(data_root, tmp_path):
    cfg = make_config(data_root, tmp_path)
    cfg.train_dataloader.dataset.pipeline[-1].meta_keys = (
        'image_id',
        'img_shape',
    )
    with pytest.raises(ValueError, match='`placement`'):
        train(cfg)


def test_stores_carry_the_data_set_on(data_root, tmp_path):
    """Also where the set is wrapped; the masks are those of the test."""
    cfg = make_config(data_root, tmp_path, epochs=2, keep_epoch_maps=True)
    inner = dict(cfg['train_dataloader']['dataset'])
    test = {**inner, 'data_prefix': {'img_path': 'img', 'seg_map_path': 'm'}}
    (data_root / 'm').mkdir()
    write_mask(data_root / 'm/im3.png', np.zeros((24, 32), np.uint8))
    cfg['train_dataloader']['dataset'] = {
        'type': 'mmengine.RepeatDataset', 'times': 1, 'dataset': inner,
    }  # fmt: skip
    runner = Runner.from_cfg(cfg)
    runner.cfg.test_dataloader = {'dataset': test}
    runner.train()
    for name in ('attention_epoch_1', 'attention_epoch_2', 'epoch_maps_2'):
        path = tmp_path / f'{name}.safetensors'
        data = DataRecord.of_stores([AttentionStore.open(path)], path)
        assert data.classes == NAMES
        assert len(data.palette) == 3
        assert data.find_images(['im3']) == {
            'im3': str(data_root / 'img/im3.png')
        }
        assert data.find_masks(['im3', 'im4']) == {
            'im3': str(data_root / 'm/im3.png')
        }
