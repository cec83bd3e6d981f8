"""How users reach the types: by prefix, by bare name, from mmseg's tools."""

import subprocess
import sys
import textwrap
from pathlib import Path

import mmseg
import pytest
import torch

from oaa_mm.io.manifest import differences, manifest_path, read_manifest

ROOT = Path(__file__).resolve().parents[2]

PUBLIC = {
    'MODELS': ('VGG16', 'CAMHead', 'CAMClassifier'),
    'HOOKS': (
        'OAAHook',
        'AgreementHook',
        'ManifestHook',
        'AtomicCheckpointHook',
        'ChannelsLastHook',
    ),
    'DATASETS': (
        'ImageLevelDataset',
        'VOCImageLevelDataset',
        'COCOImageLevelDataset',
    ),
    'OPTIM_WRAPPERS': ('BFloat16OptimWrapper',),
    'TRANSFORMS': ('PackImageLevelInputs', 'ColorJitter'),
    'DATA_SAMPLERS': ('EqualSizeBatchSampler',),
    'METRICS': ('AttentionMetric', 'MultiLabelMetric', 'AttentionStoreWriter'),
}


def run_python(code):
    """Run code in a fresh interpreter: registries are global."""
    result = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_prefixed_names_need_no_import():
    """As in a config with default_scope='mmseg' and no custom_imports."""
    out = run_python(f"""
        from mmengine import registry
        from mmengine.registry import DefaultScope
        DefaultScope.get_instance('x', scope_name='mmseg')
        roots = dict(MODELS=registry.MODELS, HOOKS=registry.HOOKS,
                     DATASETS=registry.DATASETS, METRICS=registry.METRICS,
                     TRANSFORMS=registry.TRANSFORMS,
                     DATA_SAMPLERS=registry.DATA_SAMPLERS,
                     OPTIM_WRAPPERS=registry.OPTIM_WRAPPERS)
        for kind, names in {PUBLIC}.items():
            for name in names:
                found = roots[kind].get('oaa_mm.' + name)
                assert found is not None and found.__name__ == name, name
                assert found.__module__.startswith('oaa_mm.')
        print('all found')
    """)
    assert 'all found' in out


#: The types under their bare names, in a config that imports the package.
BARE_NAMES = f"""
    import pathlib, tempfile
    from mmengine import registry
    from mmengine.config import Config
    from mmengine.registry import DefaultScope
    import mmseg.registry
    path = pathlib.Path(tempfile.mkdtemp()) / 'c.py'
    path.write_text("custom_imports = dict(imports=['oaa_mm'])")
    Config.fromfile(path)
    DefaultScope.get_instance('x', scope_name='mmseg')
    for kind, names in {PUBLIC}.items():
        for name in names:
            found = getattr(mmseg.registry, kind).get(name)
            assert found and found.__module__.startswith('oaa_mm'), name
    head = registry.MODELS.build(
        dict(type='CAMHead', in_channels=2, num_classes=3))
    print(type(head).__name__)
"""


def test_importing_is_light_and_bare_names_work_afterwards():
    """Nor does anything import torchvision."""
    out = run_python(f"""
    import sys
    sys.modules['torchvision'] = None  # importing it now fails
    import oaa_mm
    assert 'mmseg.models' not in sys.modules  # seconds are saved by this
    {BARE_NAMES}
    import oaa_mm.evaluation, oaa_mm.visualization, oaa_mm.runs
    """)
    assert 'CAMHead' in out


def test_bare_names_work_after_mmseg_and_clash_with_none_of_its_names():
    """Every mirrored name is ours alone, in both registries."""
    out = run_python(f"""
    import mmseg.registry, mmseg.models, mmseg.datasets, mmseg.engine
    import mmseg.evaluation, mmcv.transforms
    before = {{k: set(getattr(mmseg.registry, k).module_dict)
              | set(getattr(mmseg.registry, k).parent.module_dict)
              for k in {sorted(PUBLIC)}}}
    {BARE_NAMES}
    import oaa_mm.registry as ours
    import oaa_mm.models, oaa_mm.datasets, oaa_mm.engine, oaa_mm.runs
    import oaa_mm.evaluation, oaa_mm.visualization
    for kind, names in before.items():
        new = set(getattr(ours, kind).module_dict)
        assert new, kind
        assert not new & names, (kind, new & names)
    """)
    assert 'CAMHead' in out


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    from toy import make_toy_voc

    out = tmp_path_factory.mktemp('toy') / 'data'
    make_toy_voc(out, num_train=8, num_val=4)
    return out


def mmsegs_train_tool():
    tool = Path(mmseg.__file__).parent / '.mim/tools/train.py'
    if not tool.is_file():
        pytest.skip('this distribution of mmseg ships no tools')
    return tool


def train(tool, config, folder, *options):
    """Train in ``folder/work``."""
    folder.mkdir(exist_ok=True)
    result = subprocess.run(
        [sys.executable, tool, config, '--work-dir', 'work', *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return folder / 'work'


def test_bare_names_under_mmsegs_own_train_tool(toy, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(
        textwrap.dedent(f"""
        default_scope = 'mmseg'
        custom_imports = dict(imports=['oaa_mm'])
        model = dict(
            type='CAMClassifier',
            data_preprocessor=dict(type='ImgDataPreprocessor'),
            backbone=dict(type='ResNet', depth=18, base_channels=8,
                          norm_cfg=dict(type='BN')),
            head=dict(type='CAMHead', in_channels=64, num_convs=0,
                      num_classes=6))
        train_dataloader = dict(
            batch_size=4, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=dict(
                type='ImageLevelDataset', data_root=r'{toy}',
                ann_file='ImageSets/Segmentation/train_cls.txt',
                data_prefix=dict(img_path='JPEGImages'),
                metainfo=dict(classes=tuple('abcdef')),
                pipeline=[dict(type='LoadImageFromFile'),
                          dict(type='PackImageLevelInputs')]))
        train_cfg = dict(by_epoch=True, max_epochs=2)
        optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
        custom_hooks = [dict(type='OAAHook')]
        """)
    )
    work = train(mmsegs_train_tool(), config, tmp_path)
    assert (work / 'attention_epoch_2.safetensors').is_file()


def test_both_train_tools_do_the_same_bit_for_bit(toy, tmp_path):
    """A shipped config says all of a run: no tool adds anything to it."""
    tools = {'mmseg': mmsegs_train_tool(), 'ours': ROOT / 'tools/train.py'}
    options = (
        '--cfg-options',
        f'train_dataloader.dataset.data_root={toy}',
        f'val_dataloader.dataset.data_root={toy}',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'val_dataloader.num_workers=0',
        'val_dataloader.persistent_workers=False',
        'train_cfg.max_epochs=2',
        'train_cfg.val_interval=2',
        'default_hooks.checkpoint.save_best=cls/mAP',
        'custom_hooks.0.start_epoch=1',
    )
    config = ROOT / 'configs/toy/oaa_r18_toy.py'
    mmsegs, ours = (
        train(tool, config, tmp_path / name, *options)
        for name, tool in tools.items()
    )
    names = {path.name for path in ours.iterdir() if path.is_file()}
    assert names == {path.name for path in mmsegs.iterdir() if path.is_file()}
    store = 'attention_epoch_2.safetensors'
    assert (ours / store).read_bytes() == (mmsegs / store).read_bytes()
    for name in ('epoch_2.pth', store):
        manifests = [
            read_manifest(manifest_path(work / name))
            for work in (mmsegs, ours)
        ]
        assert differences(*manifests) == []
    first, second = (
        torch.load(work / 'epoch_2.pth', weights_only=False)
        for work in (mmsegs, ours)
    )
    assert list(first['state_dict']) == list(second['state_dict'])
    for name, weights in first['state_dict'].items():
        assert torch.equal(weights, second['state_dict'][name]), name
