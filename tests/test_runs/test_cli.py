"""How commands end by signals, in forks of this process."""

import os
import signal
import sys

import pytest

from oaa_mm.io.files import atomic_write
from oaa_mm.runs.cli import on_interrupt, run_cli


def end_by(number, main, output):
    """Status and message of a command that a signal ends."""
    receive, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            sys.stderr = open(output, 'w', buffering=1)  # noqa: SIM115
            signal.signal(signal.SIGINT, signal.default_int_handler)
            run_cli(lambda: main(lambda: os.write(report, b'!')))
        except SystemExit as error:
            status = error.code
        finally:
            os._exit(status)
    assert os.read(receive, 1) == b'!'
    os.kill(pid, number)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, output.read_text()


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signals_end_in_one_line_and_half_files_go(tmp_path, number, status):
    path = tmp_path / 'out/file.txt'

    def main(ready):
        with on_interrupt('run it again'), atomic_write(path) as file:
            file.write(b'half')
            ready()
            while True:
                signal.pause()

    ended, message = end_by(number, main, tmp_path / 'stderr.txt')
    assert ended == status
    assert message == 'interrupted: run it again\n'
    assert not list(path.parent.iterdir())


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as error:
        run_cli(lambda: 3)
    assert error.value.code == 3
    assert signal.getsignal(signal.SIGTERM) is before
