"""The shipped stages on a handful of toy images, interrupted and resumed."""

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from toy import make_toy_voc

from oaa_mm.io.manifest import manifest_path
from oaa_mm.runs.config import read_config

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / 'configs/toy'
PIPELINES = ROOT / 'configs/pipelines'
FORKED = Path(__file__).with_name('forked_stages.py')

#: Two epochs and four iterations in place of minutes.
SHORT = {
    'oaa': ('oaa_r18_toy', "custom_hooks = [dict(type='oaa_mm.OAAHook')]\n"),
    'oaa_plus': ('oaa_plus_r18_toy', ''),
    'segmentation': ('deeplabv3plus_r18_toy', ''),
}
LOADERS = ''.join(
    f'{part}_dataloader = dict(num_workers=0, persistent_workers=False)\n'
    for part in ('train', 'val', 'test')
)
EPOCHS = (
    'train_cfg = dict(max_epochs=2, val_interval=2)\n'
    'param_scheduler = dict(end=2)\n'
)
ITERS = (
    'train_cfg = dict(max_iters=4, val_interval=4)\n'
    'param_scheduler = dict(end=4)\n'
    'default_hooks = dict(checkpoint=dict(interval=2))\n'
)


@pytest.fixture(scope='module')
def pipeline(tmp_path_factory):
    """A pipeline config whose trainings are short."""
    folder = tmp_path_factory.mktemp('method')
    make_toy_voc(folder / 'data', num_train=8, num_val=2)
    return short_pipeline(folder)


def short_pipeline(folder, layout='', more_settings=''):
    """Write a pipeline config for the data set in `folder`."""
    for name, (base, more) in SHORT.items():
        schedule = ITERS if name == 'segmentation' else EPOCHS
        (folder / f'{name}.py').write_text(
            f'_base_ = [{str(TOY / base) + layout + ".py"!r}]\n'
            f'{LOADERS}{schedule}{more}'
        )
    config = folder / 'pipeline.py'
    config.write_text(
        f'_base_ = [{str(PIPELINES / "oaa_plus_toy") + layout + ".py"!r}]\n'
        f'data = {str(folder / "data")!r}\n'
        f'work_dir = {str(folder / "work")!r}\n'
        + ''.join(f'{n}_config = {str(folder / n)!r} + ".py"\n' for n in SHORT)
        + 'oaa_epochs = oaa_plus_epochs = 2\n'
        'segmentation_iters = 4\n'
        # Two epochs find little: keep what would be dropped.
        "label_options = '--background constant --min-foreground 0'\n"
        'workers = 1\n' + more_settings
    )
    return config


def run(config, *options, expect=0):
    result = subprocess.run(
        [sys.executable, FORKED, config, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    out = result.stderr + result.stdout
    assert result.returncode == expect, out[-3000:]
    return out


def table_of(out):
    """Row -> its cells."""
    lines = out[out.rindex('| mIoU, percent') :].splitlines()
    rows = [line.split('|')[1:-1] for line in lines if '|' in line]
    table = {r[0].strip(): [c.strip() for c in r[1:]] for r in rows}
    del table['']  # the second line of headings
    return table


def test_from_tags_to_a_table(pipeline):
    work = pipeline.parent / 'work'
    # Interrupted in the first validation, which alone needs masks.
    masks = pipeline.parent / 'data/SegmentationClassAug'
    out = run(pipeline, '--until', 'labels')
    assert f'[labels] not done yet; see {work}/labels/stage.log: ' in out
    labels = sorted((work / 'labels/pseudo_labels/labels').glob('*.png'))
    assert len(labels) == 8
    first = labels[0].stat().st_mtime_ns
    shutil.move(masks, masks.with_name('gone'))
    out = run(pipeline, expect=1)
    assert out.count('done and still valid, skipped') == 5
    assert "error: stage 'segmentation' failed" in out
    shutil.move(masks.with_name('gone'), masks)
    out = run(pipeline, '--resume')
    assert out.count('done and still valid, skipped') == 5
    assert len(out.splitlines()) < 25
    # Training has gone on from its last checkpoint, in the same log.
    log = (work / 'segmentation/stage.log').read_text()
    assert 'iter: 4' in log
    assert log.count('$ python -m oaa_mm train') == 2
    table = table_of(out)
    assert list(table)[1:] == ['CAM', 'OAA', 'OAA+']
    assert all(float(row[0]) >= 0 for row in list(table.values())[1:])
    assert all(float(cell) >= 0 for cell in table['OAA+'])
    maps = json.loads((work / 'evaluation/maps.json').read_text())
    best = 100 * maps['stores'][2]['best']['mIoU']
    assert table['OAA+'][0] == f'{best:.2f}'
    assert labels[0].stat().st_mtime_ns == first
    for made in (
        'oaa/epoch_2.pth',
        'oaa/attention_epoch_2.safetensors',
        'cam/cam.safetensors',
        'oaa_plus/epoch_2.pth',
        'maps/oaa_plus.safetensors',
        'segmentation/iter_4.pth',
    ):
        assert manifest_path(work / made).is_file()


def test_a_second_round(pipeline):
    """After the test above: its network finds the labels of another one."""
    work = pipeline.parent / 'work'
    options = 'round_options=--background rest --min-foreground 0'
    out = run(pipeline, '--rounds', '2', '--cfg-options', options)
    assert out.count('done and still valid, skipped') == 6
    manifest = work / 'labels_round_2/pseudo_labels/manifest.json'
    inputs = json.loads(manifest.read_text())['inputs']
    assert inputs['segmentor']['path'].endswith('segmentation/iter_4.pth')
    cfg = read_config(next(work.glob('segmentation_round_2/*.py')))
    dataset = cfg.train_dataloader.dataset
    assert dataset.pseudo_labels == str(manifest.parent)
    row = table_of(out)['OAA+, round 2']
    assert row[0] == '-'
    assert all(float(cell) >= 0 for cell in row[1:4])


def test_true_masks_and_seeds(pipeline):
    """After the test above, of which all but the networks is still valid."""
    work = pipeline.parent / 'work'
    settings = ['compare=[masks]', 'compare_labels=oaa']
    out = run(pipeline, '--seeds', '3,5', '--cfg-options', *settings)
    assert out.count('done and still valid, skipped') == 5
    assert out.count('not done yet') == 5
    maps, *labels, network = table_of(out)['OAA'][:4]
    assert all(0 < float(cell) < 100 for cell in (maps, *labels))
    assert network == '-'
    row = table_of(out)['true masks']
    assert '±' in row[-3]
    assert row[-2] == '100.00 ± 0.00'
    for name in ('segmentation', 'segmentation_masks'):
        for seed in (3, 5):
            log = (work / f'seed_{seed}/{name}/stage.log').read_text()
            assert f'seed: {seed}' in log
    cfg = read_config(next(work.glob('seed_5/segmentation_masks/*.py')))
    dataset = cfg.train_dataloader.dataset
    assert cfg.randomness.seed == 5
    assert dataset.data_prefix.seg_map_path.endswith('SegmentationClassAug')


@pytest.fixture
def coco(tmp_path):
    """A pipeline config for a data set in COCO's layout, without masks."""
    pytest.importorskip(
        'pycocotools', reason='pycocotools is an extra (`oaa_mm[coco]`)'
    )
    data = tmp_path / 'data'
    size = ['--num-train', '9', '--num-val', '3']
    tool('make_toy_voc')([str(data), '--coco', *size])
    return short_pipeline(
        tmp_path,
        '_coco',
        f'data = {str(data)!r}\n'
        "train_tags = f'{data}/annotations/instances_train2017.json'\n"
        "train_masks = f'{data}/masks/train2017'\n"
        "val_list = f'{data}/masks/val2017/manifest.json'\n",
    )


def tool(name):
    return runpy.run_path(str(ROOT / f'tools/{name}.py'))['main']


def make_coco_masks(data, *options):
    for split in ('train', 'val'):
        path = data / f'annotations/instances_{split}2017.json'
        tool('make_coco_masks')([str(path), *options])


def test_coco_to_the_end(coco):
    """From instances JSON, with a crowd and an image without annotation."""
    make_coco_masks(coco.parent / 'data')
    out = run(coco)
    table = table_of(out)
    assert all(float(cell) >= 0 for cell in table['OAA+'])
    labels = coco.parent / 'work/labels/pseudo_labels/labels'
    names = [f'{number:012d}.png' for number in range(1, 9)]
    assert sorted(path.name for path in labels.iterdir()) == names


@pytest.mark.slow
def test_dry_run_of_coco(coco):
    out = run(coco, '--dry-run', expect=1)
    assert 'error (masks): val: no such folder' in out
    make_coco_masks(coco.parent / 'data', '--workers', '2')
    out = run(coco, '--dry-run')
    assert '1 images have no class; training leaves them out' in out
