"""The first screen of a report: the pipeline's table, and moving attention."""

import json
import re

import numpy as np
import pytest
from report_world import make_data, make_store, make_world

from oaa_mm.attention import AttentionStore
from oaa_mm.evaluation.summary import read_summary
from oaa_mm.io.manifest import Manifest, write_manifest
from oaa_mm.report import ReportOptions, write_report
from oaa_mm.report.ranking import moving_images
from oaa_mm.report.run import open_run
from oaa_mm.report.sources import find_sources


def first_screen(folder, **options):
    """What stands before the section of all scores, and the report."""
    out = folder / 'page.html'
    report = write_report([folder], out, ReportOptions(**options))
    text = out.read_text(encoding='utf-8')
    return text[: text.index('<section id="scores">')], report


def texts(html, tag):
    return re.findall(rf'<{tag}[^>]*>([^<]*)</{tag}>', html)


def test_the_table_of_the_pipeline_with_its_seeds(tmp_path):
    html, _ = first_screen(make_world(tmp_path), epochs=3)
    assert texts(html, 'th') == [
        'mIoU, percent', 'maps', 'DeepLab', 'of true masks',
        'CAM', 'OAA+', 'true masks',
    ]  # fmt: skip
    assert texts(html, 'td') == [
        '40.00', '-', '-',
        '-', '61.00 ± 1.41', '87.10 ± 1.00',
        '-', '70.00', '100.00',
    ]  # fmt: skip


def test_strips_of_images_with_label_and_mask(tmp_path):
    html, report = first_screen(make_world(tmp_path), epochs=3)
    # In the better half of three images; all maps grow by as much.
    moving = [c for c in report.cards if 'moving' in c.groups]
    assert [card.image_id for card in moving] == ['fair', 'good']
    assert html.count('class="reel"') == 2
    captions = [
        'image', 'attention, epoch 1', 'attention, epoch 3',
        'attention, epoch 5', 'OAA, epoch 5', 'pseudo-label', 'mask',
    ]  # fmt: skip
    assert texts(html, 'figcaption') == 2 * captions


def test_only_what_is_there_is_shown(tmp_path):
    work = make_world(tmp_path)
    (work / 'scores.json').unlink()
    for path in (work / 'oaa').glob('*.safetensors'):
        path.unlink()
    (tmp_path / 'data/masks').rename(tmp_path / 'gone')
    html, report = first_screen(work, random=1)
    assert texts(html, 'th') == []
    assert [card.groups for card in report.cards] == [['random']]
    captions = ['image', 'CAM', 'OAA+', 'pseudo-label']
    assert texts(html, 'figcaption') == captions
    assert 'moves through the epochs' not in html


def test_maps_of_single_epochs_may_be_absent(tmp_path):
    make_data(tmp_path / 'data')
    work = tmp_path / 'work/oaa'
    for epoch in (3, 4):
        store = work / f'attention_epoch_{epoch}.safetensors'
        make_store(store, 50 * epoch)
    html, _ = first_screen(work)
    captions = ['image', 'OAA, epoch 3', 'OAA, epoch 4', 'mask']
    assert texts(html, 'figcaption') == 2 * captions


#: Image -> class, and how bright its attention is, which moves from the left
#: half to the right one.
MOVING = {'a': (0, 160), 'b': (0, 200), 'c': (1, 80), 'd': (1, 0)}


@pytest.fixture
def moving(tmp_path):
    """A function from a number and a ranking to the images chosen."""
    halves = [AttentionStore(), AttentionStore()]
    both = AttentionStore()
    for pair, value in (((i, c), v) for i, (c, v) in MOVING.items()):
        left = np.full((2, 4), 10, np.uint8)
        left[:, :2] += np.uint8(value)
        for store, attention in zip(
            halves, (left, left[:, ::-1]), strict=True
        ):
            store[pair] = attention
            both.join(pair, attention)
    for epoch, store in enumerate(halves, 1):
        store.save(tmp_path / f'epoch_maps_{epoch}.safetensors')
    both.save(tmp_path / 'attention_epoch_2.safetensors')

    def choose(number, ranked=()):
        options = ReportOptions(moving=number)
        run = open_run(find_sources([tmp_path]), options)
        order = [(image_id, 50.0) for image_id in ranked]
        return moving_images(run, list(MOVING), order, options)

    return choose


def test_images_in_which_attention_moves_most(moving):
    # M exceeds the mean of A by half of the brightness; classes take turns.
    assert moving(1) == ['b']
    assert moving(3) == ['b', 'c', 'a']
    assert moving(9) == ['b', 'c', 'a', 'd']
    assert moving(0) == []
    assert moving(3, ranked='dacb') == ['a', 'd']


def test_few_points_are_written_out(tmp_path):
    work = make_world(tmp_path)
    write_report([work], tmp_path / 'page.html')
    html = (tmp_path / 'page.html').read_text(encoding='utf-8')
    assert '<p>mIoU: 32 at epoch 2, 34 at epoch 4</p>' in html
    assert 'aria-label="Validation of oaa"' not in html
    log = work / 'oaa/20260102_000000/vis_data/scalars.json'
    with log.open('a') as file:
        file.write('\n{"mIoU": 36.0, "step": 5}')
    write_report([work], tmp_path / 'page.html')
    html = (tmp_path / 'page.html').read_text(encoding='utf-8')
    assert 'at epoch 4' not in html
    assert 'aria-label="Validation of oaa"' in html


def test_labels_are_named_by_the_maps_that_they_are_made_of(tmp_path):
    folders = [tmp_path / name for name in ('a', 'b', 'c', 'foreign')]
    stores = ['x/oaa_plus.safetensors', 'y/cam.safetensors'] * 2
    for folder, store in zip(folders, stores, strict=True):
        (folder / 'labels').mkdir(parents=True)
        manifest = Manifest(
            tool='make_pseudo_labels', inputs={'store': {'path': store}}
        )
        write_manifest(folder / 'manifest.json', manifest)
    (folders[-1] / 'manifest.json').write_text('{"results": [1]}')
    sources = find_sources([tmp_path])
    sources.labels['foreign'] = folders[-1]
    assert list(open_run(sources, ReportOptions()).labels) == [
        'label from OAA+', 'label from CAM', 'c', 'foreign',
    ]  # fmt: skip


def test_a_damaged_table_is_named(tmp_path):
    work = make_world(tmp_path)
    path = work / 'scores.json'
    content = json.loads(path.read_text())
    del content['scores'][0]['mean']
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"scores\.json is no table.*'mean'"):
        write_report([work], tmp_path / 'page.html')
    path.write_text('{')
    with pytest.raises(ValueError, match=r'scores\.json is no table'):
        read_summary(path)
