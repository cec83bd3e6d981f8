"""tools/dist_train.sh and dist_test.sh as a user runs them, without a GPU."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from toy import make_toy_voc

from oaa_mm.attention import AttentionStore

ROOT = Path(__file__).resolve().parents[2]
PARTS = ('train', 'val', 'test')

CONFIG = """
_base_ = {base!r}
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(backbone=dict(norm_cfg=norm_cfg))
train_cfg = dict(max_epochs=2, val_interval=1)
custom_hooks = [dict(type='oaa_mm.OAAHook', start_epoch=1)]
default_hooks = dict(checkpoint=dict(save_best='cls/mAP'))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def start(*command, **environment):
    return subprocess.Popen(
        list(map(str, command)),
        cwd=ROOT,
        env={
            **os.environ,
            'PYTHON': sys.executable,
            'PORT': free_port(),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out[-4000:]
    return out


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """A toy data set of odd sizes, and a config with SyncBN."""
    folder = tmp_path_factory.mktemp('dist')
    make_toy_voc(folder / 'data', num_train=9, num_val=5)
    config = folder / 'config.py'
    base = str(ROOT / 'configs/toy/oaa_r18_toy.py')
    config.write_text(CONFIG.format(base=base))
    return folder, [
        '--cfg-options',
        *(
            f'{part}_dataloader.dataset.data_root={folder / "data"}'
            for part in PARTS
        ),
        *(f'{part}_dataloader.num_workers=0' for part in PARTS),
        *(
            f'{part}_dataloader.persistent_workers=False'
            for part in ('train', 'val')
        ),
    ]


def test_two_machines_train_and_two_processes_test(world):
    """Two torchrun agents on the loopback, then one with two processes."""
    folder, options = world
    work = folder / 'work'
    port = free_port()
    machines = [
        start(
            *('bash', 'tools/dist_train.sh', folder / 'config.py', 1),
            *('--work-dir', work, *options),
            NNODES='2',
            NODE_RANK=str(rank),
            PORT=port,
        )
        for rank in (0, 1)
    ]
    log, other = map(finish, machines)
    assert 'SyncBN works on GPUs only' in log
    assert 'exchanged in' in log
    assert 'exchanged in' not in other
    store = AttentionStore.load(work / 'attention_epoch_2.safetensors')
    assert len(store.image_ids) == 9
    checkpoint = work / 'epoch_2.pth'
    out = finish(
        start(
            *('bash', 'tools/dist_test.sh', folder / 'config.py'),
            *(checkpoint, 2, '--work-dir', folder / 'two', *options),
        )
    )
    assert 'attention/mIoU' in out
    finish(
        start(
            *(sys.executable, 'tools/test.py', folder / 'config.py'),
            *(checkpoint, '--work-dir', folder / 'one', *options),
        )
    )
    one, two = (
        AttentionStore.load(folder / name / 'cam.safetensors')
        for name in ('one', 'two')
    )
    assert list(one) == list(two) == list(store)
    assert all((one[pair] == two[pair]).all() for pair in one)


def test_usage_is_told():
    process = start('bash', 'tools/dist_train.sh', 'config.py')
    out, _ = process.communicate()
    assert process.returncode == 2
    assert 'dist_train.sh CONFIG PROCESSES' in out
