"""Several accumulations of one training equal each training of its own."""

import pytest
from test_oaa_hook import (
    assert_equal,
    data_root,  # noqa: F401 (a fixture)
    final_store,
    make_config,
    train,
)

from oaa_mm.attention import AttentionStore
from oaa_mm.engine import OAAAblationHook
from oaa_mm.io.manifest import manifest_path, read_manifest

VARIANTS = {
    'mean': {'fusion': 'mean'},
    'all': {'acceptance': 'none', 'start_epoch': 0},
}


@pytest.mark.parametrize('beside', [True, False], ids=['beside', 'alone'])
def test_each_variant_equals_a_training_of_its_own(
    data_root,  # noqa: F811
    tmp_path,
    beside,
):
    cfg = make_config(data_root, tmp_path / 'joint', flip=True)
    hook = {'type': 'oaa_mm.OAAAblationHook', 'variants': VARIANTS}
    cfg.custom_hooks = [*(cfg.custom_hooks if beside else []), hook]
    train(cfg)
    stores = {}
    for name, settings in VARIANTS.items():
        path = tmp_path / f'joint/{name}.safetensors'
        stores[name] = AttentionStore.load(path)
        config = read_manifest(manifest_path(path)).parameters['config']
        assert config['custom_hooks'][-1]['variants'] == VARIANTS
        alone = tmp_path / name
        train(make_config(data_root, alone, flip=True, **settings))
        assert_equal(stores[name], final_store(alone))
    assert any(
        (stores['mean'][pair] != stores['all'][pair]).any()
        for pair in stores['mean']
    )
    if beside:
        plain = tmp_path / 'plain'
        train(make_config(data_root, plain, flip=True))
        assert_equal(final_store(tmp_path / 'joint'), final_store(plain))


def test_mistakes_are_named(data_root, tmp_path):  # noqa: F811
    with pytest.raises(ValueError, match='at least one variant'):
        OAAAblationHook({})
    with pytest.raises(ValueError, match="fusion should be one of .*'sum'"):
        OAAAblationHook({'sum': {'fusion': 'sum'}})
    cfg = make_config(data_root, tmp_path, epochs=1)
    cfg.custom_hooks = []
    train(cfg)
    cfg = make_config(data_root, tmp_path, epochs=2)
    cfg.custom_hooks = [
        {'type': 'oaa_mm.OAAAblationHook', 'variants': VARIANTS}
    ]
    cfg.resume = True
    with pytest.raises(ValueError, match='first epoch.*without --resume'):
        train(cfg)
