"""Pretrained weights that fit nothing are an error."""

import pytest
import torch

from oaa_mm.registry import MODELS

RESNET = {
    'type': 'mmseg.ResNet',
    'depth': 18,
    'base_channels': 8,
    'stem_channels': 8,
    'out_indices': (3,),
}


def build(backbone, **kwargs):
    return MODELS.build(
        {
            'type': 'oaa_mm.CAMClassifier',
            'backbone': backbone,
            'head': {
                'type': 'oaa_mm.CAMHead',
                'in_channels': 64,
                'num_classes': 2,
                'num_convs': 0,
            },
            **kwargs,
        }
    )


def with_weights(path, **kwargs):
    init = {'type': 'Pretrained', 'checkpoint': str(path), **kwargs}
    return {**RESNET, 'init_cfg': init}


@pytest.fixture
def state():
    torch.manual_seed(5)
    state = MODELS.build(dict(RESNET)).state_dict()
    return {
        name: torch.rand_like(value) if value.is_floating_point() else value
        for name, value in state.items()
    }


@pytest.mark.parametrize(
    'wrap',
    [
        lambda state: state,
        lambda state: {'state_dict': state, 'meta': {}},
        lambda state: {**state, 'fc.weight': torch.zeros(9, 9)},
        lambda state: {f'module.{k}': v for k, v in state.items()},
        lambda state: {
            k: v.half() if v.is_floating_point() else v
            for k, v in state.items()
        },
    ],
    ids=['plain', 'mmengine', 'with classifier', 'wrapped', 'half'],
)
def test_weights_that_fit_are_loaded(tmp_path, state, wrap):
    torch.save(wrap(state), tmp_path / 'weights.pth')
    model = build(with_weights(tmp_path / 'weights.pth'))
    model.init_weights()
    for name, value in model.backbone.state_dict().items():
        assert torch.allclose(value, state[name], atol=1e-3), name


def test_weights_below_a_prefix(tmp_path, state):
    path = tmp_path / 'weights.pth'
    torch.save({f'backbone.{k}': v for k, v in state.items()}, path)
    model = build(with_weights(path, prefix='backbone'))
    model.init_weights()
    assert torch.equal(model.backbone.conv1.weight, state['conv1.weight'])
    with pytest.raises(ValueError, match=r'init_cfg\.prefix'):
        build(with_weights(path)).init_weights()
    match = r"weights\.pth: no tensor has the prefix 'encoder\.'.*ResNet"
    with pytest.raises(ValueError, match=match):
        build(with_weights(path, prefix='encoder')).init_weights()


def test_names_that_do_not_fit_are_shown(tmp_path):
    path = tmp_path / 'foreign.pth'
    torch.save({'blocks.0.weight': torch.zeros(3)}, path)
    model = build(with_weights(path))
    match = (
        r'foreign\.pth: none of its 1 tensors fits ResNet \(backbone\).*'
        r'holds blocks\.0\.weight; needed are conv1\.weight'
    )
    with pytest.raises(ValueError, match=match):
        model.init_weights()


def test_shapes_that_do_not_fit(tmp_path, state):
    path = tmp_path / 'wide.pth'
    torch.save({k: torch.zeros(2, 2, 2) for k in state}, path)
    with pytest.raises(ValueError, match='by name and shape'):
        build(with_weights(path)).init_weights()


def test_vgg_inside_of_a_classifier(tmp_path):
    path = tmp_path / 'foreign.pth'
    torch.save({'conv1_1.weight': torch.zeros(64, 3, 3, 3)}, path)
    init = {'type': 'Pretrained', 'checkpoint': str(path)}
    model = build({'type': 'oaa_mm.VGG16', 'init_cfg': init})
    with pytest.raises(ValueError, match=r'fits VGG16 \(backbone\)'):
        model.init_weights()


def test_weights_of_the_whole_model(tmp_path):
    path = tmp_path / 'model.pth'
    init = {'type': 'Pretrained', 'checkpoint': str(path)}
    torch.manual_seed(0)
    trained = build(dict(RESNET))
    torch.save(trained.state_dict(), path)
    model = build(dict(RESNET), init_cfg=init)
    model.init_weights()
    for name, value in trained.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    torch.save({'x': torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r'CAMClassifier \(the model\)'):
        build(dict(RESNET), init_cfg=init).init_weights()


def test_absent_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.pth'):
        build(with_weights(tmp_path / 'gone.pth')).init_weights()
