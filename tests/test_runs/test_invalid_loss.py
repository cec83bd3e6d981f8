"""Trainings whose loss becomes NaN or Inf."""

import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from test_oaa_hook import (
    data_root,  # noqa: F401 (a fixture)
    final_store,
    make_config,
)

from oaa_mm.runs import InvalidLossHook

NAN, INF = float('nan'), float('inf')


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda _: None)


def start(cfg, value, *, at, scores=True):
    """Train, with `value` in the scores or the loss of some iterations."""
    runner = Runner.from_cfg(cfg)
    model, calls = runner.model, []
    score_maps, loss = model.score_maps, model.loss

    def spoilt_scores(inputs):
        calls.append(1)
        factor = value if scores and len(calls) in at else 1.0
        return score_maps(inputs) * factor

    def spoilt_loss(inputs, samples):
        losses = loss(inputs, samples)
        bad = not scores and len(calls) in at
        return {k: v + value if bad else v for k, v in losses.items()}

    model.score_maps, model.loss = spoilt_scores, spoilt_loss
    return runner


# Each epoch has three iterations.
@pytest.mark.parametrize(
    ('interval', 'stop'), [(50, 6), (5, 6), (1, 6), (7, 6)]
)
def test_training_stops_and_keeps_what_was_good(
    data_root,  # noqa: F811
    tmp_path,
    interval,
    stop,
):
    cfg = make_config(data_root, tmp_path, epochs=9, start_epoch=0)
    cfg.custom_hooks.append(
        dict(type='oaa_mm.InvalidLossHook', patience=2, interval=interval)
    )
    # The fifth iteration makes the weights NaN, so all later ones are bad.
    with pytest.raises(ValueError, match=(
        r'NaN or Inf for 2 iterations in a row .*patience=2.* stopped at '
        rf'iteration {stop}\. .*clip_grad'
    )):  # fmt: skip
        start(cfg, NAN, at={5}).train()
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    assert sorted(p.name for p in tmp_path.glob('*_*.[ps]*[hs]')) == [
        'attention_epoch_1.safetensors', 'epoch_1.pth',
    ]  # fmt: skip
    state = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
    assert all(v.isfinite().all() for v in state['state_dict'].values())
    assert len(final_store(tmp_path, 1)) > 0  # its checksum fits


def test_patience_is_counted_over_epochs(data_root, tmp_path):  # noqa: F811
    cfg = make_config(data_root, tmp_path, epochs=9)
    cfg.default_hooks.checkpoint = None
    cfg.custom_hooks.append(
        dict(type='oaa_mm.InvalidLossHook', patience=7, interval=1)
    )
    with pytest.raises(ValueError, match='stopped at iteration 11'):
        start(cfg, INF, at={5}).train()


def test_a_checkpoint_of_nan_is_not_written(data_root, tmp_path):  # noqa: F811
    cfg = make_config(data_root, tmp_path, epochs=2)
    cfg.custom_hooks.append(dict(type='oaa_mm.InvalidLossHook'))
    with pytest.raises(
        ValueError, match=r'of the weights are NaN .*no checkpoint was writ'
    ):
        start(cfg, NAN, at={6}).train()
    left = {p.name for p in tmp_path.iterdir() if p.is_file()}
    assert 'epoch_1.pth' in left
    assert not any('epoch_2' in name or 'tmp' in name for name in left)


@pytest.mark.parametrize('value', [NAN, INF, -INF])
def test_maps_of_a_bad_loss_are_not_fused(
    data_root,  # noqa: F811
    tmp_path,
    caplog,
    value,
):
    cfg = make_config(
        data_root, tmp_path, epochs=1, start_epoch=0, fallback='none',
        acceptance='none',
    )  # fmt: skip
    # OAAHook alone; the scores of the third batch, of two images, are good.
    runner = start(cfg, value, at={3}, scores=False)
    seen = []
    hook = next(h for h in runner.hooks if hasattr(h, 'accumulator'))
    update = hook.accumulator.update
    hook.accumulator.update = lambda image_ids, **rest: (
        seen.append(image_ids), update(image_ids=image_ids, **rest)
    )  # fmt: skip
    MMLogger.get_current_instance().addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        runner.train()
    fused = {image_id for image_id, _ in final_store(tmp_path, 1)}
    assert fused == {*seen[0], *seen[1]}
    assert 'dropped, for NaN or Inf in their scores or in' in caplog.text


def look(hook, losses, logger):
    """An epoch with these losses; the hook looks at its end."""
    for number, loss in enumerate(losses):
        runner = SimpleNamespace(
            iter=number, train_dataloader=losses, logger=logger
        )
        hook.after_train_iter(
            runner, number, outputs={'loss': torch.tensor(loss)}
        )


def test_some_bad_losses_are_a_warning(caplog):
    logger = logging.getLogger('test_invalid_loss')
    hook = InvalidLossHook(patience=3)
    with caplog.at_level(logging.WARNING):
        look(hook, [0.5, 1e30], logger)
        assert not caplog.text
        look(hook, [-INF, 1.0, INF, NAN], logger)
    assert 'NaN or Inf in 3 iterations up to 4; 3 in a row' in caplog.text
    caplog.clear()
    look(hook, [0.5], logger)  # the row of two ends here
    look(hook, [NAN, NAN, 1.0], logger)
    look(hook, [NAN, NAN], logger)
    with pytest.raises(ValueError, match='3 iterations in a row'):
        look(hook, [NAN], logger)  # the row of two goes on


@pytest.mark.parametrize('arguments', [
    {'patience': 0}, {'interval': 0}, {'patience': 1.5}, {'interval': '9'},
])  # fmt: skip
def test_refused_arguments(arguments):
    with pytest.raises(
        ValueError, match=r'should be an integer in \[1, inf\)'
    ):
        InvalidLossHook(**arguments)
