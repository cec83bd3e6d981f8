"""A check of OAA+ that needs no mask: does it reproduce its targets?"""

from typing import Any

from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from oaa_mm.attention.agreement import MIN_SOFT_IOU, Agreement
from oaa_mm.checks import check_number
from oaa_mm.models.integral_attention import IntegralAttentionModel
from oaa_mm.registry import HOOKS
from oaa_mm.runs.manifest import record_results


@HOOKS.register_module()
class AgreementHook(Hook):
    """Tell how well OAA+ reproduces the attention that it is trained on.

    Over each pass through the data, the maps of the training forwards are
    compared with their targets, see :class:`~oaa_mm.attention.Agreement`. At
    its end the soft IoU and the ratio of the coverages are logged, as
    `oaa_plus_soft_iou` and `oaa_plus_coverage_ratio`, and recorded in the
    manifests of the checkpoints that follow. Nothing waits for the device
    before. If the soft IoU is too low when the training ends, a warning says
    so: OAA+ has learnt too little, and its maps are probably worse than the
    accumulated ones.

    Args:
        min_soft_iou (float): The least soft IoU that is trusted, in [0, 1].
            Defaults to ``oaa_mm.attention.agreement.MIN_SOFT_IOU``.

    Raises:
        ValueError: `min_soft_iou` is out of its range; at the start of
            training: the model is no IntegralAttentionModel.
    """

    priority = 'NORMAL'  # before the logger writes the line of the epoch

    def __init__(self, min_soft_iou: float = MIN_SOFT_IOU) -> None:
        name = 'AgreementHook: min_soft_iou'
        check_number(name, min_soft_iou, low=0, high=1)
        self.min_soft_iou = min_soft_iou
        self._model: IntegralAttentionModel | None = None
        self._sums: Tensor | None = None  # on the device of the model
        self._verdict: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Find the model.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        model = runner.model
        self._model = model.module if is_model_wrapper(model) else model
        if not isinstance(self._model, IntegralAttentionModel):
            raise ValueError(
                'AgreementHook compares the maps of an '
                'IntegralAttentionModel with its targets, but got '
                f'{type(self._model).__name__}: remove AgreementHook from '
                'custom_hooks'
            )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Add the batch; report what has been seen once in a pass.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Not used.
            data_batch (Any): Not used.
            outputs (dict | None): Not used.
        """
        sums = self._model.agreement
        self._sums = sums if self._sums is None else self._sums + sums
        ends = self.every_n_train_iters(runner, len(runner.train_dataloader))
        # A training that is shorter than one pass is judged as well.
        early = self.is_last_train_iter(runner) and not self._verdict
        if ends or early:
            self._report(runner)

    def _report(self, runner: Runner) -> None:
        all_reduce(self._sums)
        agreement = Agreement(*self._sums.tolist())
        self._sums = None
        self._verdict = agreement.judge(self.min_soft_iou)
        for name in ('soft_iou', 'coverage_ratio'):
            runner.message_hub.update_scalar(
                f'train/oaa_plus_{name}', self._verdict[name]
            )
        record_results(runner, self._verdict)
        runner.logger.info(f'OAA+: {agreement}')

    def after_train(self, runner: Runner) -> None:
        """Warn if OAA+ has learnt too little.

        Args:
            runner (Runner): The runner of the training.
        """
        if 'warning' in self._verdict:
            runner.logger.warning(self._verdict['warning'])
