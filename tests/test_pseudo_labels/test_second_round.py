"""Labels of a second round: of what a segmentation network finds."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import save_checkpoint
from mmseg.registry import MODELS
from mmseg.utils import register_all_modules
from PIL import Image
from torch import nn

from oaa_mm.attention import AttentionStore
from oaa_mm.io import read_mask
from oaa_mm.pseudo_labels import LabelRules
from oaa_mm.pseudo_labels.folder import make_label_folder

CLASSES = ['red', 'green', 'blue']
#: A network that sees colours: background where no channel is above 0.5.
CONFIG = f"""
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[0] * 3, std=[255] * 3,
        bgr_to_rgb=True),
    backbone=dict(type='PixelsOfTest'),
    decode_head=dict(
        type='FCNHead', in_channels=3, channels=3, num_convs=0, in_index=0,
        concat_input=False, dropout_ratio=0, num_classes=4,
        align_corners=False, loss_decode=dict(type='CrossEntropyLoss')),
    test_cfg=dict(mode='whole'))
classes = {['background', *CLASSES]}
test_pipeline = [
    dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
    dict(type='PackSegInputs')]
"""
REST = LabelRules(background='rest')


@MODELS.register_module()
class PixelsOfTest(nn.Module):
    """The image itself as features."""

    def forward(self, inputs):
        return (inputs,)


@pytest.fixture
def world(tmp_path):
    """An image of four colours, whose tags are red and blue."""
    register_all_modules(init_default_scope=False)
    image = np.zeros((20, 40, 3), np.uint8)
    for number in range(3):  # the last quarter stays black
        image[:, 10 * number : 10 * number + 10, number] = 255
    (tmp_path / 'images').mkdir()
    Image.fromarray(image).save(tmp_path / 'images/a.png')
    store = AttentionStore()
    store['a', 0] = store['a', 2] = np.arange(6, dtype=np.uint8).reshape(2, 3)
    store.save(tmp_path / 'store.safetensors')
    write_network(tmp_path)
    return tmp_path


def write_network(world, text=CONFIG, classes=CLASSES):
    cfg = Config.fromstring(CONFIG, '.py')
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(cfg.model)
    with torch.no_grad():
        weight = torch.zeros(4, 3)
        weight[1:] = 20 * torch.eye(3)
        model.decode_head.conv_seg.weight.copy_(weight[..., None, None])
        model.decode_head.conv_seg.bias.copy_(torch.tensor([0, -10, -10, -10]))
    meta = {'cfg': text, 'dataset_meta': {'classes': ['background', *classes]}}
    save_checkpoint(
        {'meta': meta, 'state_dict': model.state_dict()},
        str(world / 'network.pth'),
    )


def make(world, rules=REST, **more):
    return make_label_folder(
        world / 'store.safetensors',
        world / 'out',
        img_dir=world / 'images',
        class_names=CLASSES,
        segmentor=world / 'network.pth',
        rules=rules,
        **more,
    )


def test_a_network_replaces_the_maps_and_their_targets(world):
    with pytest.raises(ValueError, match='leave one of the two out'):
        make(world, targets=world / 'store.safetensors')
    assert not (world / 'out').exists()


def test_labels_are_what_the_network_sees_of_the_tags(world):
    """Red and blue are tags; green is the background's, having no tag."""
    make(world)
    label = read_mask(world / 'out/labels/a.png')
    expected = np.repeat([1, 0, 3, 0], 10)[None].repeat(20, axis=0)
    np.testing.assert_array_equal(label, expected)
    manifest = json.loads((world / 'out/manifest.json').read_text())
    assert manifest['inputs']['segmentor']['path'].endswith('network.pth')
    write_network(world, text=CONFIG + '\nlater = True\n')
    with pytest.raises(ValueError, match='segmentor'):
        make(world)
    np.testing.assert_array_equal(
        read_mask(world / 'out/labels/a.png'), expected
    )


def test_a_refinement_takes_the_scores(world):
    make(world, refine='par', refine_options={'iterations': 1})
    label = read_mask(world / 'out/labels/a.png')
    assert (label[5:15, 2:8] == 1).all()
    assert (label[5:15, 12:18] == 0).all()


def test_networks_that_do_not_fit_are_refused(world):
    with pytest.raises(ValueError, match="'power' with such a network"):
        make(world, LabelRules(background='power'))
    write_network(world, classes=CLASSES[::-1])
    with pytest.raises(ValueError, match='blue, green, red, but the classes'):
        make(world)
    write_network(world, text='model = None')
    with pytest.raises(ValueError, match='network.pth.*`test_pipeline`'):
        make(world)
    (world / 'network.pth').unlink()
    with pytest.raises(OSError, match='network.pth'):
        make(world)
    assert not (world / 'out').exists()
