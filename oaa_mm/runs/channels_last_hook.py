"""Weights whose channels are next to each other in memory."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Put the weights of a model into the layout ``channels_last``.

    Convolutions take the layout of their weights for all that follows, so the
    inputs need no conversion. Numbers and checkpoints mean the same as
    before; only the time changes.
    """

    def before_run(self, runner: Runner) -> None:
        """Convert the weights in place, for the optimizer too.

        Args:
            runner (Runner): Of a training, a validation or a test.
        """
        runner.model.to(memory_format=torch.channels_last)
