"""Locks of folders, with real other processes (forks: they start at once)."""

import os
import socket
import time

import pytest
from other_process import other_process

from oaa_mm.runs.lock import (
    FolderInUseError,
    check_free,
    lock_folder,
)


def enter(folder, name='train'):
    with lock_folder(folder, name):
        pass


def test_a_second_process_is_told_of_the_first(tmp_path):
    with other_process(tmp_path / 'new') as pid:
        with pytest.raises(FolderInUseError) as error:
            enter(tmp_path / 'new')
        path = tmp_path / 'new/.train.lock'
        holder = path.read_text().strip()
        assert f'process {pid} on host {socket.gethostname()}' in holder
        for text in (holder, str(path), 'or name another folder with --'):
            assert text in str(error.value)
        enter(tmp_path / 'new', 'test')  # another kind of run
        with pytest.raises(FolderInUseError):
            check_free(tmp_path)  # it is below
        check_free(tmp_path, '.test.lock')


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, capsys):
    with other_process(tmp_path) as pid:
        pass
    assert (tmp_path / '.train.lock').is_file()
    check_free(tmp_path)
    enter(tmp_path)
    said = capsys.readouterr().err
    assert f'ended without releasing its lock (process {pid}' in said
    assert not list(tmp_path.iterdir())  # nothing is left
    enter(tmp_path)
    assert capsys.readouterr().err == ''


def test_within_a_process_and_after_an_error(tmp_path):
    with lock_folder(tmp_path, 'train'):
        enter(tmp_path)
        check_free(tmp_path)
        pid = os.fork()
        if pid == 0:  # children do not inherit it
            try:
                enter(tmp_path)
            except FolderInUseError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    with pytest.raises(ZeroDivisionError):  # noqa: SIM117
        with lock_folder(tmp_path, 'train'):
            raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_no_moment_lets_two_in(tmp_path):
    """Six processes that take and give back the lock as fast as they can."""
    inside = tmp_path / 'inside'
    pids = []
    for _ in range(6):
        pid = os.fork()
        if pid:
            pids.append(pid)
            continue
        status = 0
        try:
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                try:
                    with lock_folder(tmp_path / 'x', 'train'):
                        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
                        os.unlink(inside)
                except FolderInUseError:
                    pass
        except FileExistsError:
            status = 1  # another one was inside
        finally:
            os._exit(status)
    ends = [os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids]
    assert ends == [0] * 6


def test_file_systems_without_locks_are_told(tmp_path, monkeypatch, capsys):
    def fail(*args):
        raise OSError(37, 'No locks available')

    monkeypatch.setattr('fcntl.lockf', fail)
    enter(tmp_path)
    assert 'cannot be locked' in capsys.readouterr().err


def test_only_old_temporary_files_of_ours_are_removed(tmp_path):
    old, new = tmp_path / '.a.pth.a1b2c3d4.tmp', tmp_path / '.b.x.abcdefgh.tmp'
    theirs = tmp_path / '.cache.tmp'
    for path in (old, new, theirs):
        path.touch()
        if path != new:
            os.utime(path, (1, 1))
    enter(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([new, theirs])
