"""How users reach the types: by prefix, by bare name, from mmseg's tools."""

import subprocess
import sys
import textwrap
from pathlib import Path

import mmseg
import pytest

PUBLIC = {
    'MODELS': ('VGG16', 'CAMHead', 'CAMClassifier'),
    'HOOKS': ('OAAHook',),
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


def run_python(code, **kwargs):
    """Run code in a fresh interpreter: registries are global."""
    result = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        **kwargs,
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


@pytest.mark.parametrize('first', ['import mmseg.models', 'pass'])
def test_bare_names_work_once_the_package_is_imported(first):
    """Whether or not mmseg was imported before."""
    out = run_python(f"""
        {first}
        from mmengine.config import Config
        import tempfile, pathlib
        path = pathlib.Path(tempfile.mkdtemp()) / 'c.py'
        path.write_text("custom_imports = dict(imports=['oaa_mm'])")
        Config.fromfile(path)
        from mmengine import registry
        from mmengine.registry import DefaultScope
        DefaultScope.get_instance('x', scope_name='mmseg')
        import mmseg.registry
        for kind, names in {PUBLIC}.items():
            for name in names:
                found = getattr(mmseg.registry, kind).get(name)
                assert found and found.__module__.startswith('oaa_mm'), name
        head = registry.MODELS.build(
            dict(type='CAMHead', in_channels=2, num_classes=3))
        print(type(head).__name__)
    """)
    assert 'CAMHead' in out


def test_no_name_clashes_with_mmseg():
    """Every mirrored name is ours alone, in both registries."""
    out = run_python("""
        import mmseg.registry, mmseg.models, mmseg.datasets, mmseg.engine
        import mmseg.evaluation, mmcv.transforms
        before = {k: set(getattr(mmseg.registry, k).module_dict)
                  | set(getattr(mmseg.registry, k).parent.module_dict)
                  for k in ('MODELS', 'DATASETS', 'TRANSFORMS', 'HOOKS',
                            'DATA_SAMPLERS', 'METRICS')}
        import oaa_mm.registry as ours
        import oaa_mm.models, oaa_mm.datasets, oaa_mm.engine
        import oaa_mm.evaluation
        for kind, names in before.items():
            new = set(getattr(ours, kind).module_dict)
            assert new, kind
            assert not new & names, (kind, new & names)
        print('no clash')
    """)
    assert 'no clash' in out


def test_importing_twice_is_harmless_and_light():
    out = run_python("""
        import sys
        import oaa_mm, importlib
        assert 'mmseg.models' not in sys.modules  # seconds are saved by this
        import oaa_mm
        importlib.import_module('oaa_mm.registry')
        import oaa_mm.models
        importlib.import_module('oaa_mm.models')
        print(oaa_mm.__version__)
    """)
    assert out.strip().endswith('0.1.0')


def test_torchvision_is_never_imported():
    run_python("""
        import sys
        sys.modules['torchvision'] = None  # importing it now fails
        import oaa_mm.models, oaa_mm.datasets, oaa_mm.engine
        import oaa_mm.evaluation, oaa_mm.visualization
    """)


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    from oaa_mm.datasets.toy import make_toy_voc

    out = tmp_path_factory.mktemp('toy') / 'data'
    make_toy_voc(out, num_train=8, num_val=4)
    return out


@pytest.mark.parametrize('prefix', ['oaa_mm.', ''])
def test_mmsegs_own_train_tool(toy, tmp_path, prefix):
    """Types by prefix, and bare with custom_imports."""
    tool = Path(mmseg.__file__).parent / '.mim/tools/train.py'
    if not tool.is_file():
        pytest.skip('this distribution of mmseg ships no tools')
    imports = '' if prefix else "custom_imports = dict(imports=['oaa_mm'])"
    config = tmp_path / 'config.py'
    config.write_text(
        textwrap.dedent(f"""
        default_scope = 'mmseg'
        {imports}
        model = dict(
            type='{prefix}CAMClassifier',
            data_preprocessor=dict(type='ImgDataPreprocessor'),
            backbone=dict(type='ResNet', depth=18, base_channels=8,
                          norm_cfg=dict(type='BN')),
            head=dict(type='{prefix}CAMHead', in_channels=64, num_convs=0,
                      num_classes=6))
        train_dataloader = dict(
            batch_size=4, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=dict(
                type='{prefix}ImageLevelDataset', data_root=r'{toy}',
                ann_file='ImageSets/Segmentation/train_cls.txt',
                data_prefix=dict(img_path='JPEGImages'),
                metainfo=dict(classes=tuple('abcdef')),
                pipeline=[dict(type='LoadImageFromFile'),
                          dict(type='{prefix}PackImageLevelInputs')]))
        train_cfg = dict(by_epoch=True, max_epochs=2)
        optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
        custom_hooks = [dict(type='{prefix}OAAHook')]
        """)
    )
    result = subprocess.run(
        [sys.executable, tool, config, '--work-dir', tmp_path / 'work'],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert (tmp_path / 'work/attention_epoch_2.safetensors').is_file()
