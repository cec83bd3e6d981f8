"""Every shipped config loads and its model builds."""

from pathlib import Path

import pytest
from mmengine.config import Config

from oaa_mm.registry import HOOKS, METRICS, MODELS, TRANSFORMS

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(
    path.relative_to(ROOT / 'configs')
    for path in (ROOT / 'configs').rglob('*.py')
    if not {'_base_', 'pipelines'} & set(path.parts)
)

#: Hooks that each training needs, whatever starts it.
RUN_HOOKS = {
    f'oaa_mm.{name}Hook'
    for name in (
        *('AtomicCheckpoint', 'EpochSeed', 'InvalidLoss', 'Lock'),
        *('Manifest', 'Resume'),
    )
}


def name_of(kind):
    """`oaa_mm.OAAHook`, also of the class that a config imports."""
    scope = getattr(kind, '__module__', '').split('.')[0]
    return kind if isinstance(kind, str) else f'{scope}.{kind.__name__}'


@pytest.mark.parametrize('name', CONFIGS, ids=str)
def test_config_builds(name):
    cfg = Config.fromfile(ROOT / 'configs' / name)
    assert cfg.default_scope == 'mmseg'
    kinds = {name_of(hook.type) for hook in cfg.default_hooks.values()}
    assert kinds >= RUN_HOOKS  # no tool adds any
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    if name_of(cfg.model.type).startswith('oaa_mm.'):
        assert all(p.requires_grad for p in model.parameters())
    for hook in cfg.get('custom_hooks', []):
        HOOKS.build(hook)
    evaluators = filter(None, [cfg.val_evaluator, cfg.test_evaluator])
    for evaluator in evaluators:
        for metric in (
            evaluator if isinstance(evaluator, list) else [evaluator]
        ):
            METRICS.build(metric)
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        if loader is None:  # own data may have no validation
            continue
        assert (
            (loader.num_workers == 0)
            or part == 'test'
            or (loader.persistent_workers)
        )
        for transform in loader.dataset.pipeline:
            TRANSFORMS.build(transform)


def test_the_release_recipe():
    """Method, section 7: learning rates 1, 2, 10 and 20 times the base."""
    from mmengine.optim import build_optim_wrapper

    cfg = Config.fromfile(ROOT / 'configs/oaa_vgg16_voc.py')
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {}
    groups = wrapper.optimizer.param_groups
    names = dict((id(p), name) for name, p in model.named_parameters())
    for group in groups:
        for parameter in group['params']:
            rates[names[id(parameter)]] = group['lr']
        assert group['weight_decay'] == 5e-4
        assert group['nesterov']
    for name, rate in rates.items():
        factor = 10 if name.startswith('head') else 1
        factor *= 2 if name.endswith('bias') else 1
        assert rate == pytest.approx(1e-3 * factor), name
    assert len(rates) == 26 + 8
    assert cfg.train_cfg.max_epochs == 15
    assert cfg.param_scheduler.milestones == [10]
