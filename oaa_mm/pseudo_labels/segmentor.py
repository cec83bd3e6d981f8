"""Scores of a trained segmentation network, for labels of a second round."""

import os
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader


def read_segmentor(
    checkpoint: str | os.PathLike, class_names: Sequence[str]
) -> tuple[Config, dict[str, torch.Tensor]]:
    """Read a trained segmentation network, and check whether it fits.

    Args:
        checkpoint (str | os.PathLike): Checkpoint of mmengine's runner,
            which holds the config of its training.
        class_names (Sequence[str]): The K foreground classes of the tags.

    Returns:
        tuple[Config, dict[str, torch.Tensor]]: The config, and the weights.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The checkpoint does not say how to prepare images, or its
            network knows other classes.
    """
    state = CheckpointLoader.load_checkpoint(os.fspath(checkpoint), 'cpu')
    meta = state.get('meta', {})
    cfg = Config.fromstring(meta.get('cfg', ''), '.py')
    if not cfg.get('test_pipeline'):
        raise ValueError(
            f'{checkpoint} holds no config with a `test_pipeline`, by which '
            'images are prepared for its network; name a checkpoint that a '
            'training of mmseg (python -m oaa_mm train) has written'
        )
    known = (meta.get('dataset_meta') or {}).get('classes', ())
    if list(known[1:]) != list(class_names):
        raise ValueError(
            f'{checkpoint}: its network knows the background and '
            f'{", ".join(known[1:])}, but the classes of the tags are '
            f'{", ".join(class_names)}; name a network that was trained on '
            'labels of these classes, or the classes with --classes'
        )
    return cfg, state['state_dict']


class TaggedSegmentor:
    """A trained segmentation network that looks for the tags of an image.

    A network trained on pseudo-labels has seen the objects of all images, and
    is often more right than its labels are. Without tags it may see a dog in
    an image of a cat; with them it cannot. It works on a GPU where there is
    one.

    Args:
        checkpoint (str | os.PathLike): See :func:`read_segmentor`, whose
            errors are raised.
        class_names (Sequence[str]): The K foreground classes of the tags.
    """

    def __init__(
        self, checkpoint: str | os.PathLike, class_names: Sequence[str]
    ) -> None:
        # All of mmseg's models: first rounds do not need them.
        from mmseg.apis import init_model

        cfg, weights = read_segmentor(checkpoint, class_names)
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.model = init_model(cfg, device=device)
        self.model.load_state_dict(weights)

    def __call__(
        self, image: np.ndarray, classes: Sequence[int]
    ) -> dict[int, np.ndarray]:
        """Scores of the tagged classes.

        Args:
            image (np.ndarray): (H, W, 3) uint8 RGB.
            classes (Sequence[int]): The tags of the image, from 0.

        Returns:
            dict[int, np.ndarray]: Class -> (H, W) float32, the softmax over
            the background and the tagged classes; 1 minus their sum is the
            score of the background.
        """
        from mmseg.apis import inference_model

        bgr = np.ascontiguousarray(image[..., ::-1])
        logits = inference_model(self.model, bgr).seg_logits.data
        rows = logits[[0, *(index + 1 for index in classes)]]
        scores = rows.float().softmax(0)[1:].cpu().numpy()
        return dict(zip(classes, scores, strict=True))
