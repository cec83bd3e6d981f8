"""Which checkpoint --resume takes."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.fileio import (
    BaseStorageBackend,
    FileClient,
    LocalBackend,
    get_file_backend,
    register_backend,
)
from mmengine.runner import Runner
from test_oaa_hook import (
    data_root,  # noqa: F401 (a fixture)
    make_config,
    train,
)

from oaa_mm.runs.checkpoints import (
    checkpoint_damage,
    newest_usable_checkpoint,
)


def save(path, time):
    path.parent.mkdir(exist_ok=True)
    torch.save({'weight': torch.arange(999)}, path)
    os.utime(path, (time, time))


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    at = data.index(torch.arange(999).numpy().tobytes()[:64]) + 100
    data[at] ^= 1
    path.write_bytes(data)


def test_damage_is_found_wherever_it_is(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    save(path, 1)
    whole = path.read_bytes()
    assert checkpoint_damage(path) is None
    for length in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:length])
        assert 'truncated' in checkpoint_damage(path)
    path.write_bytes(whole)
    flip_a_bit(path)
    torch.load(path)  # torch does not notice
    assert 'does not match its checksum' in checkpoint_damage(path)
    path.unlink()
    assert checkpoint_damage(path)


def test_the_newest_whole_one_is_taken(tmp_path):
    work, out = tmp_path / 'work', tmp_path / 'out'
    assert newest_usable_checkpoint([work]) == (None, {})
    save(work / 'epoch_9.pth', 100)  # of a longer training before
    save(work / 'epoch_3.pth', 300)
    save(work / 'best_mIoU_epoch_2.pth', 900)
    save(out / 'epoch_2.pth', 200)
    assert newest_usable_checkpoint([work, out])[0] == work / 'epoch_3.pth'
    flip_a_bit(work / 'epoch_3.pth')
    os.utime(work / 'epoch_3.pth', (300, 300))
    path, skipped = newest_usable_checkpoint([work, out])
    assert path == out / 'epoch_2.pth'
    assert list(skipped) == [str(work / 'epoch_3.pth')]
    for name in ('epoch_10.pth', 'epoch_9.pth'):  # a copy may lose the times
        save(work / name, 500)
    assert newest_usable_checkpoint([work])[0] == work / 'epoch_10.pth'


def resumed(data_root, work_dir, **changes):  # noqa: F811
    cfg = make_config(data_root, work_dir)
    cfg.custom_hooks.append({'type': 'oaa_mm.ResumeHook'})
    cfg.resume = True
    cfg.merge_from_dict(changes)
    return Runner.from_cfg(cfg)


def test_the_run_goes_on_from_it(data_root, tmp_path):  # noqa: F811
    train(make_config(data_root, tmp_path))
    expected = (tmp_path / 'attention_epoch_3.safetensors').read_bytes()
    # A kill between the two writes leaves a pointer to what is gone.
    (tmp_path / 'last_checkpoint').write_text('/gone/epoch_3.pth')
    third = tmp_path / 'epoch_3.pth'
    third.write_bytes(third.read_bytes()[:-100])
    runner = resumed(data_root, tmp_path)
    runner.train()
    log = next(tmp_path.glob(f'{runner.timestamp}/*.log')).read_text()
    assert f'{third} is skipped: it is truncated' in log
    assert 'resumed epoch: 2' in log
    made = (tmp_path / 'attention_epoch_3.safetensors').read_bytes()
    assert made == expected


def test_nothing_to_resume_and_nothing_usable(data_root, tmp_path):  # noqa: F811
    runner = resumed(
        data_root,
        tmp_path,
        **{'default_hooks.checkpoint.max_keep_ckpts': 1},
    )
    (tmp_path / 'last_checkpoint').write_text('')
    runner.train()
    log = next(tmp_path.glob(f'{runner.timestamp}/*.log')).read_text()
    assert 'the training starts from its beginning' in log
    assert 'CheckpointHook.max_keep_ckpts=1' in log
    assert runner.epoch == 3
    Path(tmp_path / 'epoch_3.pth').write_bytes(b'PK')
    runner = resumed(data_root, tmp_path)
    with pytest.raises(ValueError, match=r'epoch_3\.pth are damaged'):
        runner.train()


def atomic(data_root, work_dir):  # noqa: F811
    cfg = make_config(data_root, work_dir, epochs=2)
    cfg.default_hooks.checkpoint.type = 'oaa_mm.AtomicCheckpointHook'
    return cfg


def test_checkpoints_are_written_whole_or_not_at_all(
    data_root,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    train(atomic(data_root, tmp_path))
    before = (tmp_path / 'epoch_2.pth').read_bytes()

    def fail(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(OSError, match='No space left'):
        train(atomic(data_root, tmp_path))
    assert (tmp_path / 'epoch_2.pth').read_bytes() == before
    assert not list(tmp_path.glob('.*.tmp'))


class Bucket(BaseStorageBackend):
    """Stands for a remote storage: keeps the files in memory."""

    files = {}
    get = get_text = None

    def put(self, obj, filepath):
        self.files[filepath] = obj

    def isfile(self, filepath):
        return filepath in self.files

    def join_path(self, *parts):
        return '/'.join(parts)


def test_an_out_dir_on_another_storage(data_root, tmp_path):  # noqa: F811
    """The prefix of `out_dir` chooses who writes, not the atomic backend."""
    for register in (register_backend, FileClient.register_backend):
        register('bucket', Bucket, prefixes='bucket', force=True)
    cfg = atomic(data_root, tmp_path)
    cfg.default_hooks.checkpoint.out_dir = 'bucket://runs'
    train(cfg)
    assert set(Bucket.files) == {
        f'bucket://runs/{tmp_path.name}/epoch_{n}.pth' for n in (1, 2)
    }
    assert not list(tmp_path.rglob('*.pth'))


def test_the_backend_of_local_files_stays_mmengines():
    assert type(get_file_backend('file.txt')) is LocalBackend
