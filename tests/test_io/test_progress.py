"""The progress bar of long loops."""

from itertools import count
from types import SimpleNamespace

import pytest

from oaa_mm.io.progress import progress


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch):
    monkeypatch.delenv('FORCE_COLOR', raising=False)


def test_items_pass_and_a_log_of_short_work_stays_clean(capsys):
    assert list(progress('abc', 'letters')) == ['a', 'b', 'c']
    assert list(progress(iter(range(3)), 'numbers', 3)) == [0, 1, 2]
    assert capsys.readouterr() == ('', '')


def test_a_log_gets_a_line_each_minute(capsys, monkeypatch):
    # Each look at this clock finds it 20 seconds later.
    clock = SimpleNamespace(monotonic=count(step=20).__next__)
    monkeypatch.setattr('oaa_mm.io.progress.time', clock)
    assert list(progress('abcdefg', 'letters')) == list('abcdefg')
    assert list(progress(iter('abc'), 'others')) == list('abc')
    out, err = capsys.readouterr()
    assert out == ''
    assert err.splitlines() == [
        'letters: 2 of 7',
        'letters: 5 of 7',
        'others: 2',
    ]


def test_a_terminal_shows_the_bar(capsys, monkeypatch):
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('TERM', 'xterm')
    assert sum(progress(range(4), 'adding up')) == 6
    out, err = capsys.readouterr()
    assert out == ''
    assert 'adding up' in err
