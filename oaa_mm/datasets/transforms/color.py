"""Colour jitter, the augmentation of the authors' PyTorch release."""

import math

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from oaa_mm.checks import check_number
from oaa_mm.registry import TRANSFORMS


def _turn_hue(image: np.ndarray, turns: float) -> np.ndarray:
    """Turn the colour circle of an (H, W, 3) BGR image.

    As OneDL's mmcv.adjust_hue does it; that of upstream mmcv 2.1 fails for
    negative turns under numpy 2.
    """
    hsv = cv2.cvtColor(image.astype(np.uint8), cv2.COLOR_BGR2HSV_FULL)
    # The circle has 256 steps here, so the overflow of uint8 closes it.
    hsv[..., 0] += np.uint8(int(turns * 255) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL).astype(image.dtype)


@TRANSFORMS.register_module()
class ColorJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue in random order.

    The same ranges as torchvision's transform of this name, computed by mmcv
    and OpenCV, so that torchvision is not needed.

    Required Keys:

    - img (uint8, BGR)

    Modified Keys:

    - img

    Args:
        brightness (float): The factor is drawn from
            [max(0, 1 - brightness), 1 + brightness]. Defaults to 0.3.
        contrast (float): As for `brightness`. Defaults to 0.3.
        saturation (float): As for `brightness`. Defaults to 0.3.
        hue (float): The shift is drawn from [-hue, hue], in turns of the
            colour circle; at most 0.5. Defaults to 0.1.

    Raises:
        ValueError: A range is negative, or `hue` is above 0.5.
    """

    def __init__(
        self,
        brightness: float = 0.3,
        contrast: float = 0.3,
        saturation: float = 0.3,
        hue: float = 0.1,
    ) -> None:
        ranges = {
            'brightness': brightness,
            'contrast': contrast,
            'saturation': saturation,
            'hue': hue,
        }
        for name, value in ranges.items():
            high = 0.5 if name == 'hue' else math.inf
            check_number(name, value, low=0, high=high)
        self.ranges = ranges

    @cache_randomness
    def _draw(self) -> tuple[dict[str, float], list[str]]:
        """Draw a factor for each change and the order of the changes."""
        factors = {
            name: np.random.uniform(max(0.0, 1 - value), 1 + value)
            for name, value in self.ranges.items()
        }
        hue = self.ranges['hue']
        factors['hue'] = np.random.uniform(-hue, hue)
        return factors, list(np.random.permutation(list(self.ranges)))

    def transform(self, results: dict) -> dict:
        """Jitter the colours of ``results['img']``.

        Args:
            results (dict): With `img`, (H, W, 3) uint8 in BGR.

        Returns:
            dict: The same, `img` changed.
        """
        factors, order = self._draw()
        change = {
            'brightness': mmcv.adjust_brightness,
            'contrast': mmcv.adjust_contrast,
            'saturation': mmcv.adjust_color,
            'hue': _turn_hue,
        }
        image = results['img']
        for name in order:
            if self.ranges[name]:
                image = change[name](image, factors[name])
        results['img'] = image.astype(np.uint8)
        return results

    def __repr__(self) -> str:
        arguments = ', '.join(f'{n}={v}' for n, v in self.ranges.items())
        return f'{type(self).__name__}({arguments})'
