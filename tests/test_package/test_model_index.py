"""The model index: what mim and `mmengine.hub` look configs up in."""

import re

import pytest
import yaml
from mmengine.config.utils import _get_cfg_metainfo


@pytest.fixture(scope='module')
def metafiles(root):
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    paths = [root / name for name in index['Import']]
    return {path: yaml.safe_load(path.read_text()) for path in paths}


@pytest.fixture(scope='module')
def models(metafiles):
    return [model for meta in metafiles.values() for model in meta['Models']]


def test_every_metafile_is_in_the_index(root, metafiles):
    assert set(metafiles) == set((root / 'configs').rglob('metafile.y*ml'))


def test_models_are_named_once_and_have_a_config(root, metafiles, models):
    names = [model['Name'] for model in models]
    assert len(names) == len(set(names))
    collections = {
        collection['Name']
        for meta in metafiles.values()
        for collection in meta.get('Collections', ())
    }
    for model in models:
        assert (root / model['Config']).is_file(), model['Name']
        assert model['In Collection'] in collections


def test_numbers_are_those_of_the_page_of_results(root, models):
    page = (root / 'docs/results.md').read_text()
    measured = {float(n) for n in re.findall(r'\d+\.\d+', page)}
    for model in models:
        for result in model['Results']:
            for name, value in result['Metrics'].items():
                assert value in measured, f'{model["Name"]}: {name}'


def test_no_weights_are_promised_that_do_not_exist(models):
    assert not [model['Name'] for model in models if 'Weights' in model]


def test_mmengine_finds_a_config_by_its_name(root, tmp_path, models):
    """As in an installed package, where all of it lies in `.mim`."""
    (tmp_path / '.mim').symlink_to(root)
    for model in models:
        name = model['Config'].removeprefix('configs/')
        found = _get_cfg_metainfo(str(tmp_path), name)
        assert found['Name'] == model['Name']
