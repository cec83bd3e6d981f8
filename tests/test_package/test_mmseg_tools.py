"""The toy configs under the tools of mmseg, and mmseg's tools on their runs.

All run in this process, since importing takes most of the time of a command;
`test_registry.py` starts both train.py as a user does.
"""

import json
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import mmseg
import pytest
import torch
from mmengine.config import Config
from mmseg.visualization import SegLocalVisualizer
from toy import make_toy_voc

from oaa_mm.apis import OAAInferencer
from oaa_mm.compat import mmseg_distribution
from oaa_mm.doctor.config import splits_from_config
from oaa_mm.io.manifest import manifest_path, read_manifest

OAA = 'toy/oaa_r18_toy'
NEW_STYLE = 'new_style/oaa_r18_toy'
DEEPLAB = 'toy/deeplabv3plus_r18_toy'
LISTS = 'ImageSets/Segmentation'
UPSTREAM = mmseg_distribution() == 'mmsegmentation'


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    return make_toy_voc(
        tmp_path_factory.mktemp('toy') / 'data', num_train=8, num_val=2
    )


@pytest.fixture(scope='module')
def mmsegs():
    """The folder of mmseg's tools."""
    tools = Path(mmseg.__file__).parent / '.mim/tools'
    if not tools.is_dir():
        pytest.skip('this distribution of mmseg ships no tools')
    return tools


def run(tool, *words):
    """Run a tool as `python tool words` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [str(tool), *map(str, words)])
        # Asks compilers for their versions, which takes seconds.
        patch.setattr('mmengine.runner.runner.collect_env', dict)
        # mmengine keeps the visualizer of the first run of a process.
        SegLocalVisualizer._instance_dict.clear()
        status = None
        try:
            runpy.run_path(str(tool), run_name='__main__')
        except SystemExit as ended:  # ours end so
            status = ended.code
        assert not status


def options_of(name, toy, *, store=None, length=2):
    """A training of two epochs, or two iterations, on the toy images."""
    options = {
        f'{part}_dataloader.{key}': value
        for part in ('train', 'val', 'test')
        for key, value in {
            'dataset.data_root': toy,
            'num_workers': 0,
            'persistent_workers': False,
        }.items()
    }
    options['param_scheduler.end'] = 2
    dataset = 'train_dataloader.dataset.'
    if name == DEEPLAB:
        options |= {
            'train_cfg.max_iters': length,
            'train_cfg.val_interval': 2,
            'default_hooks.checkpoint.interval': 1,
            'default_hooks.logger.interval': 1,
            dataset + 'ann_file': f'{LISTS}/train_aug.txt',
            dataset + 'data_prefix.img_path': 'JPEGImages',
            dataset + 'data_prefix.seg_map_path': 'SegmentationClassAug',
        }
    else:
        options |= {
            'train_cfg.max_epochs': length,
            'train_cfg.val_interval': 2,
            'default_hooks.logger.interval': 1,
        }
        if store:
            options[dataset + 'pipeline.0.store'] = store
        else:
            options['custom_hooks.0.start_epoch'] = 0
    return ['--cfg-options', *(f'{k}={v}' for k, v in options.items())]


@pytest.fixture(scope='module')
def ours(root, toy, tmp_path_factory):
    """Config -> the folder in which tools/train.py has trained it."""
    made = {}

    def train(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp('ours')
            config = root / f'configs/{name}.py'
            options = options_of(name, toy, store=store_for(name, train))
            words = [config, '--work-dir', made[name], *options]
            run(root / 'tools/train.py', *words)
        return made[name]

    return train


def store_for(name, train):
    """What OAA+ learns from."""
    if 'plus' not in name or name == DEEPLAB:
        return None
    return train(OAA) / 'attention_epoch_2.safetensors'


def last_weights(work):
    (path,) = [*work.glob('epoch_2.pth'), *work.glob('iter_2.pth')]
    return torch.load(path, map_location='cpu', weights_only=False)


def assert_equal_runs(first, second):
    weights = [last_weights(work)['state_dict'] for work in (first, second)]
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
    stores = [sorted(work.glob('*_2.safetensors')) for work in (first, second)]
    assert [s.name for s in stores[0]] == [s.name for s in stores[1]]
    for one, other in zip(*stores, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.parametrize(
    'name',
    [
        NEW_STYLE,  # equal to OAA, see below
        pytest.param('toy/oaa_drop_r18_toy', marks=pytest.mark.slow),
        'toy/oaa_plus_r18_toy',
    ],
)
def test_under_mmsegs_train_tool(name, root, toy, mmsegs, ours, tmp_path):
    """It trains, resumes, and does what ours does, bit for bit."""
    store = store_for(name, ours)
    for length, resume in ((1, []), (2, ['--resume'])):
        options = options_of(name, toy, store=store, length=length)
        words = [root / f'configs/{name}.py', '--work-dir', tmp_path]
        run(mmsegs / 'train.py', *words, *resume, *options)
    assert_equal_runs(ours(name), tmp_path)


def test_deeplab_under_mmsegs_train_tool(root, toy, mmsegs, ours, tmp_path):
    """Iterations have no seed of their own: it goes on with other numbers."""
    words = [root / f'configs/{DEEPLAB}.py', '--work-dir', tmp_path]
    run(mmsegs / 'train.py', *words, *options_of(DEEPLAB, toy))
    assert_equal_runs(ours(DEEPLAB), tmp_path)
    options = options_of(DEEPLAB, toy, length=3)
    run(mmsegs / 'train.py', *words, '--resume', *options)
    assert (tmp_path / 'iter_3.pth').is_file()


def test_a_config_of_the_new_style_is_like_any_other(
    root, toy, ours, tmp_path
):
    """Equal to the old style, and known to every command and to readers."""
    work = ours(NEW_STYLE)
    assert_equal_runs(work, ours(OAA))
    recorded = read_manifest(manifest_path(work / 'epoch_2.pth')).parameters
    kind = recorded['config']['model']['type']
    assert kind == 'oaa_mm.models.CAMClassifier'
    config = root / f'configs/{NEW_STYLE}.py'
    options = options_of(NEW_STYLE, toy)
    words = [config, work / 'epoch_2.pth', '--work-dir', tmp_path, *options]
    run(root / 'tools/test.py', *words)
    assert (tmp_path / 'cam.safetensors').is_file()
    tool = runpy.run_path(str(root / 'tools/test.py'))
    cfg = Config.fromfile(config)
    tool['read_binary_masks'](cfg)
    assert cfg.test_dataloader.dataset.binary_masks
    with pytest.raises(ValueError, match='needs a metric of mmseg'):
        tool['write_masks'](cfg, 'masks')
    splits, classes = splits_from_config(config)
    assert [split.name for split in splits] == ['train', 'val']
    assert classes[:2] == ('owl', 'fox')
    image = next((toy / 'JPEGImages').iterdir())
    inferencer = OAAInferencer(config, work / 'epoch_2.pth', device='cpu')
    assert inferencer.classes == classes
    assert inferencer(image)


def test_a_config_that_inherits_one_by_its_name_builds(root, tmp_path):
    """mmengine then looks all names up in the scope of oaa_mm first."""
    from mmengine.registry import VISUALIZERS, DefaultScope

    from oaa_mm.registry import MODELS
    from oaa_mm.registry import VISUALIZERS as OURS

    cfg = Config.fromfile(root / f'configs/{OAA}.py')
    with DefaultScope.overwrite_default_scope('oaa_mm'):
        model = MODELS.build(cfg.model)
        assert type(model.backbone).__name__ == 'ResNet'
        visualizer = VISUALIZERS.build({**cfg.visualizer, 'name': 'scope'})
    assert type(visualizer) is OURS.get('SegLocalVisualizer')


@pytest.mark.xfail(
    UPSTREAM,
    reason='mmseg 1.2.2 draws neither images without masks nor, with OpenCV '
    '4.11, the names of classes',
    strict=True,
)
@pytest.mark.parametrize('name', [OAA, DEEPLAB])
def test_browse_dataset_draws_each_image(name, root, toy, mmsegs, tmp_path):
    tool = mmsegs / 'analysis_tools/browse_dataset.py'
    words = ['--output-dir', tmp_path, *options_of(name, toy)]
    run(tool, root / f'configs/{name}.py', '--not-show', *words)
    drawn = sorted(path.stem for path in tmp_path.iterdir())
    assert drawn == (toy / LISTS / 'train_aug.txt').read_text().split()


@pytest.mark.parametrize('name', [OAA, DEEPLAB, NEW_STYLE])
def test_print_config(name, root, mmsegs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # it writes example.py there
    run(mmsegs / 'misc/print_config.py', root / f'configs/{name}.py')
    assert 'RandomFlip' in capsys.readouterr().out
    again = Config.fromfile('example.py')
    assert again.optim_wrapper.optimizer.lr > 0


@pytest.mark.xfail(
    UPSTREAM,
    reason='mmseg 1.2.2 calls the counter with two arguments of which '
    'mmengine 0.10.7 takes one',
    strict=True,
)
def test_get_flops(root, mmsegs, capsys):
    tool = mmsegs / 'analysis_tools/get_flops.py'
    run(tool, root / f'configs/{DEEPLAB}.py', '--shape', 128)
    assert 'Flops: ' in capsys.readouterr().out


def wait_for(folder, pattern):
    """The file that a process of the tool, which does not wait, makes."""
    for _ in range(200):
        if found := list(folder.glob(pattern)):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f'no {pattern} in {folder}')


def test_publish_model(mmsegs, ours, tmp_path, monkeypatch):
    # torch from 2.6 on refuses what mmengine saves beside the weights.
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    work = ours(OAA)
    words = [work / 'epoch_2.pth', tmp_path / 'small.pth']
    run(mmsegs / 'misc/publish_model.py', *words)
    path = wait_for(tmp_path, 'small-*.pth')
    published = torch.load(path, map_location='cpu', weights_only=False)
    assert 'optimizer' not in published
    before = last_weights(work)['state_dict']
    assert before.keys() == published['state_dict'].keys()


def test_analyze_logs(mmsegs, ours, tmp_path, monkeypatch):
    seaborn = SimpleNamespace(set_style=lambda style: None)
    monkeypatch.setitem(sys.modules, 'seaborn', seaborn)
    for name, key in ((OAA, 'loss'), (DEEPLAB, 'mIoU')):
        (log,) = ours(name).glob('*/vis_data/scalars.json')
        assert any(key in json.loads(line) for line in log.open())
        picture = tmp_path / f'{key}.png'
        words = [log, '--keys', key, '--backend', 'Agg', '--out', picture]
        run(mmsegs / 'analysis_tools/analyze_logs.py', *words)
        assert cv2.imread(str(picture)).std() > 0


def test_mmsegs_inferencer_on_a_deeplab(root, toy, ours, tmp_path):
    from mmseg.apis import MMSegInferencer

    work = ours(DEEPLAB)
    inferencer = MMSegInferencer(
        str(work / 'deeplabv3plus_r18_toy.py'),
        weights=str(work / 'iter_2.pth'),
        device='cpu',
    )
    image = str(next((toy / 'JPEGImages').iterdir()))
    result = inferencer(image, out_dir=str(tmp_path))
    assert result['predictions'].shape == cv2.imread(image).shape[:2]
    assert list(tmp_path.glob('vis/*'))
