"""OAAHook on a segmentor of mmseg with an auxiliary CAM head."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from test_oaa_hook import NAMES, assert_equal, final_store, make_config, train

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DataRecord
from oaa_mm.engine.batch_attention import AttentionSource
from oaa_mm.engine.training_data import training_metadata
from oaa_mm.io import write_mask
from oaa_mm.registry import MODELS

CAM = {
    'type': 'oaa_mm.CAMHead', 'in_channels': 4, 'num_classes': 3,
    'num_convs': 0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda _: None)


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Images of heights that cells of 4 pixels do not divide, with masks."""
    root = tmp_path_factory.mktemp('data')
    (root / 'img').mkdir()
    (root / 'mask').mkdir()
    rng = np.random.default_rng(0)
    lines = []
    for number in range(8):
        size = (26, 32) if number % 2 else (31, 24)
        image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        label = sorted({number % 3, (number // 3) % 3})
        mask = np.zeros(size, np.uint8)
        mask[0] = 255
        for index in label:
            mask[4 + index, 3] = index + 1
        cv2.imwrite(str(root / f'img/im{number}.png'), image)
        write_mask(root / f'mask/im{number}.png', mask)
        lines.append(f'im{number} {" ".join(map(str, label))}')
    (root / 'tags.txt').write_text('\n'.join(lines) + '\n')
    (root / 'list.txt').write_text('\n'.join(s.split()[0] for s in lines))
    return root


def segmentor(heads):
    return {
        'type': 'EncoderDecoder',
        'data_preprocessor': {
            'type': 'SegDataPreProcessor',
            'mean': [127.0] * 3,
            'std': [60.0] * 3,
            'bgr_to_rgb': True,
            'size': (40, 40),
            'seg_pad_val': 255,
        },
        'backbone': {'type': 'oaa_mm.OAAHookTestBackbone'},
        'decode_head': {
            'type': 'FCNHead', 'in_channels': 4, 'in_index': 0, 'channels': 4,
            'num_convs': 0, 'concat_input': False, 'num_classes': 4,
            'loss_decode': {
                'type': 'CrossEntropyLoss', 'avg_non_ignore': True,
            },
        },
        'auxiliary_head': heads,
        'test_cfg': {'mode': 'whole'},
    }  # fmt: skip


def steps(load):
    return [
        {'type': 'LoadImageFromFile'},
        {'type': load},
        {'type': 'RandomFlip', 'prob': 0.5},
        {'type': 'oaa_mm.PackImageLevelInputs'},
    ]


def with_masks(root):
    """A data set of mmseg; what is in an image is known from its mask."""
    pipeline = {
        'type': 'oaa_mm.RecordingCompose',
        'transforms': steps('LoadAnnotations'),
    }
    return {
        'type': 'BaseSegDataset',
        'data_root': str(root),
        'ann_file': 'list.txt',
        'data_prefix': {'img_path': 'img', 'seg_map_path': 'mask'},
        'img_suffix': '.png',
        'metainfo': {'classes': ('background', *NAMES)},
        'pipeline': [pipeline],
    }


def with_tags(root):
    """All images have tags, the first three have masks as well."""
    one, other = (
        {
            'type': 'oaa_mm.ImageLevelDataset',
            'data_root': str(root),
            'ann_file': 'tags.txt',
            'data_prefix': {'img_path': 'img', **masks},
            'img_suffix': '.png',
            'metainfo': {'classes': NAMES},
            'indices': indices,
            'pipeline': steps('oaa_mm.LoadMaskOrIgnore'),
        }
        for masks, indices in (({'seg_map_path': 'mask'}, [0, 1, 2]),
                               ({}, [3, 4, 5, 6, 7]))
    )  # fmt: skip
    return {'type': 'ConcatDataset', 'datasets': [one, other]}


@pytest.mark.parametrize(
    ('dataset', 'heads', 'name'),
    [(with_masks, CAM, ''), (with_tags, [CAM, CAM], '.1')],
)
def test_the_store_is_that_of_a_classifier(
    data_root, tmp_path, dataset, heads, name
):
    """With the same weights, the maps are the same, bit for bit."""
    args = {'acceptance': 'none', 'epochs': 2}
    cfg = make_config(data_root, tmp_path / 'classifier', **args)
    cfg.train_dataloader.dataset.ann_file = 'tags.txt'
    cfg.optim_wrapper.optimizer.lr = 0.0
    weights = train(cfg).model.state_dict()
    for key in list(weights):
        new = key.replace('head.', f'auxiliary_head{name}.')
        weights[new] = weights.pop(key)
    torch.save({'state_dict': weights}, tmp_path / 'weights.pth')

    args['head'] = f'auxiliary_head{name}' if name else None
    cfg = make_config(data_root, tmp_path / 'segmentor', **args)
    cfg.model = segmentor(heads)
    cfg.train_dataloader.dataset = dataset(data_root)
    cfg.load_from = str(tmp_path / 'weights.pth')
    cfg.optim_wrapper.optimizer.lr = 0.0
    train(cfg)
    expected = final_store(tmp_path / 'classifier', 2)
    assert len(expected) > 10
    assert_equal(expected, final_store(tmp_path / 'segmentor', 2))
    path = tmp_path / 'segmentor/attention_epoch_2.safetensors'
    data = DataRecord.of_stores([AttentionStore.open(path)], path)
    assert data.classes == NAMES
    assert data.find_images(['im3'])['im3'] == str(data_root / 'img/im3.png')


def test_the_head_is_found_or_named():
    model = MODELS.build(ConfigDict(segmentor([CAM, CAM])))
    heads = model.auxiliary_head
    for number in (0, 1):
        name = f'auxiliary_head.{number}'
        assert AttentionSource(model, name).head is heads[number]
    with pytest.raises(ValueError, match=r'=None .* has aux.*\.0, .*\.1'):
        AttentionSource(model)
    with pytest.raises(ValueError, match=r"='decode_head' should .*\.0"):
        AttentionSource(model, 'decode_head')
    single = MODELS.build(ConfigDict(segmentor(CAM)))
    assert AttentionSource(single).head is single.auxiliary_head
    # The head takes no part in prediction.
    sample = single.eval().predict(torch.randn(1, 3, 24, 24))[0]
    assert sample.pred_sem_seg.shape == (24, 24)
    assert single.auxiliary_head.attention_output is None


def test_a_head_whose_loss_is_never_asked_for_is_named():
    source = AttentionSource(MODELS.build(ConfigDict(segmentor(CAM))))
    with pytest.raises(ValueError, match='left no maps'):
        source.batch([SegDataSample()])


def masked(values, **meta):
    mask = PixelData(data=torch.tensor([values]))
    meta = {'img_path': 'some/image.jpg', **meta}
    return SegDataSample(metainfo=meta, gt_sem_seg=mask)


def test_tags_are_the_classes_in_the_mask():
    head = MODELS.build(CAM)
    sample = masked([[0, 3, 255], [255, 1, 1]])
    assert head.tags([sample]).tolist() == [[1, 0, 1]]
    sample.set_field(torch.tensor([0, 1, 0], dtype=torch.uint8), 'gt_label')
    assert head.tags([sample]).tolist() == [[0, 1, 0]]  # those come first
    with pytest.raises(ValueError, match=r'some/image\.jpg.*value 4.*1 to 3'):
        head.tags([masked([[0, 4, 255]])])
    head = MODELS.build({**CAM, 'background': False})
    assert head.tags([masked([[0, 2, 255]])]).tolist() == [[1, 0, 1]]
    with pytest.raises(ValueError, match=r'value 3.*0 to 2'):
        head.tags([masked([[0, 3]])])


def test_loss_leaves_padding_out():
    """Both images as if alone; the second reaches over 3 of 4 columns."""
    head = MODELS.build({**CAM, 'loss_weight': 0.4})
    head.init_weights()
    features = torch.randn(2, 4, 4, 4)
    whole = masked([[1]], img_shape=(8, 8), padding_size=(0, 0, 0, 0))
    part = masked([[2]], img_shape=(8, 6), padding_size=(0, 2, 0, 0))
    loss = head.loss([features], [whole, part], {})['loss_cls']
    alone = [
        torch.nn.functional.multilabel_soft_margin_loss(
            head(maps[None]).mean((2, 3)), torch.tensor([label])
        )
        for maps, label in (
            (features[0], [1.0, 0.0, 0.0]),
            (features[1, :, :, :3], [0.0, 1.0, 0.0]),
        )
    ]
    assert loss.item() == pytest.approx(0.4 * (alone[0] + alone[1]).item() / 2)
    assert head.attention_output.valid.tolist() == [[4, 4], [4, 3]]


class Listed(list):
    """A data set of mmseg, as far as stores ask it."""

    get_data_info = list.__getitem__

    def __init__(self, masks, classes):
        masks.mkdir(parents=True, exist_ok=True)
        self.metainfo = {'classes': classes}
        for name in 'abc':
            path = str(masks / f'{name}.png')
            write_mask(path, np.zeros((2, 2), np.uint8))
            self.append({'img_path': f'/d/{name}.jpg', 'seg_map_path': path})


def metadata_of(folder, masks, *classes, **head):
    loader = SimpleNamespace(dataset=Listed(folder / masks, classes))
    runner = SimpleNamespace(
        train_dataloader=loader, hooks=[], work_dir=str(folder), cfg={}
    )
    return training_metadata(runner, MODELS.build({**CAM, **head}))


def test_pseudo_labels_are_not_taken_for_the_truth(tmp_path):
    (tmp_path / 'made').mkdir()
    (tmp_path / 'made/manifest.json').write_text('{}')
    folders = ('true/labels', 'abc'), ('made/labels/sub', ''), ('', 'abc')
    for masks, known in folders:
        metadata = metadata_of(tmp_path, masks, 'background', *NAMES)
        found = DataRecord(metadata['data_set'], tmp_path).find_masks('abc')
        assert ''.join(found) == known


def test_a_head_of_other_classes_than_the_data_is_refused(tmp_path):
    """Values of masks would be taken for those of the next class."""
    with pytest.raises(ValueError, match=r'3 classes, .*background=True'):
        metadata_of(tmp_path, '1', *NAMES)
    data = metadata_of(tmp_path, '2', *NAMES, background=False)['data_set']
    assert data['classes'] == list(NAMES)
    with pytest.raises(ValueError, match=r'4 classes, .*num_classes=3'):
        metadata_of(tmp_path, '3', 'background', *NAMES, background=False)
