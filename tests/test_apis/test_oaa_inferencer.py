"""OAAInferencer on small images with small networks."""

import shutil

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from oaa_mm.apis import OAAInferencer
from oaa_mm.attention import AttentionStore, attention_to_image
from oaa_mm.attention.record import DataRecord
from oaa_mm.io import read_mask
from oaa_mm.pseudo_labels import LabelRules
from oaa_mm.pseudo_labels.folder import make_label_folder
from oaa_mm.registry import MODELS

NAMES = ('red', 'green', 'blue')
SIZES = ((24, 32), (32, 24), (24, 32), (40, 40))
POWER = LabelRules(background='power')


def make_config(kind='oaa_mm.CAMClassifier'):
    model = {
        'type': kind,
        'data_preprocessor': {
            'type': 'ImgDataPreprocessor',
            'mean': [127.0] * 3,
            'std': [60.0] * 3,
            'bgr_to_rgb': True,
        },
        'backbone': {
            'type': 'ResNet', 'depth': 18, 'base_channels': 4,
            'num_stages': 1, 'out_indices': (0,), 'strides': (1,),
            'dilations': (1,), 'norm_cfg': {'type': 'SyncBN'},
        },
        'head': {
            'type': 'oaa_mm.CAMHead', 'in_channels': 4, 'num_classes': 3,
            'num_convs': 0,
        },
        'test_cfg': {'flip': True, 'use_labels': False},
    }  # fmt: skip
    dataset = {
        'type': 'oaa_mm.ImageLevelDataset',
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'Resize', 'scale_factor': 2.0},
            {'type': 'LoadAnnotations'},
            {'type': 'oaa_mm.PackImageLevelInputs'},
        ],
    }
    return Config(
        {
            'default_scope': 'mmseg',
            'model': model,
            'test_dataloader': {'dataset': dataset},
        }
    )


def save_checkpoint(folder, kind):
    """A checkpoint as a runner writes it, of a network that sees colours."""
    init_default_scope('mmseg')  # before the fixture of each test does
    cfg = make_config(kind)
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    model.init_weights()
    # Features are not negative, so no map is zero everywhere.
    torch.nn.init.uniform_(model.head.classifier.weight)
    meta = {
        'dataset_meta': {'classes': NAMES},
        'cfg': cfg.pretty_text,
    }
    folder.mkdir()
    path = folder / 'epoch_3.pth'
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
    (folder / 'last_checkpoint').write_text('/where/it/was/epoch_3.pth')
    return path


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """A work_dir of each model, and a folder of images."""
    root = tmp_path_factory.mktemp('apis')
    rng = np.random.default_rng(0)
    (root / 'images').mkdir()
    for number, size in enumerate(SIZES):
        image = rng.integers(0, 80, (*size, 3), dtype=np.uint8)
        image[4:16, 8:20, number % 3] = 255
        cv2.imwrite(str(root / f'images/im{number}.png'), image)
    (root / 'images/notes.txt').write_text('no image')
    save_checkpoint(root / 'cam', 'oaa_mm.CAMClassifier')
    save_checkpoint(root / 'plus', 'oaa_mm.IntegralAttentionModel')
    return root


@pytest.fixture(scope='module')
def inferencer(world):
    return OAAInferencer(world / 'cam', device='cpu', show_progress=False)


def assert_same(first, second):
    assert first['classes'] == second['classes']
    assert np.allclose(first['scores'], second['scores'], atol=1e-6)
    assert np.array_equal(first['label'], second['label'])
    for c in first['classes']:
        assert np.array_equal(first['attention'][c], second['attention'][c])


@pytest.mark.parametrize('kind', ['cam', 'plus'])
def test_a_folder_becomes_maps_overlays_and_labels(world, tmp_path, kind):
    """The files are what the tools of the pipeline make of the same maps."""
    inferencer = OAAInferencer(world / kind, show_progress=False)
    results = inferencer(
        world / 'images',
        batch_size=3,
        tags=[['red', 'blue'], 1, None, []],
        out_dir=tmp_path / 'out',
        return_vis=True,
    )
    predictions, pictures = results['predictions'], results['visualization']
    assert [p['image_id'] for p in predictions] == ['im0', 'im1', 'im2', 'im3']
    assert [p['names'] for p in predictions[:2]] == [
        ['red', 'blue'],
        ['green'],
    ]
    assert len(predictions[2]['classes']) >= 1
    assert predictions[3]['classes'] == []
    assert (predictions[3]['label'] == 255).all()
    store = AttentionStore.load(tmp_path / 'out/attention.safetensors')
    for prediction, picture, size in zip(
        predictions, pictures, SIZES, strict=True
    ):
        name = prediction['image_id']
        assert picture.shape == (*size, 3)
        drawn = cv2.imread(str(tmp_path / f'out/vis/{name}.png'))
        assert np.array_equal(drawn[..., ::-1], picture)
        label = read_mask(tmp_path / f'out/labels/{name}.png')
        assert np.array_equal(label, prediction['label'])
        assert label.shape == size
        assert list(store.classes_of(name)) == prediction['classes']
        for c, attention in prediction['attention'].items():
            # Twice the size, then a stride of 4.
            assert attention.shape == (size[0] // 2, size[1] // 2)
            assert attention.max() == 255
            assert np.array_equal(store[name, c], attention)
            large = prediction['attention_image'][c].astype(int)
            assert abs(large - attention_to_image(attention, size)).max() <= 1
    make_label_folder(
        tmp_path / 'out/attention.safetensors',
        tmp_path / 'tool',
        img_dir=world / 'images',
        class_names=NAMES,
        rules=POWER,
    )
    made = sorted((tmp_path / 'tool/labels').iterdir())
    assert [path.name for path in made] == ['im0.png', 'im1.png', 'im2.png']
    for path in made:
        ours = tmp_path / 'out/labels' / path.name
        assert np.array_equal(read_mask(path), read_mask(ours))


def test_the_store_knows_its_images_and_classes(world, tmp_path):
    """make_pseudo_labels needs no --img-dir and no --classes."""
    out = tmp_path / 'out'
    inferencer = OAAInferencer(world / 'cam', show_progress=False)
    inferencer(world / 'images', tags=[0, 1, 2, 0], out_dir=out)
    make_label_folder(
        out / 'attention.safetensors', tmp_path / 'tool', rules=POWER
    )
    for n, size in enumerate(SIZES):
        made = read_mask(tmp_path / f'tool/labels/im{n}.png')
        assert made.shape == size
        assert np.array_equal(made, read_mask(out / f'labels/im{n}.png'))
    record = DataRecord.of_labels(tmp_path / 'tool')
    assert record.classes == tuple(NAMES)
    image = world / 'images/im0.png'
    assert record.images.file_of('im0') == str(image)
    array = cv2.imread(str(image))
    inferencer([array], tags=[0], out_dir=tmp_path / 'array')
    with pytest.raises(FileNotFoundError, match='--img-dir'):
        make_label_folder(
            tmp_path / 'array/attention.safetensors',
            tmp_path / 'x',
            rules=POWER,
        )


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ({'batch_size': 0}, r'batch_size should be .*in \[1, inf\)'),
        ({'batch_size': 1.5}, 'batch_size .* an integer in .*, but got 1.5'),
        ({'alpha': 1.5}, r'alpha should be in \[0, 1\], but got 1.5'),
        ({'score_thr': 2}, 'score_thr should be in'),
    ],
)
def test_constants_are_checked_before_any_work(
    world, inferencer, monkeypatch, option, message
):
    def forward(*args, **kwargs):
        raise AssertionError('the network ran')

    monkeypatch.setattr(inferencer, 'forward', forward)
    with pytest.raises(ValueError, match=message):
        inferencer(world / 'images', return_vis=True, **option)


def test_every_device_gives_the_same_maps(world, inferencer, device):
    other = OAAInferencer(world / 'cam', device=device, show_progress=False)
    assert {p.device.type for p in other.model.parameters()} == {device}
    results = [
        one(world / 'images', tags=[['red', 'blue'], 1, 2, []], batch_size=2)
        for one in (inferencer, other)
    ]
    for first, second in zip(
        *(result['predictions'] for result in results), strict=True
    ):
        assert first['classes'] == second['classes']
        assert np.allclose(first['scores'], second['scores'], atol=1e-2)
        for c, attention in first['attention'].items():
            gap = attention.astype(int) - second['attention'][c]
            # A GPU convolves with ten bits of precision.
            assert abs(gap).max() <= (3 if device == 'cuda' else 0)
        assert (first['label'] == second['label']).mean() > 0.95


def test_files_arrays_and_batches_are_one(world, inferencer):
    paths = sorted((world / 'images').glob('*.png'))
    one = inferencer(paths)['predictions']
    arrays = [cv2.imread(str(path)) for path in paths]
    for other in (
        inferencer(world / 'images', batch_size=4)['predictions'],
        inferencer(arrays, batch_size=2)['predictions'],
        [inferencer(str(path))['predictions'][0] for path in paths],
    ):
        for first, second in zip(one, other, strict=True):
            assert_same(first, second)
    samples = inferencer(arrays, return_datasamples=True)['predictions']
    assert [s.image_id for s in samples] == [f'{n:08}' for n in range(4)]
    assert np.array_equal(samples[0].pred_sem_seg.data[0], one[0]['label'])
    assert inferencer(paths, return_predictions=False) == {
        'predictions': [],
        'visualization': [],
    }


def test_pil_images_are_the_same_as_their_files(world, inferencer):
    path = world / 'images/im0.png'
    expected = inferencer(path)['predictions'][0]
    with Image.open(path) as image:
        for one in (image, image.convert('RGBA')):
            assert_same(inferencer([one])['predictions'][0], expected)
        turned = image.transpose(Image.Transpose.ROTATE_90)
        turned.getexif()[0x0112] = 6
        assert_same(inferencer(turned)['predictions'][0], expected)
    with pytest.raises(ValueError, match='8 bits a channel, but got mode F'):
        inferencer(Image.new('F', (8, 8)))


def test_a_folder_names_what_it_leaves_out(world, inferencer, tmp_path):
    endings = ('.JPG', '.Png', '.bmp', '.TIFF', '.webp', '.jpeg')
    with Image.open(world / 'images/im0.png') as image:
        for number, suffix in enumerate(endings):
            image.save(tmp_path / f'im{number}{suffix}')
    (tmp_path / 'film.mp4').touch()
    (tmp_path / 'inner').mkdir()
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            'oaa_mm.apis.inputs.print_log', lambda *a: lines.append(a)
        )
        found = inferencer(tmp_path)['predictions']
    assert [p['image_id'] for p in found] == [f'im{n}' for n in range(6)]
    ((text, *_),) = lines
    assert text.endswith('left out: film.mp4, inner')


def test_without_tags_probable_classes_have_maps(world, inferencer):
    folder = world / 'images'
    plain = inferencer(folder)['predictions']
    middle = float(np.median([p['scores'] for p in plain]))
    counts = set()
    for score_thr in (0.0, middle, 1.0):
        for p in inferencer(folder, score_thr=score_thr)['predictions']:
            expected = set(np.flatnonzero(p['scores'] >= score_thr))
            assert set(p['classes']) == expected | {p['scores'].argmax()}
            counts.add(len(p['classes']))
    assert {1, 3} <= counts
    assert inferencer.model.test_cfg.score_thr == 0.5


def test_tags_come_in_many_forms(world, inferencer, tmp_path):
    image = world / 'images/im0.png'
    table = tmp_path / 'tags.csv'
    table.write_text('image,labels\nim0.png,blue;red\nim1.png,green\n')
    for tags in (
        ['red', 'blue'],
        (2, 0),
        [['blue', 0]],
        {'im0': ['red', 'blue'], 'other': [7]},
        table,
        str(table),
    ):
        prediction = inferencer(image, tags=tags)['predictions'][0]
        assert prediction['names'] == ['red', 'blue']
    one_hot = [False, True, False]
    forms = (one_hot, [one_hot], np.array([one_hot]), {'im0': one_hot})
    for tags in ('green', 1, [1], ['green'], {'im0': 'green'}, *forms):
        prediction = inferencer(image, tags=tags)['predictions'][0]
        assert prediction['names'] == ['green']


@pytest.mark.parametrize(
    ('tags', 'error', 'message'),
    [
        ([['red']], ValueError, 'one entry for each of the 4 images'),
        ('red', ValueError, 'one entry for each of the 4 images'),
        (['red', 'grey', 0, 1], ValueError, "'grey' is no class of .*red, gr"),
        ([0, 1, 2, 3], ValueError, '3 is no class of the model'),
        ([[False, True]] * 4, ValueError, 'one for each of the 3 classes'),
        ([True, 0, 1, 2], ValueError, 'one for each of the 3 classes'),
        (
            [[0, 0, 1]] * 4,
            ValueError,
            'one for each of the 3 classes, but',
        ),
        ({'im0': 0}, ValueError, '3 of 4 images have no entry.*im1, im2'),
        ('none.csv', FileNotFoundError, 'none.csv does not exist, .*red'),
    ],
)
def test_wrong_tags_are_refused(world, inferencer, tags, error, message):
    with pytest.raises(error, match=message):
        inferencer(world / 'images', tags=tags)


@pytest.mark.parametrize('loader', [None, {'dataset': {'pipeline': []}}])
def test_a_config_without_a_pipeline_of_tests(world, loader):
    cfg = make_config('oaa_mm.CAMClassifier')
    cfg.test_dataloader = loader
    with pytest.raises(ValueError, match=r'no test_dataloader\..* as `model`'):
        OAAInferencer(cfg, next((world / 'cam').glob('*.pth')))


def test_wrong_images_are_refused(world, inferencer, tmp_path):
    for one, kind in ((None, 'NoneType'), (b'abc', 'int'), ([{}], 'dict')):
        with pytest.raises(ValueError, match=f'PIL image, but got {kind}'):
            inferencer(one)
    with pytest.raises(FileNotFoundError, match='no such image or folder'):
        inferencer(tmp_path / 'none.jpg')
    with pytest.raises(FileNotFoundError, match='holds no image'):
        inferencer(tmp_path)
    with pytest.raises(ValueError, match=r'uint8 BGR.*float64'):
        inferencer(np.zeros((8, 8, 3)))
    (tmp_path / 'broken.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match='broken.png'):
        inferencer(tmp_path)
    shutil.copy(world / 'images/im0.png', tmp_path / 'im0.jpg')
    with pytest.raises(ValueError, match="same id 'im0'"):
        inferencer([tmp_path / 'im0.jpg', world / 'images/im0.png'])


def test_all_inputs_are_checked_before_the_first_forward(
    world, inferencer, tmp_path, monkeypatch
):
    monkeypatch.setattr(OAAInferencer, 'forward', None)
    good = world / 'images/im0.png'
    with Image.open(good) as image:
        image.save(tmp_path / 'damaged.jpg')
    content = bytearray((tmp_path / 'damaged.jpg').read_bytes())
    start = content.index(b'\xff\xc4') + 4
    content[start : start + 20] = b'\xff' * 20  # the first Huffman table
    (tmp_path / 'damaged.jpg').write_bytes(content)
    shutil.copy(good, tmp_path / 'a..b.png')
    for name in ('damaged.jpg', 'a..b.png'):
        with pytest.raises(ValueError, match=name[:-4]):
            inferencer([good, tmp_path / name])


def test_rules_and_refinement_reach_the_label(world, inferencer):
    image = world / 'images/im0.png'

    def label(**options):
        return inferencer(image, tags=0, **options)['predictions'][0]['label']

    plain = label()
    strict = label(rules=LabelRules(background='constant', theta=0.8))
    assert 0 < (strict == 1).sum() < (plain == 1).sum()
    refined = label(refine='par', refine_options={'iterations': 2})
    assert (refined != plain).any()
    with pytest.raises(ValueError, match='needs saliency maps'):
        label(rules=LabelRules())


def test_regions_reach_the_label(world, inferencer, tmp_path):
    image = world / 'images/im0.png'
    height, width = SIZES[0]
    left = np.arange(width)[None].repeat(height, 0) < width // 2
    np.savez(tmp_path / 'im0.npz', masks=[left, ~left])
    options = {'tags': 0, 'refine': 'regions', 'regions_dir': tmp_path}
    label = inferencer(image, **options)['predictions'][0]['label']
    assert len(np.unique(label[left])) == len(np.unique(label[~left])) == 1
    with pytest.raises(FileNotFoundError, match=r'im1\.npz'):
        inferencer(world / 'images/im1.png', **options)
    with pytest.raises(ValueError, match="no step 'regions'"):
        inferencer(image, regions_dir=tmp_path)


def test_bf16_changes_the_arithmetic(world, inferencer):
    image = world / 'images/im0.png'
    other = OAAInferencer(world / 'cam', amp='bf16', show_progress=False)
    weight = other.model.backbone.conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    seen = []
    other.model.head.register_forward_hook(
        lambda *arguments: seen.append(arguments[-1].dtype)
    )
    found, expected = (
        one(image, tags=[0, 1])['predictions'][0]['attention']
        for one in (other, inferencer)
    )
    assert torch.bfloat16 in seen
    assert found.keys() == expected.keys() == {0, 1}
    for class_index, map_ in found.items():
        gap = np.abs(map_.astype(int) - expected[class_index])
        assert gap.mean() < 4
    with pytest.raises(ValueError, match='fp16 needs a GPU'):
        OAAInferencer(world / 'cam', device='cpu', amp='fp16')


def test_pictures_are_shown(world, inferencer, monkeypatch):
    shown = []
    monkeypatch.setattr(
        'mmengine.visualization.Visualizer.show',
        lambda _, picture, name, wait: shown.append((picture, name, wait)),
    )
    results = inferencer(
        world / 'images/im1.png', show=True, wait_time=0.5, return_vis=True
    )
    ((picture, name, wait),) = shown
    assert (name, wait) == ('im1', 0.5)
    assert np.array_equal(picture, results['visualization'][0])


def test_models_are_named_in_many_ways(world, inferencer, tmp_path):
    weights = world / 'cam/epoch_3.pth'
    config = tmp_path / 'config.py'
    make_config().dump(config)
    image = world / 'images/im0.png'
    expected = inferencer(image)['predictions'][0]
    for arguments in (
        (config, weights),
        (None, weights),
        (make_config(), weights),
    ):
        other = OAAInferencer(*arguments, show_progress=False)
        assert other.classes == NAMES
        assert_same(other(image)['predictions'][0], expected)
    other = OAAInferencer(config, weights, classes='abc', show_progress=False)
    assert set(other(image)['predictions'][0]['names']) <= set('abc')


def test_a_damaged_checkpoint_is_passed_over(world, inferencer, tmp_path):
    """As a resumed training does, which a kill while writing needs."""
    folder = shutil.copytree(world / 'cam', tmp_path / 'cam')
    content = (folder / 'epoch_3.pth').read_bytes()
    (folder / 'epoch_4.pth').write_bytes(content[: len(content) // 2])
    image = world / 'images/im0.png'
    other = OAAInferencer(folder, show_progress=False)
    expected = inferencer(image)['predictions'][0]
    assert_same(other(image)['predictions'][0], expected)


def test_wrong_models_are_refused(world, tmp_path):
    weights = world / 'cam/epoch_3.pth'
    with pytest.raises(ValueError, match='needs trained weights'):
        OAAInferencer(make_config())
    with pytest.raises(FileNotFoundError, match='no such config or work_dir'):
        OAAInferencer(tmp_path / 'none.py', weights)
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        OAAInferencer(make_config(), tmp_path / 'none.pth')
    with pytest.raises(FileNotFoundError, match='has no checkpoint'):
        OAAInferencer(tmp_path)
    cfg = make_config()
    cfg.model.head.update(num_convs=1, channels=4)
    with pytest.raises(ValueError, match=r'Missing key.*head\.convs'):
        OAAInferencer(cfg, weights)
    cfg = make_config()
    cfg.model.head.num_classes = 4
    with pytest.raises(ValueError, match='size mismatch'):
        OAAInferencer(cfg, weights)
    with pytest.raises(ValueError, match='3 classes, but 2 are named'):
        OAAInferencer(make_config(), weights, classes=('a', 'b'))
    state = torch.load(weights, weights_only=False)
    del state['meta']['dataset_meta']
    torch.save(state, tmp_path / 'unnamed.pth')
    with pytest.raises(ValueError, match='3 classes, but none are named'):
        OAAInferencer(make_config(), tmp_path / 'unnamed.pth')
    cfg = Config({'model': {
        'type': 'EncoderDecoder',
        'backbone': make_config().model.backbone,
        'decode_head': {
            'type': 'FCNHead', 'in_channels': 4, 'channels': 4,
            'num_convs': 0, 'concat_input': False, 'num_classes': 3,
        },
    }})  # fmt: skip
    with pytest.raises(ValueError, match='EncoderDecoder.*MMSegInferencer'):
        OAAInferencer(cfg, weights)
