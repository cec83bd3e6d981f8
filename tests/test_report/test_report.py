"""The report page: what it gathers, and that it stands alone."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from report_world import NAMES, SIZE, left_half, make_store, make_world

from oaa_mm.attention import Agreement
from oaa_mm.evaluation import label_at
from oaa_mm.io import write_mask
from oaa_mm.io.manifest import Manifest, write_manifest
from oaa_mm.report import ReportOptions, write_report
from oaa_mm.report.ranking import image_score
from oaa_mm.report.scores import read_scores
from oaa_mm.report.sources import find_sources
from oaa_mm.report.training import read_training

SECTIONS = [
    'result',
    'scores',
    'classes',
    'curves',
    'sweep',
    'images',
    'notes',
]
CHOICE = ReportOptions(ids=('fair',), best=1, worst=1, random=0, epochs=3)


class Page(HTMLParser):
    """Elements, in order, and whether they are closed in order."""

    VOID = {'meta', 'link', 'img', 'input', 'use', 'path', 'rect'}

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ''
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ('style', 'script'):
            self.text += ' ' + ' '.join(data.split())

    def all(self, tag, **attributes):
        return [
            found
            for name, found in self.elements
            if name == tag
            and all(found.get(k) == v for k, v in attributes.items())
        ]


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp('report'))


@pytest.fixture(scope='module')
def report(work):
    out = work.parent / 'page.html'
    return write_report([work], out, CHOICE), out.read_text(encoding='utf-8')


@pytest.fixture(scope='module')
def page(report):
    return Page(report[1])


def test_all_sections_are_there_and_the_html_is_sound(page):
    assert page.open == []
    assert [s['id'] for s in page.all('section')] == SECTIONS
    links = [a['href'] for a in page.all('a')]
    assert links == [*(f'#{s}' for s in SECTIONS), '#images']
    ids = [attrs['id'] for _, attrs in page.elements if 'id' in attrs]
    # Markers and clips of equal plots share ids, and are the same.
    own = [i for i in ids if not re.fullmatch('[mp][0-9a-f]{10}', i)]
    assert len(set(own)) == len(own)
    assert 'Nothing is missing' in page.text


def test_nothing_is_fetched(report, page):
    for name in ('src', 'href', 'xlink:href', 'action', 'srcset', 'data'):
        for _, attributes in page.elements:
            value = attributes.get(name, '#')
            assert value.startswith(('#', 'data:')), value
    html = report[1]
    for target in re.findall(r'url\(([^)]*)\)', html):
        assert target.startswith('#')
    for word in ('@import', 'fetch(', 'XMLHttpRequest', 'http:', 'https:'):
        assert word not in html


def test_scores(report, page):
    scores = {score.name: score for score in report[0].scores}
    assert list(scores) == [
        'CAM', 'OAA, epoch 5', 'OAA+', 'pseudo-labels', 'network (evaluation)',
    ]  # fmt: skip
    assert scores['CAM'].result.best['mIoU'] == 0.5
    assert scores['OAA+'].result.threshold == 0.25
    assert '25.0 % of pixels' in scores['pseudo-labels'].note
    assert '70.0 as background' in scores['pseudo-labels'].note
    network = scores['network (evaluation)']
    assert network.result.best['mIoU'] == 0.6125
    assert network.result.class_ious == {
        'background': 0.805, 'cat': 0.42, 'cow & calf': None,
    }  # fmt: skip
    for text in ('61.2', '42.0', 'cow & calf', 'oaa', '2.5 min'):
        assert text in page.text
    assert 'begun, not done' in page.text
    bars = page.all('i', style='width: 42.0%; background: var(--series-4)')
    assert len(bars) == 1


def test_scores_of_tests_stand_in_for_those_of_stores(work, tmp_path):
    run = tmp_path / 'cam/20260101_000000'
    run.mkdir(parents=True)
    (run / f'{run.name}.json').write_text(
        '{"attention/mIoU": 45.0, "attention/best_threshold": 0.15, '
        '"attention/coverage": 13.5}'
    )
    (alone,) = read_scores(find_sources([tmp_path]))
    assert (alone.name, alone.result.best['mIoU']) == ('maps of cam', 0.45)
    both = read_scores(find_sources([tmp_path, work]))
    assert 'maps of cam' not in [score.name for score in both]


def test_curves_of_a_resumed_training(work):
    logs = find_sources([work]).trainings['oaa']
    assert len(logs) == 2
    plots = read_training('oaa', logs)
    loss, rates, validation = (plot.curves for plot in plots)
    assert [plot.xlabel for plot in plots] == ['iteration', 'epoch', 'epoch']
    assert loss[0].x == tuple(range(1, 11))
    assert loss[0].y == pytest.approx([1 / s for s in range(1, 11)])
    rate, coverage = rates
    assert rate.x == (1, 2, 3, 4, 5)
    assert rate.y == pytest.approx([10, 20, 30, 40, 50])
    assert coverage.y[-1] == pytest.approx(10)
    assert validation[0].y == (32.0, 34.0)
    # A training begun anew in the same folder replaces the older one.
    again = read_training('oaa', [logs[1], logs[0]])
    assert again[0].curves[0].x == tuple(range(1, 11))


def test_plots_take_their_colours_from_the_page(page):
    plots = page.all('svg')
    assert [plot['aria-label'] for plot in plots] == [
        'Loss of oaa', 'Accept rate and coverage of oaa',
        'mIoU of the maps at all thresholds',
    ]  # fmt: skip
    assert all('width' not in plot for plot in plots)
    styles = ' '.join(p.get('style', '') for p in page.all('path'))
    used = set(re.findall(r'stroke: ([^; ]+)', styles))
    assert used == {
        'var(--grid)', 'var(--series-0)', 'var(--series-1)', 'var(--series-2)',
    }  # fmt: skip


def test_images_are_chosen_and_ranked(report, page):
    cards = {card.image_id: card for card in report[0].cards}
    assert {i: c.groups for i, c in cards.items()} == {
        'fair': ['chosen', 'moving'], 'good': ['moving', 'best'],
        'poor': ['worst'],
    }  # fmt: skip
    # 16 of 20 columns found; background 20 of 24.
    assert cards['fair'].score == pytest.approx(50 * (16 / 20 + 20 / 24))
    assert cards['good'].score == 100
    assert [c['data-classes'] for c in page.all('article')] == ['0', '0', '1']
    captions = [tile.caption for tile in cards['fair'].stages]
    assert captions == ['CAM', 'OAA+', 'pseudo-label', 'mask']
    (slider,) = page.all('input', type='range')
    assert slider['data-epochs'] == '1 3 5'
    first = cards['fair'].epochs[0]
    assert first[0].picture is not None
    assert first[1].picture is None
    assert first[1].reason == 'not started'
    assert 'not started' in page.text


def test_pictures_hold_what_they_say(page):
    masks = page.all('img', alt='mask', width='240', height='180')
    assert len(masks) == 3 + 2  # of the images, and on the first screen
    data = base64.b64decode(masks[0]['src'].split(',')[1])
    mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert mask.shape[:2] == (180, 240)
    # The left half is red: 0.4 * 90 + 0.6 * 128; cat is (128, 0, 0).
    np.testing.assert_allclose(mask[90, 60], (36, 36, 113), atol=6)
    np.testing.assert_allclose(mask[90, 180], (36, 36, 36), atol=6)


def test_score_of_one_image():
    mask, label = left_half(), left_half()
    label[:, :5] = 255  # missed, and no error of the background
    assert image_score(label, mask) == pytest.approx((15 / 20 + 1) / 2)
    mask[:] = 255
    assert np.isnan(image_score(label, mask))
    with pytest.raises(ValueError, match='the mask is'):
        image_score(label[:9], mask)
    maps = {1: np.array([[0, 255]], np.uint8)}
    found = label_at(maps, (2, 8), 0.5)
    assert (found[:, 5:] == 2).all()
    assert (found[:, :3] == 0).all()


def test_what_is_missing_is_said(tmp_path):
    folder = tmp_path / 'w/oaa'
    folder.mkdir(parents=True)
    make_store(folder / 'attention_epoch_2.safetensors', 90)
    (folder / 'weights.safetensors').write_bytes(b'no store')
    report = write_report([tmp_path / 'w'], tmp_path / 'page.html')
    page = Page((tmp_path / 'page.html').read_text(encoding='utf-8'))
    # There is nothing for the first screen.
    assert [s['id'] for s in page.all('section')] == SECTIONS[1:]
    assert not page.all('article')
    for text in (
        'No OAA+ maps yet', 'No pseudo-labels', 'vis_data/scalars.json',
        'no longer where the training', '--img-dir', 'Nothing has been scored',
        'weights.safetensors is left out',
    ):  # fmt: skip
        assert text in page.text, text
    assert report.run.class_names == tuple(NAMES)


def test_labels_of_an_oaa_plus_that_has_learnt_too_little(tmp_path):
    folder = make_world(tmp_path) / 'labels/pseudo_labels'
    manifest = Manifest(
        tool='make_pseudo_labels',
        inputs={'store': {'path': 'oaa.safetensors'}},
        results=Agreement(both=5, maps=10, targets=10).judge(),
    )
    write_manifest(folder / 'manifest.json', manifest)
    choice = ReportOptions(best=0, worst=0, random=1)
    notes = write_report([tmp_path], tmp_path / 'page.html', choice).notes
    (note,) = (note for note in notes if 'is made of' in note)
    assert 'oaa.safetensors. OAA+ reproduces its targets poorly' in note
    assert 'soft IoU of the maps with their targets 0.333' in note


def test_without_labels_maps_are_ranked(tmp_path):
    work = make_world(tmp_path)
    labels = work / 'labels/pseudo_labels'
    labels.rename(tmp_path / 'gone')
    (work / 'maps/oaa_plus.safetensors').unlink()
    mask = np.zeros(SIZE, np.uint8)
    mask[:, 30:] = 1  # the maps of this image are on the wrong side
    write_mask(tmp_path / 'data/masks/fair.png', mask)
    (tmp_path / 'data/img/good.png').unlink()
    choice = ReportOptions(best=2, worst=1, random=0)
    report = write_report([work], tmp_path / 'page.html', choice)
    assert 'OAA, epoch 5, threshold 0.25' in report.ranked_by
    (*_, worst) = report.cards
    assert worst.image_id == 'fair'
    assert worst.groups == ['worst']
    assert 'good is left out: 1 of 1 images are no ' in ' '.join(report.notes)


def test_mistakes_are_named(work, tmp_path):
    out = tmp_path / 'page.html'
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match=r'nothing to report.*scalars'):
        write_report([tmp_path / 'empty'], out)
    with pytest.raises(FileNotFoundError, match='no such run, folder or file'):
        write_report([tmp_path / 'absent'], out)
    with pytest.raises(ValueError, match=r'page\.png.*\.html'):
        write_report([work], tmp_path / 'page.png')
    with pytest.raises(ValueError, match='no attention maps of zebra'):
        write_report([work], out, ReportOptions(ids=('zebra',)))
    with pytest.raises(ValueError, match=r'worst should be an integer in \[0'):
        ReportOptions(worst=-1)
    with pytest.raises(
        ValueError, match=r'epochs should be an integer .*got -1'
    ):
        ReportOptions(epochs=-1)
    with pytest.raises(FileNotFoundError, match='--masks: no such folder'):
        write_report([work], out, ReportOptions(mask_dir=tmp_path / 'absent'))
    assert not out.exists()
