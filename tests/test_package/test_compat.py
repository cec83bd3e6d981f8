import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import mmengine.utils
import mmseg
import pytest
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.hub import get_config

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
    name = compat._installed(compat.DISTRIBUTIONS['mmcv'])
    assert f'force-reinstall {name}' in str(caught.value)


def test_upstream_without_compiled_operators_is_explained(monkeypatch):
    """As mmsegmentation 1.2.2 with mmcv-lite 2.1.0."""
    fail_import(monkeypatch, 'mmseg.utils')
    monkeypatch.setattr(compat, 'mmseg_distribution', lambda: 'mmsegmentation')
    monkeypatch.setattr(compat, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match='compiled operators') as caught:
        compat.check_installation()
    assert 'oaa_mm[mm]' in str(caught.value)


def test_compiled_operators_are_not_asked_for_in_vain(monkeypatch):
    fail_import(monkeypatch, 'mmseg.utils')
    monkeypatch.setattr(compat, 'find_spec', lambda name: None)
    monkeypatch.setattr(
        compat, 'mmseg_distribution', lambda: 'onedl-mmsegmentation'
    )
    compat.check_installation()


def test_the_installed_distribution_is_found():
    name = compat.mmseg_distribution()
    assert distribution(name).version
    assert MODULE2PACKAGE['mmseg'] == name


def test_upstream_is_respected(monkeypatch):
    monkeypatch.setattr(compat, 'mmseg_distribution', lambda: 'mmsegmentation')
    monkeypatch.setitem(MODULE2PACKAGE, 'mmseg', 'mmsegmentation')
    compat.setup_compat()
    assert MODULE2PACKAGE['mmseg'] == 'mmsegmentation'


def read_config_of_mmseg(tmp_path):
    config = tmp_path / 'c.py'
    base = (
        'mmseg::deeplabv3plus/'
        'deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py'
    )
    config.write_text(f"_base_ = ['{base}']")
    return Config.fromfile(config)


def test_configs_of_mmseg_can_be_inherited(tmp_path):
    cfg = read_config_of_mmseg(tmp_path)
    assert cfg.model.decode_head.type == 'DepthwiseSeparableASPPHead'


@pytest.fixture
def upstream_package_utils(monkeypatch):
    """As upstream's mmengine 0.10.7 with setuptools from release 81 on."""
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)

    def look_up(package):
        import pkg_resources  # noqa: F401

    for name in (
        *('mmengine.utils.package_utils', 'mmengine.utils'),
        *('mmengine.config.config', 'mmengine.hub.hub'),
    ):
        module = import_module(name)
        for function in ('is_installed', 'get_installed_path'):
            if hasattr(module, function):
                monkeypatch.setattr(module, function, look_up)


@pytest.mark.usefixtures('upstream_package_utils')
def test_configs_of_mmseg_need_no_pkg_resources(tmp_path):
    with pytest.raises(ModuleNotFoundError, match='pkg_resources'):
        read_config_of_mmseg(tmp_path)
    compat.setup_compat()
    cfg = read_config_of_mmseg(tmp_path)
    assert cfg.model.decode_head.type == 'DepthwiseSeparableASPPHead'
    name = 'mmseg::_base_/models/deeplabv3plus_r50-d8.py'
    model = get_config(name).model
    assert model.decode_head.type == 'DepthwiseSeparableASPPHead'


@pytest.mark.usefixtures('upstream_package_utils')
def test_packages_are_found_by_either_name():
    compat.setup_compat()
    folder = str(Path(mmseg.__file__).parent)
    for name in ('mmseg', compat.mmseg_distribution()):
        assert mmengine.utils.is_installed(name)
        assert mmengine.utils.get_installed_path(name) == folder
    assert not mmengine.utils.is_installed('no_such_package')
    with pytest.raises(ModuleNotFoundError, match='no_such_package'):
        mmengine.utils.get_installed_path('no_such_package')


def test_a_working_mmengine_is_left_alone(monkeypatch):
    before = mmengine.utils.get_installed_path
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)
    if compat.mmseg_distribution() == 'mmsegmentation':
        pytest.skip("upstream's mmengine needs pkg_resources")
    compat.setup_compat()
    assert mmengine.utils.get_installed_path is before


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
