"""Getting a config ready for the processes of a launcher.

mmengine starts every launcher by choosing a CUDA device, and wraps the model
for that device (its `init_dist` and `Runner.wrap_model`); without an
accelerator both fail.
"""

import multiprocessing
import os
import signal
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import init_dist, is_distributed, is_main_process
from torch import nn

#: Launcher -> the environment variables of a process's number, among all and
#: on its machine, and the command that sets them.
NEEDED = {
    'pytorch': ('RANK', 'LOCAL_RANK', 'torchrun'),
    'slurm': ('SLURM_PROCID', 'SLURM_LOCALID', 'srun'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun'),
}


def is_first_process(launcher: str) -> bool:
    """Whether this process is the main one, before they are connected.

    Args:
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Returns:
        bool: True if it is, or is the only one.
    """
    if launcher == 'none':
        return True
    return os.environ.get(NEEDED[launcher][0], '0') == '0'


def prepare_launch(cfg: Config, *, local_rank: int = 0) -> None:
    """Let a config run in the processes that a launcher has started.

    Without a launcher, nothing is done; with an accelerator, mmengine does the
    rest. Otherwise the processes are connected by gloo, models are wrapped for
    the CPU, and SyncBN, which works on GPUs only, becomes BN; a line says so.

    Args:
        cfg (Config): With `launcher` and `model`; changed in place.
        local_rank (int): Number of this process on its machine, where the
            launcher does not tell it. Defaults to 0.

    Raises:
        ValueError: The launcher did not start this process.
    """
    if cfg.launcher == 'none':
        return
    variable, local_variable, who = NEEDED[cfg.launcher]
    if variable not in os.environ:
        raise ValueError(
            f'--launcher {cfg.launcher}: the environment variable {variable} '
            f'is not set. {who} sets it: start the command by {who} (as '
            'tools/dist_train.sh does by torchrun), or leave --launcher out'
        )
    if cfg.launcher == 'mpi' and 'MASTER_ADDR' not in os.environ:
        raise ValueError(
            '--launcher mpi: set the environment variable MASTER_ADDR to the '
            'name of the first machine (127.0.0.1 for one machine)'
        )
    # Launchers end a group by SIGTERM. A process that waits for another one
    # in compiled code would not get to a handler of Python.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # mmengine reads LOCAL_RANK, whatever name the launcher has for it.
    local_rank = os.environ.get(local_variable, str(local_rank))
    os.environ.setdefault('LOCAL_RANK', local_rank)
    if get_device() != 'cpu':
        return
    _connect(cfg, local_variable)
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.model_wrapper_cfg = {**wrapper, 'device_ids': None}
    replaced = replace_sync_bn(cfg.model)
    replaced += cfg.pop('sync_bn', None) is not None
    if is_main_process():
        print('No accelerator: the processes are connected by gloo.')
        if replaced:
            print(
                f'SyncBN works on GPUs only: {replaced} entries of the config '
                'are BN now, and each process has its own statistics.'
            )


def _connect(cfg: Config, local_variable: str) -> None:
    """Connect the processes before mmengine would, without a CUDA device."""
    if is_distributed():
        return
    env = cfg.get('env_cfg') or {}
    # init_dist would choose 'spawn' where nothing is chosen.
    method = (env.get('mp_cfg') or {}).get('mp_start_method', 'fork')
    multiprocessing.set_start_method(method, force=True)
    # init_dist calls torch.cuda.set_device, which does nothing where the
    # number is negative.
    os.environ[local_variable] = '-1'
    init_dist(
        cfg.launcher, **{**(env.get('dist_cfg') or {}), 'backend': 'gloo'}
    )


def replace_sync_bn(cfg: Any) -> int:
    """Turn every ``type='SyncBN'`` inside a config into ``'BN'``.

    Args:
        cfg (Any): A config, or part of one; changed in place.

    Returns:
        int: How many were replaced.
    """
    if isinstance(cfg, (list, tuple)):
        return sum(map(replace_sync_bn, cfg))
    if not isinstance(cfg, dict):
        return 0
    replaced = sum(replace_sync_bn(value) for value in cfg.values())
    if cfg.get('type') in ('SyncBN', 'SyncBatchNorm', nn.SyncBatchNorm):
        cfg['type'] = 'BN'
        replaced += 1
    return replaced
