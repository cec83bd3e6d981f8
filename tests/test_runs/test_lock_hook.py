"""A second training in a work_dir, under any train.py."""

import pytest
from other_process import other_process
from test_oaa_hook import (
    data_root,  # noqa: F401 (a fixture)
    make_config,
    train,
)

from oaa_mm.runs import LockHook


def test_a_second_training_is_refused(data_root, tmp_path):  # noqa: F811
    cfg = make_config(data_root, tmp_path, epochs=2)
    cfg.custom_hooks.append({'type': 'oaa_mm.LockHook'})
    with other_process(tmp_path) as pid:
        with pytest.raises(OSError, match=f'in use .* process {pid}'):
            train(cfg)
        assert not list(tmp_path.glob('*.pth'))
    cfg.experiment_name += 'x'
    runner = train(cfg)
    assert any(isinstance(hook, LockHook) for hook in runner.hooks)
    assert (tmp_path / 'epoch_2.pth').is_file()
    assert not (tmp_path / '.train.lock').exists()
