"""The report page in a real browser, as a reader uses it."""

import shutil

import pytest
from report_world import make_world

from oaa_mm.report import ReportOptions, write_report

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')


@pytest.fixture(scope='module')
def browser():
    api = pytest.importorskip(
        'playwright.sync_api', reason='playwright is not installed'
    )
    if CHROMIUM is None:
        pytest.skip('no chromium on the PATH')
    with api.sync_playwright() as playwright:
        # Containers run as root, where Chromium has no sandbox.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=['--no-sandbox']
        )
        yield browser
        browser.close()


@pytest.fixture(scope='module')
def url(tmp_path_factory):
    root = tmp_path_factory.mktemp('browser')
    out = root / 'page.html'
    choice = ReportOptions(best=1, worst=1, random=3, epochs=3)
    write_report([make_world(root)], out, choice)
    return f'file://{out}'


@pytest.fixture
def opened(browser, url, request):
    """Returns a page of a width and theme, and what went wrong in it."""
    width, scheme = getattr(request, 'param', (1280, 'light'))
    context = browser.new_context(
        viewport={'width': width, 'height': 844}, color_scheme=scheme
    )
    page, troubles = context.new_page(), []
    page.on('console', lambda message: troubles.append(message.text))
    page.on('pageerror', lambda error: troubles.append(str(error)))
    page.on(
        'request',
        lambda request: (
            request.url.startswith(('data:', 'file:'))
            or troubles.append(request.url)
        ),
    )
    page.goto(url)
    yield page, troubles
    context.close()


@pytest.mark.parametrize(
    'opened',
    [(390, 'light'), (390, 'dark'), (1280, 'light'), (1280, 'dark')],
    indirect=True,
    ids=lambda value: f'{value[0]}-{value[1]}',
)
def test_fits_the_screen_in_both_themes(opened, request):
    page, troubles = opened
    width, scheme = request.node.callspec.params['opened']
    assert page.evaluate('document.documentElement.scrollWidth') == width
    light = page.evaluate(
        'getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0]'
    )
    assert (int(light) > 128) == (scheme == 'light')
    # All pictures can be decoded, and text is readable on its ground.
    assert page.evaluate(
        '[...document.images].every(i => i.complete && i.naturalWidth > 0)'
    )
    sizes = page.evaluate(
        '[...document.querySelectorAll("svg text")].map('
        'node => node.getBoundingClientRect().height)'
    )
    assert min(sizes) > 8
    # The table and whole strips of pictures are on the first screen.
    edges = page.evaluate(
        '[...document.querySelectorAll(".summary, .reel")].map('
        'node => node.getBoundingClientRect().bottom)'
    )
    assert len(edges) == 3
    assert max(edges) < 844
    assert troubles == []


def visible(page):
    return page.evaluate(
        '[...document.querySelectorAll(".card")]'
        '.filter(card => card.offsetParent).map('
        'card => card.querySelector("h3").firstChild.data.trim())'
    )


def test_filters(opened):
    page, _ = opened
    assert visible(page) == ['fair', 'good', 'poor']
    page.click('#class-filter label:has-text("calf")')
    assert visible(page) == ['poor']
    page.click('#group-filter label:has-text("best")')
    assert visible(page) == []
    assert page.is_visible('#no-match')
    page.click('#class-filter label:has-text("all")')
    assert visible(page) == ['good']
    assert not page.is_visible('#no-match')


def test_slider_moves_all_images(opened):
    page, troubles = opened
    captions = '.now figcaption >> nth={}'
    assert page.inner_text(captions.format(5)) == 'OAA, epoch 5'
    last = page.get_attribute('.now img >> nth=1', 'src')
    page.focus('#epoch')
    page.keyboard.press('ArrowLeft')
    assert page.inner_text('#epoch-now') == '3'
    assert page.inner_text(captions.format(5)) == 'OAA, epoch 3'
    now = page.get_attribute('.now img >> nth=1', 'src')
    assert now != last
    assert now == page.get_attribute(
        '.strip >> nth=0 >> li >> nth=1 >> img >> nth=1', 'src'
    )
    page.keyboard.press('ArrowLeft')
    assert page.inner_text('.now .absent >> nth=0') == 'not started'
    assert troubles == []
