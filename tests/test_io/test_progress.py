"""The progress bar of long loops."""

from oaa_mm.io.progress import progress


def test_items_pass_and_a_log_stays_clean(capsys):
    assert list(progress('abc', 'letters')) == ['a', 'b', 'c']
    assert list(progress(iter(range(3)), 'numbers', 3)) == [0, 1, 2]
    assert capsys.readouterr() == ('', '')


def test_a_terminal_shows_the_bar(capsys, monkeypatch):
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('TERM', 'xterm')
    assert sum(progress(range(4), 'adding up')) == 6
    out, err = capsys.readouterr()
    assert out == ''
    assert 'adding up' in err
