import subprocess
import sys
from importlib.metadata import distribution

import pytest
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

import oaa_mm
from oaa_mm import compat


def fail_import(monkeypatch, *names):
    real = compat.import_module

    def imports(name):
        if name in names:
            raise ModuleNotFoundError(f'No module named {name!r}')
        return real(name)

    monkeypatch.setattr(compat, 'import_module', imports)


def test_complete_installation_passes():
    compat.check_installation()


def test_missing_packages_are_named_with_the_command(monkeypatch):
    fail_import(monkeypatch, 'mmcv', 'mmseg')
    monkeypatch.setattr(compat, '_installed', lambda names: None)
    with pytest.raises(ImportError) as caught:
        compat.check_installation()
    message = str(caught.value)
    assert 'mmcv: ModuleNotFoundError' in message
    assert 'pip install onedl-mmcv onedl-mmsegmentation' in message
    assert 'mmengine' not in message


def test_broken_packages_are_not_called_missing(monkeypatch):
    fail_import(monkeypatch, 'mmcv')
    with pytest.raises(ImportError, match='installed but broken') as caught:
        compat.check_installation()
    # Never a second distribution of an import package that is there.
    assert 'force-reinstall onedl-mmcv' in str(caught.value)


def test_the_installed_distribution_is_found():
    name = compat.mmseg_distribution()
    assert distribution(name).version
    assert MODULE2PACKAGE['mmseg'] == name


def test_upstream_is_respected(monkeypatch):
    monkeypatch.setattr(compat, 'mmseg_distribution', lambda: 'mmsegmentation')
    monkeypatch.setitem(MODULE2PACKAGE, 'mmseg', 'mmsegmentation')
    compat.setup_compat()
    assert MODULE2PACKAGE['mmseg'] == 'mmsegmentation'


def test_configs_of_mmseg_can_be_inherited(tmp_path):
    config = tmp_path / 'c.py'
    base = (
        'mmseg::deeplabv3plus/'
        'deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py'
    )
    config.write_text(f"_base_ = ['{base}']")
    cfg = Config.fromfile(config)
    assert cfg.model.decode_head.type == 'DepthwiseSeparableASPPHead'


def test_import_error_of_a_fresh_process_is_readable(tmp_path):
    """A package that shadows mmseg and does not import."""
    (tmp_path / 'mmseg').mkdir()
    (tmp_path / 'mmseg/__init__.py').write_text('raise RuntimeError("bad")')
    code = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import oaa_mm'
    result = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert 'mmseg: RuntimeError: bad' in result.stderr


def test_version_is_the_distributions():
    assert distribution('oaa_mm').version == oaa_mm.__version__
