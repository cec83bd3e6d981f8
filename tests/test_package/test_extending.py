"""CONTRIBUTING.md, "How to add": each from outside, without a change here."""

import importlib.util
import re
from pathlib import Path

import mmseg.registry
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.datasets import ImageLevelDataset
from oaa_mm.evaluation.metrics.class_metric import ClassMetric
from oaa_mm.io import read_mask
from oaa_mm.pseudo_labels import REFINEMENTS
from oaa_mm.registry import METRICS, MODELS
from oaa_mm.tags import READERS, WRITERS, LabelTable, read_labels


def load_tool(root, name):
    spec = importlib.util.spec_from_file_location(
        f'extended_{name}', root / f'tools/{name}.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_backbone(root, tmp_path):
    """The config that docs/configs.md shows, word for word."""
    page = (root / 'docs/configs.md').read_text(encoding='utf-8')
    (text,) = re.findall(
        r'## Another backbone\n.*?```python\n(.*?)```', page, re.DOTALL
    )
    base = "'oaa_resnet50_voc.py'"
    assert text.count(base) == 1
    text = text.replace(base, repr(str(root / 'configs/oaa_resnet50_voc.py')))
    (tmp_path / 'mine.py').write_text(text)
    model = MODELS.build(Config.fromfile(tmp_path / 'mine.py').model).eval()
    with torch.no_grad():
        maps = model.score_maps(torch.zeros(1, 3, 64, 96))
    assert maps.shape == (1, 20, 4, 6)  # 1/16 of the image


def read_pairs(path, *, classes=None):
    """Lines such as `dog: 0001, 0003`."""
    labels = {}
    for line in path.read_text().splitlines():
        name, _, images = line.partition(': ')
        for image in images.split(', '):
            labels.setdefault(image, []).append(classes.index(name))
    return LabelTable({i: tuple(c) for i, c in labels.items()}, classes)


def write_pairs(table, path):
    lines = [
        f'{name}: ' + ', '.join(i for i, c in table.labels.items() if n in c)
        for n, name in enumerate(table.classes)
    ]
    Path(path).write_text('\n'.join(lines) + '\n')


def test_a_format_of_tags(root, tmp_path, monkeypatch):
    """An entry each for reading and writing; data sets and tools know it."""
    monkeypatch.setitem(READERS, 'pairs', read_pairs)
    monkeypatch.setitem(WRITERS, 'pairs', write_pairs)
    (tmp_path / 'images').mkdir()
    for name in ('0001', '0003'):
        Image.new('RGB', (8, 6)).save(tmp_path / f'images/{name}.jpg')
    (tmp_path / 'tags.txt').write_text('cat: 0001\ndog: 0001, 0003\n')
    dataset = ImageLevelDataset(
        data_root=str(tmp_path),
        labels='tags.txt',
        labels_format='pairs',
        data_prefix={'img_path': 'images'},
        metainfo={'classes': ('cat', 'dog')},
        pipeline=[],
    )
    tags = {
        info['image_id']: list(info['gt_label'])
        for info in map(dataset.get_data_info, range(len(dataset)))
    }
    assert tags == {'0001': [1, 1], '0003': [0, 1]}
    load_tool(root, 'convert_labels').main(
        [str(tmp_path / 'tags.txt'), '--format', 'pairs', '--classes']
        + ['cat,dog', '--to', 'pairs', '--out', str(tmp_path / 'again.txt')]
    )
    again = read_labels(
        tmp_path / 'again.txt', format='pairs', classes=('cat', 'dog')
    )
    assert again.labels == {'0001': (0, 1), '0003': (1,)}


def winner_takes_all(image, scores, *, winner=0):
    """All the score for one label, whatever the image shows."""
    assert image.shape[:2] == scores.shape[1:]
    refined = np.zeros_like(scores)
    refined[winner] = 1
    return refined


def test_a_refinement(root, tmp_path, monkeypatch):
    """An entry; its keyword arguments are options of the command."""
    monkeypatch.setitem(REFINEMENTS, 'winner', winner_takes_all)
    (tmp_path / 'images').mkdir()
    Image.new('RGB', (8, 6)).save(tmp_path / 'images/one.jpg')
    store = AttentionStore()
    store['one', 0] = np.array([[255, 0]], np.uint8)
    store.save(tmp_path / 'store.safetensors')
    make_labels = load_tool(root, 'make_pseudo_labels').main
    command = [str(tmp_path / 'store.safetensors'), '--img-dir']
    command += [str(tmp_path / 'images'), '--background', 'power']
    command += ['--classes', 'cat', '--min-foreground', '0']
    seen = {}
    for winner in (0, 1):
        out = tmp_path / f'labels{winner}'
        make_labels(
            [*command, '--out', str(out), '--refine', 'winner']
            + ['--refine-options', f'winner={winner}']
        )
        label = read_mask(out / 'labels/one.png')
        assert label.shape == (6, 8)
        seen[winner] = set(np.unique(label).tolist()) - {255}
    assert seen == {0: {0}, 1: {1}}


@pytest.fixture
def registered():
    """A metric of the test's own, registered while it runs."""

    @METRICS.register_module()
    class ExactTags(ClassMetric):
        """The share of images of which all tags are right, in percent."""

        default_prefix = 'tags'

        def process(self, data_batch, data_samples):
            for sample in data_samples:
                right = (sample['pred_score'] > 0.5) == sample['gt_label']
                self.results.append(bool(right.all()))

        def compute_metrics(self, results):
            return {'exact': 100 * np.mean(results)}

    yield
    METRICS.module_dict.pop('ExactTags')
    mmseg.registry.METRICS.module_dict.pop('ExactTags')


@pytest.mark.usefixtures('registered')
def test_a_metric():
    """A registered class is an evaluator of any config, by its name."""
    evaluator = Evaluator([{'type': 'oaa_mm.ExactTags'}])
    evaluator.dataset_meta = {'classes': ('cat', 'dog')}
    scores = ([0.9, 0.1], [0.6, 0.7], [0.2, 0.3])
    tags = ([1, 0], [1, 0], [0, 0])
    samples = [
        {'pred_score': torch.tensor(s), 'gt_label': torch.tensor(t)}
        for s, t in zip(scores, tags, strict=True)
    ]
    evaluator.process(samples)
    found = evaluator.evaluate(len(samples))
    assert found == {'tags/exact': pytest.approx(100 * 2 / 3)}
