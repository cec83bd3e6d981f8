"""VGG16 with output stride 8."""

import mmcv.cnn
import pytest
import torch
import torch.nn.functional as F
from mmengine.runner import CheckpointLoader
from torch import nn

from oaa_mm.models import VGG16
from oaa_mm.models.vgg import VGG16_URL
from oaa_mm.registry import MODELS

CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


@pytest.fixture(scope='module')
def vgg():
    torch.manual_seed(0)
    return VGG16().eval()


def shapes(module, prefix=''):
    return {
        name: tuple(value.shape)
        for name, value in module.state_dict().items()
        if name.startswith(prefix)
    }


def test_names_and_shapes_are_those_of_mmcv(vgg):
    assert shapes(vgg) == shapes(mmcv.cnn.VGG(16))


def test_names_and_shapes_are_those_of_torchvision(vgg):
    models = pytest.importorskip('torchvision.models')
    assert shapes(vgg) == shapes(models.vgg16(), 'features.')


@pytest.mark.parametrize(
    'size', [(8, 8), (16, 24), (15, 9), (23, 31), (33, 8), (40, 41), (65, 70)]
)
def test_output_stride_is_8_rounded_down(vgg, size):
    features = vgg(torch.rand(2, 3, *size))
    assert isinstance(features, tuple)
    assert len(features) == 1
    assert features[0].shape == (2, 512, size[0] // 8, size[1] // 8)


def test_numbers_are_those_of_a_chain_by_hand(vgg):
    state = vgg.state_dict()
    # Wide weights, lest everything comes out near zero.
    image = 100 * torch.randn(1, 3, 26, 19)

    def convolve(x, number, dilation=1):
        return F.conv2d(
            x,
            state[f'features.{number}.weight'],
            state[f'features.{number}.bias'],
            padding=dilation,
            dilation=dilation,
        ).relu()

    x = image
    for stage in ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21)):
        for number in stage:
            x = convolve(x, number)
        if stage[0] != 17:
            x = F.max_pool2d(x, 2)
    x = F.max_pool2d(x, 3, stride=1, padding=1)
    for number in (24, 26, 28):
        x = convolve(x, number, dilation=2)
    with torch.no_grad():
        result = vgg(image)[0]
    assert x.abs().max() > 1e-4
    assert torch.allclose(result, x, rtol=1e-4, atol=1e-7)


def test_initialised_small_and_without_bias():
    torch.manual_seed(0)
    vgg = VGG16()
    vgg.init_weights()
    for layer in vgg.features:
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
            assert not layer.bias.any()


def test_initialised_by_a_list():
    init = {'type': 'Constant', 'layer': 'Conv2d', 'val': 2.0, 'bias': 3.0}
    vgg = VGG16(init_cfg=[init])
    vgg.init_weights()
    for name, value in vgg.state_dict().items():
        assert (value == (3.0 if name.endswith('bias') else 2.0)).all()


# Pretrained weights.


@pytest.fixture(scope='module')
def weights():
    """As torchvision saves them, with the classifier, in half precision."""
    generator = torch.Generator().manual_seed(1)
    state = {
        name: torch.randn(value.shape, generator=generator).half()
        for name, value in VGG16().state_dict().items()
    }
    state['classifier.0.weight'] = torch.zeros(3, 2)
    state['classifier.6.bias'] = torch.zeros(3)
    return state


def check_loaded(vgg, weights):
    for name, value in vgg.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, weights[name].float()), name


def test_local_file_in_half_precision(tmp_path, weights):
    path = tmp_path / 'vgg16.pth'
    torch.save(weights, path)
    init = {'type': 'Pretrained', 'checkpoint': str(path)}
    vgg = MODELS.build({'type': 'oaa_mm.VGG16', 'init_cfg': init})
    vgg.init_weights()
    check_loaded(vgg, weights)


@pytest.mark.parametrize('several', [False, True])
@pytest.mark.parametrize('name', ['torchvision://vgg16', VGG16_URL])
def test_public_weights_need_no_torchvision(
    monkeypatch, weights, name, several
):
    asked = []

    def download(filename, map_location=None, logger='current'):
        asked.append(filename)
        return dict(weights)

    monkeypatch.setattr(
        CheckpointLoader, 'load_checkpoint', staticmethod(download)
    )
    init = {'type': 'Pretrained', 'checkpoint': name}
    if several:
        init = [{'type': 'Constant', 'layer': 'Conv2d', 'val': 1.0}, init]
    vgg = VGG16(init_cfg=init)
    vgg.init_weights()
    assert set(asked) == {
        'https://download.pytorch.org/models/vgg16-397923af.pth'
    }
    check_loaded(vgg, weights)


@pytest.mark.parametrize('stages', range(6))
def test_frozen_stages(stages):
    vgg = VGG16(frozen_stages=stages)
    last = (-1, 2, 7, 14, 21, 28)[stages]
    for number in CONVOLUTIONS:
        for parameter in vgg.features[number].parameters():
            assert parameter.requires_grad == (number > last)


@pytest.mark.parametrize('stages', [-1, 6])
def test_stages_that_there_are_not(stages):
    with pytest.raises(ValueError, match=f'4, 5.*but got {stages}'):
        VGG16(frozen_stages=stages)


def test_with_norms_names_and_shapes_are_those_of_mmcv():
    vgg = VGG16(norm_cfg={'type': 'BN'})
    assert shapes(vgg) == shapes(mmcv.cnn.VGG(16, with_bn=True))
    models = pytest.importorskip('torchvision.models')
    assert shapes(vgg) == shapes(models.vgg16_bn(), 'features.')


def test_a_seed_gives_the_weights_of_mmcvs_network():
    torch.manual_seed(0)
    ours = VGG16().state_dict()
    torch.manual_seed(0)
    theirs = mmcv.cnn.VGG(16).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_norms_of_frozen_stages_keep_their_statistics():
    norm_cfg = {'type': 'BN', 'momentum': 1.0}
    vgg = VGG16(frozen_stages=1, norm_cfg=norm_cfg).train()
    norms = [m for m in vgg.features if isinstance(m, nn.BatchNorm2d)]
    assert [norm.training for norm in norms] == [False] * 2 + [True] * 11
    vgg(torch.rand(2, 3, 16, 16))
    assert [bool(norm.running_mean.any()) for norm in norms] == (
        [False] * 2 + [True] * 11
    )
    assert not any(p.requires_grad for p in norms[1].parameters())
    assert all(p.requires_grad for p in norms[2].parameters())
    assert not any(m.training for m in vgg.eval().modules())


def test_another_activation():
    vgg = VGG16(act_cfg={'type': 'LeakyReLU', 'negative_slope': 0.5})
    x = torch.rand(1, 3, 8, 8)
    convolved = vgg.features[0](x)
    expected = convolved.where(convolved > 0, convolved / 2)
    assert torch.equal(vgg.features[:2](x), expected)
    assert len(vgg.features) == 30
