"""What AttentionVisualizationHook hands to a real visualizer."""

import json

import cv2
import pytest
from mmengine.visualization import BaseVisBackend
from mmseg.registry import VISBACKENDS
from test_oaa_hook import (
    _no_pauses,  # noqa: F401 (a fixture)
    data_root,  # noqa: F401 (a fixture)
    make_config,
    train,
)

from oaa_mm.io import read_image
from oaa_mm.visualization import AttentionVisualizationHook, overlay_attention

HOOK = 'oaa_mm.AttentionVisualizationHook'
GOT = {}


@VISBACKENDS.register_module(name='VisHookTestBackend')
class RecordingBackend(BaseVisBackend):
    """Stands for TensorBoard or W&B: keeps what it is handed."""

    def _init_env(self):
        pass

    @property
    def experiment(self):
        return self

    def add_image(self, name, image, step=0, **kwargs):
        GOT[name, step] = image

    def add_scalars(self, scalars, step=0, file_path=None, **kwargs):
        for name, value in scalars.items():
            GOT[name, step] = value


def run(data_root, work_dir, hook, *, dataset=None, **oaa):  # noqa: F811
    cfg = make_config(data_root, work_dir, **oaa)
    cfg.train_dataloader.dataset.update(dataset or {})
    cfg.custom_hooks.append({'type': HOOK, 'tile_height': 48, **hook})
    cfg.visualizer = {
        'type': 'Visualizer',
        'name': cfg.experiment_name,
        'vis_backends': [
            {'type': 'LocalVisBackend'},
            {'type': 'VisHookTestBackend', 'save_dir': str(work_dir)},
        ],
    }
    GOT.clear()
    return train(cfg)


def test_pictures_and_numbers_reach_every_backend(data_root, tmp_path):  # noqa: F811
    runner = run(
        data_root, tmp_path, {'image_ids': ['im5']}, keep_epoch_maps=True
    )
    images = [key for key in GOT if key[0].startswith('attention_')]
    assert images == [('attention_im5', epoch) for epoch in (1, 2, 3)]
    picture = GOT['attention_im5', 3]
    # Image, A and M, each 48 high and 64 wide, with margins.
    assert picture.shape[1] >= 3 * 64 + 4 * 8
    store = runner.hooks[_position(runner, 'OAAHook')].accumulator.store
    maps = {c: store['im5', c] for c in store.classes_of('im5')}
    image = read_image(data_root / 'img/im5.png')
    expected = cv2.resize(
        overlay_attention(image, maps), (64, 48), interpolation=cv2.INTER_CUBIC
    )
    left = 8 + 2 * (64 + 8)
    shown = picture[-48 - 8 : -8, left : left + 64]
    assert (shown == expected).all()
    files = tmp_path.glob('*/vis_data/vis_image/attention_im5_*.png')
    assert sorted(f.stem[-1] for f in files) == ['1', '2', '3']
    # The numbers of the accumulation take the same way.
    log = next(tmp_path.glob('*/vis_data/scalars.json')).read_text()
    last = json.loads(log.splitlines()[-1])
    for name in ('accept_rate', 'coverage', 'never_accepted'):
        assert GOT[f'oaa_{name}', last['step']] == last[f'oaa_{name}']
    assert last['oaa_coverage'] == pytest.approx(store.coverage)


def _position(runner, name):
    return [type(hook).__name__ for hook in runner.hooks].index(name)


def test_interval_and_images_by_number(data_root, tmp_path):  # noqa: F811
    run(data_root, tmp_path, {'num_images': 2, 'interval': 2})
    images = [key for key in GOT if key[0].startswith('attention_')]
    assert images == [('attention_im0', 2), ('attention_im7', 2)]


def test_pictures_of_images_in_sub_folders_are_files(data_root, tmp_path):  # noqa: F811
    lines = (data_root / 'list.txt').read_text().splitlines()
    (tmp_path / 'list.txt').write_text('\n'.join(f'img/{x}' for x in lines))
    dataset = {
        'ann_file': str(tmp_path / 'list.txt'),
        'data_prefix': {'img_path': ''},
    }
    hook = {'image_ids': ['img/im5'], 'interval': 3}
    run(data_root, tmp_path / 'run', hook, dataset=dataset)
    (file,) = tmp_path.glob('run/*/vis_data/vis_image/*.png')
    assert file.name == 'attention_img_im5_3.png'


def test_mistakes_are_named(data_root, tmp_path):  # noqa: F811
    with pytest.raises(
        ValueError, match=r'interval should be .* in \[1, .* 0'
    ):
        AttentionVisualizationHook(interval=0)
    with pytest.raises(ValueError, match='training set does not hold: zebra'):
        run(data_root, tmp_path, {'image_ids': ['zebra', 'im1']})
    cfg = make_config(data_root, tmp_path)
    cfg.custom_hooks = [{'type': HOOK}]
    with pytest.raises(ValueError, match=r'custom_hooks'):
        train(cfg)
