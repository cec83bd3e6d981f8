"""Images whose pixels tell where they were, and pipelines to run on them."""

import copy

import cv2
import numpy as np

from oaa_mm.datasets.transforms import RecordingCompose

HEIGHT, WIDTH = 60, 84
#: Grey levels by which the ramps grow over the whole image.
RISE = 200.0
LOAD = {'type': 'LoadImageFromFile'}


def write_image(folder, image, name='image.png'):
    path = folder / name
    assert cv2.imwrite(str(path), image)
    return str(path)


def ramps(height, width):
    """Blue grows downwards, green to the right, red against both."""
    y = (np.arange(height) + 0.5) / height
    x = (np.arange(width) + 0.5) / width
    y, x = np.meshgrid(y, x, indexing='ij')
    image = np.stack([y, x, 1 - (x + y) / 2], -1) * RISE + 20
    return np.rint(image).astype(np.uint8)


def run(steps, path, seed=0):
    np.random.seed(seed)
    # Building changes nested dicts in place.
    compose = RecordingCompose([LOAD, *copy.deepcopy(steps)])
    return compose({'img_path': path})
