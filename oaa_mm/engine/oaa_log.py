"""The log lines of OAAHook: about an epoch, and about the result."""

from mmengine.runner import Runner

from oaa_mm.attention import AttentionAccumulator, EpochSummary


def log_epoch(
    runner: Runner, summary: EpochSummary, *, seconds: dict[str, float]
) -> None:
    """Log an epoch, and put its numbers into the next line of the logger.

    Args:
        runner (Runner): The runner of the training.
        summary (EpochSummary): The counts of the epoch.
        seconds (dict[str, float]): A piece of work -> how long it took.
    """
    for name in ('accept_rate', 'coverage', 'never_accepted'):
        runner.message_hub.update_scalar(
            f'train/oaa_{name}', getattr(summary, name)
        )
    epoch = f'OAA epoch {summary.epoch + 1}'
    took = ', '.join(f'{what} in {s:.2f} s' for what, s in seconds.items())
    runner.logger.info(
        f'{epoch}: accepted {summary.accepted} of {summary.pairs} maps '
        f'({summary.accept_rate:.1%}), coverage {summary.coverage:.4f}, '
        f'never accepted {summary.never_accepted}, {took}'
    )
    if summary.non_finite:
        runner.logger.warning(
            f'{epoch}: maps of {summary.non_finite} (image, class) pairs were '
            'dropped, for NaN or Inf in their scores or in the loss'
        )
    if summary.all_zero:
        runner.logger.warning(
            f'{epoch}: {summary.all_zero} accumulated maps are zero '
            'everywhere; a training on them takes their class for absent'
        )


def log_result(
    runner: Runner, accumulator: AttentionAccumulator, path: str
) -> None:
    """Log the result of a finished training.

    Args:
        runner (Runner): The runner of the training.
        accumulator (AttentionAccumulator): Its memory.
        path (str): Where it was written.
    """
    maps = len(accumulator.store)
    runner.logger.info(f'OAA: {maps} accumulated maps in {path}')
    never = len(accumulator.candidates)
    if not never:
        return
    if accumulator.fallback == 'last':
        fate = f'so {never} of the {maps} maps are fallback maps'
    else:
        fate = "so they have no map (fallback='none')"
    runner.logger.warning(
        f'OAA: the classifier was never sure of {never} labelled (image, '
        f'class) pairs, {fate}'
    )
