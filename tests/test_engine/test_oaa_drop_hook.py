"""OAADropHook in real trainings on a handful of small images.

In several processes: test_processes.py.
"""

import cv2
import numpy as np
import pytest
from mmengine.model import BaseModel
from mmengine.runner import Runner
from test_oaa_hook import (
    _no_pauses,  # noqa: F401 (a fixture)
    data_root,  # noqa: F401 (a fixture)
    final_store,
    iteration_based,
    make_config,
    resume_from,
    train,
)

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.attention.drop import is_dropped

DROP = {'type': 'oaa_mm.OAADropHook'}


def latest_of(work_dir, epoch):
    """The latest accepted maps that a training had after an epoch."""
    accumulator = AttentionAccumulator(keep_latest=True)
    accumulator.load(work_dir / f'attention_epoch_{epoch}.safetensors')
    return accumulator.latest


def recorded(cfg):
    """Train; what the network saw of each image, by epoch and image id."""
    runner = Runner.from_cfg(cfg)
    seen = {}
    loss = runner.model.loss

    def record(inputs, data_samples):
        for image, sample in zip(inputs, data_samples, strict=True):
            height, width = sample.img_shape
            key = runner.epoch, sample.image_id
            seen[key] = image[:, :height, :width].clone(), sample
        return loss(inputs, data_samples)

    runner.model.loss = record
    runner.train()
    return seen, runner.message_hub.get_scalar('train/oaa_hidden')


def test_the_network_does_not_see_where_it_looked_last(data_root, tmp_path):  # noqa: F811
    cfg = make_config(
        data_root, tmp_path, epochs=5, flip=True, keep_epoch_maps=True, **DROP
    )
    seen, logged = recorded(cfg)
    assert len(seen) == 5 * 8
    hidden_images, last_epoch = 0, []
    for (epoch, image_id), (image, sample) in seen.items():
        path = data_root / f'img/{image_id}.png'
        plain = cv2.imread(str(path))[..., ::-1].astype(np.float32)
        plain = (plain - 127) / 60
        attention = np.zeros(plain.shape[:2], np.float32)
        # The first epoch trains, the second makes the first maps.
        if epoch >= 2 and is_dropped(image_id, epoch=epoch, seed=0, prob=0.5):
            latest = latest_of(tmp_path, epoch)
            for c in latest.classes_of(image_id):
                large = cv2.resize(
                    latest[image_id, c].astype(np.float32),
                    attention.shape[::-1],  # OpenCV, not our own resize
                )
                attention = np.maximum(attention, large)
        if sample.placement.flip_horizontal:
            plain, attention = plain[:, ::-1], attention[:, ::-1]
        hidden = attention > 0.6 * 255
        certain = np.abs(attention - 0.6 * 255) > 0.6  # uint8 is rounded
        expected = np.where(hidden[..., None], 0, plain)
        got = image.permute(1, 2, 0).numpy()
        assert np.allclose(got[certain], expected[certain], atol=1e-5)
        hidden_images += hidden.any()
        last_epoch += [hidden.mean()] if epoch == 4 else []
    # Half of 3 epochs of 8 images, of which all have accepted maps.
    assert 6 <= hidden_images <= 18
    assert logged.current() == pytest.approx(np.mean(last_epoch), abs=2e-3)
    assert logged.current() > 0
    assert any(s.placement.flip_horizontal for _, s in seen.values())


def test_dropping_is_resumed_as_if_nothing_had_happened(data_root, tmp_path):  # noqa: F811
    train(make_config(data_root, tmp_path / 'drop', epochs=5, **DROP))
    train(make_config(data_root, tmp_path / 'plain', epochs=5))
    names = [f'attention_epoch_{n}.safetensors' for n in (4, 5)]
    whole = {n: (tmp_path / 'drop' / n).read_bytes() for n in names}
    plain = final_store(tmp_path / 'plain', 5)
    drop = final_store(tmp_path / 'drop', 5)
    assert list(plain) == list(drop)
    assert any((plain[pair] != drop[pair]).any() for pair in plain)
    for name in names:
        (tmp_path / 'drop' / name).unlink()
    cfg = make_config(data_root, tmp_path / 'drop', epochs=5, **DROP)
    resume_from(cfg, 'epoch_3.pth')
    assert whole == {n: (tmp_path / 'drop' / n).read_bytes() for n in names}
    cfg = make_config(data_root, tmp_path / 'drop', epochs=6)
    cfg.resume = True
    with pytest.raises(ValueError, match=r"other settings.*'drop_prob'"):
        train(cfg)  # the plain hook would not drop


def test_resuming_in_the_middle_of_a_declared_epoch(data_root, tmp_path):  # noqa: F811
    args = {'interval': 2, 'max_iters': 15, **DROP}
    train(iteration_based(data_root, tmp_path, **args))
    names = [f'attention_epoch_{n}.safetensors' for n in (4, 5)]
    whole = {name: (tmp_path / name).read_bytes() for name in names}
    for name in names:
        (tmp_path / name).unlink()
    resume_from(iteration_based(data_root, tmp_path, **args), 'iter_8.pth')
    assert whole == {name: (tmp_path / name).read_bytes() for name in names}


def test_wrong_arguments_and_models_are_refused(data_root, tmp_path):  # noqa: F811
    for name, value in (('drop_prob', 1.5), ('drop_threshold', -0.1)):
        cfg = make_config(data_root, tmp_path, **DROP, **{name: value})
        with pytest.raises(ValueError, match=rf'{name} should be in \[0, 1\]'):
            train(cfg)
    runner = Runner.from_cfg(make_config(data_root, tmp_path, **DROP))
    runner.model.__class__ = type(
        'Foreign',
        (BaseModel,),
        {'attention_output': None, 'forward': None},
    )
    with pytest.raises(ValueError, match='OAADropHook hides .* Foreign'):
        runner.train()
