"""Peak memory of commands."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from toy import make_toy_voc

#: Linux hands the peak of a process down to its children, so a small one
#: stands in between.
LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak_memory(command: Sequence[str], *, log: Path) -> float:
    """Run a command and see how much memory its process held.

    Args:
        command (Sequence[str]): The command and its arguments.
        log (Path): File for its output.

    Returns:
        float: Peak of the resident memory of its largest process in MB.

    Raises:
        ValueError: The command failed; the end of its output is shown.
    """
    with log.open('w') as out:
        result = subprocess.run(
            [sys.executable, '-c', LAUNCHER, *command],
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            check=False,
        )
    if result.returncode:
        raise ValueError(
            f'{" ".join(command)} failed:\n{log.read_text()[-2000:]}'
        )
    return int(result.stdout) / 1024


def stage_memory(root: Path, *, images: int = 32) -> dict[str, float]:
    """Peak memory of each stage of the toy recipe, one epoch.

    Args:
        root (Path): Folder of the repository.
        images (int): Training images. Defaults to 32.

    Returns:
        dict[str, float]: Stage -> MB.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / 'data'
        make_toy_voc(data, num_train=images, num_val=8)
        return {
            stage: peak_memory(
                [sys.executable, str(root / command[0]), *command[1:]],
                log=folder / 'log.txt',
            )
            for stage, command in _commands(root, folder, data).items()
        }


def _commands(root: Path, folder: Path, data: Path) -> dict[str, list[str]]:
    roots = [f'{p}_dataloader.dataset.data_root={data}' for p in _PARTS]
    epochs = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=2']
    oaa, plus = folder / 'oaa', folder / 'plus'
    store = oaa / 'attention_epoch_1.safetensors'
    maps = str(plus / 'oaa_plus.safetensors')
    oaa_config = str(root / 'configs/toy/oaa_r18_toy.py')
    plus_config = str(root / 'configs/toy/oaa_plus_r18_toy.py')
    target = f'train_dataloader.dataset.pipeline.0.store={store}'
    return {
        'OAA': [
            *('tools/train.py', oaa_config, '--work-dir', str(oaa)),
            *('--cfg-options', *roots, *epochs),
            'custom_hooks.0.start_epoch=0',
        ],
        'OAA+': [
            *('tools/train.py', plus_config, '--work-dir', str(plus)),
            *('--cfg-options', *roots, *epochs, target),
        ],
        'maps': [
            *('tools/test.py', plus_config, str(plus / 'epoch_1.pth')),
            *('--work-dir', str(plus), '--cfg-options', *roots),
        ],
        'labels': [
            *('tools/make_pseudo_labels.py', maps),
            *('--img-dir', str(data / 'JPEGImages'), '--background', 'power'),
            *('--classes', str(data / 'classes.txt')),
            *('--out', str(folder / 'labels')),
        ],
    }  # fmt: skip


_PARTS = ('train', 'val', 'test')
