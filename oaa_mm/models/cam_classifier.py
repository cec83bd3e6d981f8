"""A classifier whose class activation maps are its last layer's output."""

from mmseg.structures import SegDataSample
from torch import Tensor

from oaa_mm.registry import MODELS

from .attention_model import AttentionModel


@MODELS.register_module()
class CAMClassifier(AttentionModel):
    """Multi-label classifier with a class-aware last layer.

    p^c = sigmoid(GAP(F^c)), trained by multi-label sigmoid cross entropy
    (Jiang et al., ICCV 2019, Section 3.1). Images of a batch may differ in
    size: pooling, loss and maps ignore padding, which has to be at the bottom
    and right, as mmengine's and mmseg's data preprocessors put it.

    Args:
        backbone (dict): Any backbone of mmseg or of this package.
        head (dict): A CAMHead.
        neck (dict | None): Between the two. Defaults to None.
        test_cfg (dict | None): Fields of :class:`InferenceConfig`. Defaults to
            None: one scale, no flip.
        data_preprocessor (dict | None): Normalises and batches; usually
            mmengine's ImgDataPreprocessor. Defaults to None.
        init_cfg (dict | None): Initialisation of the whole model. Defaults to
            None.
    """

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Classification loss of a batch; leaves the maps for OAAHook.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised, padded images.
            data_samples (list[SegDataSample]): Samples with `gt_label`,
                (C,).

        Returns:
            dict[str, Tensor]: ``loss_cls``, a scalar.
        """
        scores = self.score_maps(inputs)
        valid = self._valid_sizes(data_samples, inputs, scores)
        return self.head.loss_by_feat(scores, data_samples, valid)
