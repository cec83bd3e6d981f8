"""Another process that works in a folder."""

import os
import signal
from contextlib import contextmanager

from oaa_mm.runs.lock import lock_folder


@contextmanager
def other_process(folder, name='train'):
    """A process that holds the lock; yields its number."""
    receive, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with lock_folder(folder, name):
                os.write(report, b'!')
                signal.pause()
        finally:
            os._exit(1)
    assert os.read(receive, 1) == b'!'
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(receive)
        os.close(report)
