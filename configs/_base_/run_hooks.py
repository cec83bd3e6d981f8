# Hooks that every training needs, under mmseg's own train.py as well. A config
# that inherits its runtime from mmseg names this file in its `_base_` and says
#   default_hooks = dict(
#       checkpoint=dict(type='oaa_mm.AtomicCheckpointHook'),
#       **_base_.run_hooks,
#   )
run_hooks = dict(
    # A resumed training draws the same numbers as an uninterrupted one.
    epoch_seed=dict(type='oaa_mm.EpochSeedHook'),
    # One training at a time in a work_dir.
    lock=dict(type='oaa_mm.LockHook'),
    # `--resume` takes the newest checkpoint that is whole.
    resume=dict(type='oaa_mm.ResumeHook'),
    # A loss that stays NaN or Inf stops the training.
    invalid_loss=dict(type='oaa_mm.InvalidLossHook'),
    # A manifest says what made each checkpoint and store.
    manifest=dict(type='oaa_mm.ManifestHook'),
)
