"""README.md: short, and its examples for configs and Python run."""

import re

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from toy import make_toy_voc

from oaa_mm.attention import AttentionStore

#: A config of mmseg on masks, small enough for a test.
MY_CONFIG = """
_base_ = [{toy!r}]
default_hooks = dict(checkpoint=dict(interval=2))
train_cfg = dict(max_iters=2, val_interval=9)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=(64, 64)),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='BaseSegDataset',
        metainfo=_base_.metainfo,
        data_root={data!r},
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        pipeline=train_pipeline,
    ),
)
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
"""


@pytest.fixture(scope='module')
def page(root):
    return (root / 'README.md').read_text(encoding='utf-8')


def block(page, heading):
    """The Python block below a heading."""
    section = page.split(f'\n## {heading}\n')[1].split('\n## ')[0]
    (text,) = re.findall(r'```python\n(.*?)```', section, re.DOTALL)
    return text


def test_it_is_short(page):
    lines = page.splitlines()
    assert len(lines) <= 120
    lists = re.findall(r'(?:^- .*\n)+', page, re.MULTILINE)
    assert max(text.count('\n') for text in lists) <= 10
    for heading in ('In your mmseg config', 'In Python'):
        assert len(block(page, heading).splitlines()) == 5
    assert 'voc_mini' not in page


def test_a_hook_in_a_config_of_mmseg(root, page, tmp_path, monkeypatch):
    """Five lines make a segmentor accumulate, as they stand."""
    data = tmp_path / 'data'
    make_toy_voc(data, num_train=4, num_val=1)
    toy = str(root / 'configs/toy/deeplabv3plus_r18_toy.py')
    mine = MY_CONFIG.format(toy=toy, data=str(data))
    (tmp_path / 'my_config.py').write_text(mine)
    text = block(page, 'In your mmseg config')
    assert text in (root / 'docs/segmentation.md').read_text()
    for ours, small in (
        ('_delete_=True, ', ''),  # the base has no auxiliary head
        ('in_channels=2048', 'in_channels=64'),
        ('num_classes=20', 'num_classes=6'),
        ('epoch_length=366, start_epoch=10', 'epoch_length=2, start_epoch=0'),
    ):
        assert ours in text
        text = text.replace(ours, small)
    (tmp_path / 'hooked.py').write_text(text)
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile('hooked.py')
    cfg.work_dir = 'work'
    Runner.from_cfg(cfg).train()
    store = AttentionStore.load('work/attention_epoch_1.safetensors')
    assert set(store.image_ids) <= {f'train_{n:04}' for n in range(4)} | {
        'val_0000'
    }
    assert len(store)
