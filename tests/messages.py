"""Collects what tests on broken and odd data are refused with.

The messages, each once, are written to the file $OAA_MM_MESSAGES when the
tests end, or else into pytest's cache, so that they can be read in a row.
"""

import os
import re
from pathlib import Path

import pytest

FOLDERS = {'test_hostile', 'test_odd_data'}
#: Message without names and numbers -> the test, and the message.
_seen = {}
_test = None
_raises = pytest.raises


def record(text):
    """Keep a message of the running test, if it is of another kind."""
    kind = re.sub(r"'[^']*'|\S*/\S*|\S*\d\S*|\W", '', text)
    if _test and text:
        _seen.setdefault(kind[:300], (_test, text))


class recording_raises:  # noqa: N801
    """`pytest.raises` that records the message; used in its place."""

    def __init__(self, *args, **kwargs):
        self.context = _raises(*args, **kwargs)

    def __enter__(self):
        self.caught = self.context.__enter__()
        return self.caught

    def __exit__(self, *error):
        expected = self.context.__exit__(*error)
        if expected:
            record(str(self.caught.value))
        return expected


@pytest.fixture(autouse=True)
def _record_messages(request, monkeypatch):
    """Record those of each test in these folders."""
    global _test
    if FOLDERS & set(request.path.parts):
        monkeypatch.setattr(pytest, 'raises', recording_raises)
        _test = request.node.nodeid.split('[')[0]
    yield
    _test = None


def write(config):
    """Write all that was recorded, ordered by test."""
    if not _seen:
        return
    path = os.environ.get('OAA_MM_MESSAGES')
    if path is None:
        cache = getattr(config, 'cache', None)
        if cache is None:
            return
        path = cache.mkdir('oaa_mm') / 'messages.txt'
    worker = getattr(config, 'workerinput', {}).get('workerid')
    path = Path(path)
    lines = [f'{test}\n{text}\n' for test, text in sorted(_seen.values())]
    if worker:
        path = path.with_stem(f'{path.stem}_{worker}')
    path.write_text(
        '\n'.join(lines), encoding='utf-8', errors='backslashreplace'
    )
